"""What leads on the page Decide, or may do, is timed again at a click."""

from __future__ import annotations

import streamlit as st

from efficiency import confirm, decisions
from efficiency.analysis import limits, timing_again
from efficiency.analysis.choice import Choice
from efficiency.analysis.wording import markdown_text
from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.ui import asked, data, frame

EVERY_S = 2.0
ENDED = {"failed": "failed", "cancelled": "was cancelled", "interrupted": "was interrupted"}
"""Confirmations that came to nothing."""


def offer(store: Store, id: str, found: Choice) -> None:
    """The button that times again what leads, or may do; or why there is none."""
    row = timing_again.lead(found)
    if row is None:
        return
    again = map(store.study, decisions.confirmations(data.studies(store), id)["id"])
    last = next((one for one in again if confirm.is_of(one, row)), None)
    if last is not None and last.status in ("queued", "running"):
        st.fragment(_watch, run_every=EVERY_S)(store, last.id)
        return
    record, here = store.study(id), this_machine()
    if reason := confirm.why_not(record, here):
        st.caption(markdown_text(reason), width="content")
        return
    if last is not None and last.status in ENDED:
        said = f"The last try {ENDED[last.status]}. {last.message}"
        st.caption(markdown_text(said.strip()), width="content")
    if st.button(
        "Confirm in fresh processes",
        icon=":material/replay:",
        key="decide-confirm",
        help=("The fastest of many is partly so by luck. " if found.winner else "That may settle its latency. ")
        + "This times it again, with what comes near it, beside the baseline and a control, as a small study of its "
        "own; the interval then rests on that alone.",
    ):
        plan = confirm.plan(record, row, timing_again.variants(found), here, p99=limits.of_p99(found.limits))
        jobs.submit(store, plan, command=confirm.command(id, row, found.limits))
        st.rerun(scope="app")


def _watch(store: Store, confirmation: str) -> None:
    """Says that it is being timed again, or waits for that, and draws the page anew when that is over."""
    told = next((one for one in jobs.live(store) if one.study_id == confirmation), None)
    if told is None:
        st.rerun(scope="app")
    st.page_link(
        frame.page("run"),
        label="It waits for its turn to be timed again"
        if told.state == "queued"
        else "It is being timed again; see how far it is",
        icon=":material/hourglass_top:",
        query_params={asked.PARAMETER: confirmation},
    )
