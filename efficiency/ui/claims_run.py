"""What claims miss: how long measuring it takes, and the button that has it measured."""

from __future__ import annotations

import streamlit as st

from efficiency.analysis import plans, views
from efficiency.claims import Judged, plan
from efficiency.engine import jobs
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.study import expand
from efficiency.ui import frame

COMMAND = "python -m efficiency claims --run"
"""What asks for the same studies; kept with them."""


def show(store: Store, found: list[Judged], machine: Machine) -> None:
    """Nothing where nothing is missing."""
    asked = plan.studies(plan.missing(found), machine)
    _drift(plan.drifts(found), beside_button=bool(asked))
    if not asked:
        if any(one.needs_ceiling for one in found):
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown("What this machine can do at most is missing; it takes some seconds.", width="stretch")
                st.page_link(frame.page("machine"), label="Measure it on the page Machine", icon=":material/speed:")
        return
    rows = sum(plans.to_measure(expand(study, machine)) for study in asked)
    time = plan.time(asked, machine)
    busy = bool(jobs.live(store))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            several = f"{len(asked)} studies" if len(asked) > 1 else "a study"
            st.markdown(
                f"What is missing to judge all that can be judged here: **{rows} rows** in {several}, "
                f"about **{time}**: timing goes on until intervals are narrow.",
                width="stretch",
            )
            pressed = st.button(
                "Measure what is missing",
                type="primary",
                icon=":material/play_arrow:",
                key="measure-claims",
                disabled=busy,
            )
        if busy:
            st.caption("Not now: a study is being measured or waits for its turn; what it finds counts here, too.")
    if pressed:
        ids = [jobs.submit(store, study, command=COMMAND) for study in asked]
        st.switch_page(frame.page("run"), query_params={"study": ids[0]})


def _drift(missing: list[str], beside_button: bool) -> None:
    """Drift is measured on a page of its own, a workload at a time; the button for studies does not do it."""
    if not missing:
        return
    labels = {workload: views.workload_label(workload) for workload in missing}
    text = f"To judge claims on data that drift, drift of {' and '.join(labels.values())} is missing."
    if beside_button:
        text += " The button below does not measure it: it takes some minutes each on the page Drift."
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(text, width="stretch")
        for workload, label in labels.items():
            st.page_link(
                frame.page("drift"),
                label=f"Measure drift of {label}",
                icon=":material/trending_down:",
                query_params={"drift-workload": workload},
            )
