"""The first thing on the first screen: what this is, and one button that measures this machine."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from efficiency import estimate
from efficiency.analysis import wording
from efficiency.engine import jobs
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.study import plan_preset
from efficiency.ui import frame, plan


def show() -> DeltaGenerator:
    """The question and what answers it; returns the place of the button, which needs the store."""
    with st.container(key="hero", border=True, height="stretch"):
        st.markdown("## Which optimizations pay off for your model, on your machine?")
        st.markdown(
            "Quantization, mixed precision, runtimes, memory layout and inference mode, each measured against the same "
            "FP32 baseline: what it gives in speed, size and memory, and what it costs in accuracy."
        )
        return st.container(horizontal=True, vertical_alignment="center", key="hero-action")


def measure(place: DeltaGenerator, store: Store, machine: Machine) -> None:
    """The button that measures this machine and how long that takes, or what is being measured already."""
    study = plan_preset("quick", machine)
    with place:
        live = jobs.live(store)
        pressed = st.button(
            "Measure this machine",
            type="primary",
            icon=":material/speed:",
            key="measure-this-machine",
            disabled=bool(live),
        )
        if live:
            st.page_link(
                frame.page("run"),
                label=f"{len(live)} running or waiting",
                icon=":material/sync:",
                query_params={"study": live[0].study_id},
            )
            st.caption("A study is being measured or waits already; the page Run queues what you plan there.")
        else:
            takes = wording.duration(estimate.seconds(study, machine))
            st.caption(f"{len(study.workloads)} models, about {takes}", width="content")
    if pressed:
        study_id = jobs.submit(store, study, command=plan.command(study, machine))
        st.switch_page(frame.page("run"), query_params={"study": study_id})


def nothing_yet() -> None:
    """Where results would be, before there are any."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("#### Nothing measured yet")
        st.markdown("Measure this machine, plan a study of your own, or import one.")
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.page_link(frame.page("overview"), label="Measure this machine", icon=":material/speed:")
            st.page_link(frame.page("run"), label="Plan a study", icon=":material/play_circle:")
            st.page_link(frame.page("studies"), label="Import a study", icon=":material/upload:")
