"""A study of which layers cost the accuracy, planned by a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from efficiency import workloads
from efficiency.analysis import layers_wanted
from efficiency.analysis.layers_wanted import MIXED, STATIC
from efficiency.claims.here import Heat, Row
from efficiency.ui import frame, plan_link


def address(workload: str, dataset: str) -> dict[str, str]:
    """What the page Run is asked, so that it plans static INT8 and mixed INT8 of a workload, a row a call."""
    return plan_link.address(workload, dataset, (STATIC, MIXED))


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
