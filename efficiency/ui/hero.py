"""The first thing on the first screen: what this is, the machine at hand, one button."""

from __future__ import annotations

import streamlit as st

from efficiency import estimate
from efficiency.analysis import wording
from efficiency.analysis.wording import markdown_text
from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import plan_preset
from efficiency.ui import frame, plan


def show(store: Store) -> None:
    """One sentence, the machine, and the button that measures it."""
    machine = this_machine()
    study = plan_preset("quick", machine)
    with st.container(key="hero", border=True):
        text, action = st.columns([3, 1], vertical_alignment="center", gap="large")
        with text:
            st.markdown("## Which optimizations pay off for your model, on your machine?")
            st.markdown(
                "Quantization, mixed precision, memory layout and inference mode, each measured against the same "
                "FP32 baseline: what it gives in speed, size and memory, and what it costs in accuracy."
            )
            st.caption(
                f":material/memory: This machine: {markdown_text(machine.label)} · "
                f"{wording.number(machine.memory_mb / 1000)} GB memory · torch {machine.torch_version}"
            )
        with action:
            live = jobs.live(store)
            pressed = st.button(
                "Measure this machine",
                type="primary",
                icon=":material/speed:",
                width="stretch",
                key="measure-this-machine",
                disabled=bool(live),
                help="Something is being measured already; the page Run queues what you plan there." if live else None,
            )
            if live:
                with st.container(horizontal_alignment="center"):
                    st.page_link(
                        frame.page("run"),
                        label=f"{len(live)} running or waiting",
                        icon=":material/sync:",
                        query_params={"study": live[0].study_id},
                    )
            else:
                st.caption(
                    f"{len(study.workloads)} models, about {wording.duration(estimate.seconds(study, machine))}",
                    text_alignment="center",
                )
    if pressed:
        study_id = jobs.submit(store, study, command=plan.command(study, machine))
        st.switch_page(frame.page("run"), query_params={"study": study_id})


def nothing_yet() -> None:
    """Where a chart would be, before there is anything to draw."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("#### Nothing measured yet")
        st.markdown("Measure this machine with the button above, plan a study of your own, or import one.")
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.page_link(frame.page("run"), label="Plan a study", icon=":material/play_circle:")
            st.page_link(frame.page("studies"), label="Import a study", icon=":material/upload:")
