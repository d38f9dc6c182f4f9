"""A study planned by a link: the address fills the form of the page Run, which is looked at before it is started."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from efficiency import techniques, workloads
from efficiency.analysis import wording
from efficiency.analysis.wording import markdown_text
from efficiency.effort import PRECISION_PCT
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.machine import this_machine
from efficiency.study import Preset
from efficiency.tolerance import TOLERANCE_PP
from efficiency.ui import plan
from efficiency.ui.plan_form import FORM

WORKLOAD, DATASET, VARIANTS, BATCH, THREADS = "plan", "dataset", "variants", "batch", "threads"
PRESET: Preset = "article"
"""All test rows, and training rows enough to choose layers by."""
LEFT_OUT = "plan-left-out"
"""In a visit's state: what the address asked for and the form does not know, until it is said."""


def address(
    workload: str, dataset: str, variants: Iterable[str], batch_size: int = 1, threads: int = 1
) -> dict[str, str]:
    """What the page Run is asked, so that it plans these variants, by their keys, of a workload."""
    shape = {BATCH: str(batch_size), THREADS: str(threads)}
    return {WORKLOAD: workload, DATASET: dataset, VARIANTS: ",".join(variants)} | shape


def fill() -> None:
    """Fills the form where the address asks for it, and takes that out of the address, so that what is changed in the
    form afterwards stands."""
    if WORKLOAD not in st.query_params:
        if left_out := st.session_state.pop(LEFT_OUT, []):
            st.caption(
                f"Not planned, since it is not there or not possible here: {markdown_text(wording.listed(left_out))}."
            )
        return
    asked = {name: st.query_params.pop(name, "") for name in (WORKLOAD, DATASET, VARIANTS, BATCH, THREADS)}
    # A user's own file is code, which no address may have run.
    if asked[WORKLOAD] in workloads.WORKLOADS:
        values, left_out = _values(asked)
        st.session_state.update({f"{FORM.prefix}-{name}": value for name, value in values.items()})
        st.session_state[LEFT_OUT] = left_out
        st.rerun()
    st.caption(
        f"The address asks for a plan of “{markdown_text(asked[WORKLOAD][:80])}”, which cannot be planned by a link."
    )


def _values(asked: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """By widget, and what of it is not known here and left out."""
    keys = list(filter(None, asked[VARIANTS].split(",")))
    variants = [key for key in keys if all(part in techniques.TECHNIQUES for part in key.split("+"))]
    known = [one.key for one in workloads.WORKLOADS[asked[WORKLOAD]].datasets]
    threads = asked[THREADS] if asked[THREADS] in map(str, range(1, this_machine().threads + 1)) else "1"
    given = asked[BATCH].lstrip("0")
    batch = given if given.isdecimal() and len(given) <= plan.LONGEST_BATCH else "1"
    left_out = [f"“{key[:40]}”" for key in keys if key not in variants]
    left_out += [f"data set “{asked[DATASET][:40]}”"] if asked[DATASET] not in ("", *known) else []
    left_out += [f"batch size “{asked[BATCH][:40]}”"] if asked[BATCH] and given != batch else []
    left_out += [f"“{asked[THREADS][:40]}” threads"] if asked[THREADS] not in ("", threads) else []
    values = {f"technique-{one.key}": one.key in variants for one in FORM.techniques} | {
        "preset": PRESET, "workloads": [asked[WORKLOAD]], "combinations": [key for key in variants if "+" in key],
        "batch-sizes": [batch], "threads": [int(threads)],
        "datasets": [asked[DATASET]] if asked[DATASET] in known[1:] else [], "device": "cpu", "own-file": "",
        "length": None, "padding": 0, "budget": None, "p99": False, "name": "",
        "tolerance": TOLERANCE_PP, "equivalence": EQUIVALENCE_PCT, "precision": PRECISION_PCT,
    }  # fmt: skip
    return values, left_out
