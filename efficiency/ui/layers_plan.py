"""A study of which layers cost the accuracy, planned by a link: the address fills the form of the page Run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from efficiency import workloads
from efficiency.analysis import layers_wanted
from efficiency.analysis.layers_wanted import MIXED, STATIC
from efficiency.claims.here import Heat, Row
from efficiency.study import Preset
from efficiency.ui import frame
from efficiency.ui.plan_form import FORM

PARAMETER, DATASET = "layers", "dataset"
PRESET: Preset = "article"
"""All test rows, and training rows enough to choose layers by."""


def address(workload: str, dataset: str) -> dict[str, str]:
    """What the page Run is asked, so that it plans that study of a workload."""
    return {PARAMETER: workload, DATASET: dataset}


def fill() -> None:
    """Fills the form of the page Run where the address asks for it, and takes that out of the address, so that what is
    changed in the form afterwards stands."""
    if PARAMETER not in st.query_params:
        return
    workload, dataset = (st.query_params.pop(name, "") for name in (PARAMETER, DATASET))
    # A user's own file is code, which no address may have run.
    if workload in workloads.WORKLOADS:
        values = _values(workload, dataset)
        st.session_state.update({f"{FORM.prefix}-{name}": value for name, value in values.items()})
        st.rerun()


def _values(workload: str, dataset: str) -> dict[str, Any]:
    """By widget: static INT8 and mixed INT8 on that workload, a row a call on one thread."""
    chosen = {f"technique-{one.key}": one.key in (MIXED, STATIC) for one in FORM.techniques}
    known = [one.key for one in workloads.WORKLOADS[workload].datasets]
    return chosen | {
        "preset": PRESET, "workloads": [workload], "combinations": [], "batch-sizes": ["1"], "threads": [1],
        "datasets": [dataset] if dataset in known[1:] else [], "device": "cpu", "own-file": "", "length": None,
        "padding": 0, "budget": None,
    }  # fmt: skip


def offer(row: Mapping[Any, Any], asked: Mapping[Any, Any]) -> None:
    """The link, below the notes of a row that asks for it; of a user's own file they say it in words alone."""
    if row["workload"] in workloads.WORKLOADS and layers_wanted.wanted(row, layers_wanted.asked_for(asked)):
        page = frame.page("run")
        asks = address(str(row["workload"]), str(row["dataset"]))
        st.page_link(page, label="Plan a study with Mixed INT8", icon=page.icon, query_params=asks)


def worst(heats: Iterable[Heat]) -> Row | None:
    """Of the newest row of each variant that asks for it, the one that lost most; `heats` are the newest first.

    What was tried on a workload's data in any of them, in vain too, was tried there.
    """
    heats = list(heats)
    newest: dict[tuple[str, str, str], Row] = {}
    tried: dict[tuple[str, str], set[str]] = {}
    for heat in heats:
        place = heat.workload, heat.dataset
        tried.setdefault(place, set()).update(heat.rows, heat.failed)
        for variant, row in heat.rows.items():
            newest.setdefault((*place, variant), row)
    found = [row for (*place, _), row in newest.items() if layers_wanted.wanted(row, tried[place[0], place[1]])]
    return min(found, key=lambda row: float(row["accuracy_delta_pp"] or 0.0), default=None)
