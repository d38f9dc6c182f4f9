"""What the machine can do: as it was measured, and a button that measures it in a process of its own."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import ceiling, ceiling_chart
from efficiency.analysis import machine_words, tables
from efficiency.analysis.wording import markdown_text
from efficiency.ceiling import Ceiling
from efficiency.engine import ceiling_job, jobs
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.ui import frame

EVERY_S = 1.0


def show(store: Store, machine: Machine) -> None:
    """The button, then chart and table where there is something to show."""
    st.markdown("## What it can do")
    st.markdown(
        "The fastest matrix products and the fastest copy of memory that PyTorch reaches here. A study compares every "
        "row with them: the share that a model reaches stands in the row’s details in Explore."
    )
    measuring = ceiling_job.running()
    found = ceiling.known(machine.key)
    st.fragment(_control, run_every=EVERY_S if measuring else None)(store, found, measuring)
    if found is not None:
        _found(found)
        if doubt := machine_words.doubted(found, machine):
            st.warning(doubt, icon=":material/warning:")


def _control(store: Store, found: Ceiling | None, measuring: bool) -> None:
    """Runs again every moment while it is measured; at the end the whole page does, once."""
    with frame.sentences():
        if ceiling_job.running() != measuring:
            st.rerun(scope="app")
        if measuring:
            st.info("Measuring what it can do. It takes some seconds.", icon=":material/hourglass_empty:")
            return
        if failure := ceiling_job.failure():
            st.warning(markdown_text(failure), icon=":material/warning:")
        elif found is None:
            st.info("Not measured on this machine yet.", icon=":material/info:")
        busy = bool(jobs.live(store))
        if st.button(
            "Measure what it can do" if found is None else "Measure again",
            icon=":material/speed:",
            type="primary" if found is None else "secondary",
            key="measure-ceiling",
            disabled=busy,
            help=None if busy else "Takes some seconds.",
        ):
            ceiling_job.start()
            st.rerun(scope="app")
        if busy:
            st.caption("Not now: a study is being measured or waits for its turn, and this would disturb it.")


def _found(found: Ceiling) -> None:
    headings, lines = tables.ceiling(found)
    chart, table = st.columns([3, 2], vertical_alignment="center")
    chart.plotly_chart(
        ceiling_chart.bars(found), key="ceiling", config={"displayModeBar": False}, alt=ceiling_chart.described(found)
    )
    frame_of = pd.DataFrame(lines, columns=["Peak", *headings[1:]])
    table.dataframe(frame_of, hide_index=True, alt="Peak rates")
    table.caption(f"Measured {found.measured_at.replace('T', ' ').removesuffix('+00:00')} UTC; the best of many tries.")
