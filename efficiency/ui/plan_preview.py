"""What the plan comes to: rows, time, what will run and what not; and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from efficiency import estimate
from efficiency.analysis import plans, wording
from efficiency.analysis.wording import markdown_text
from efficiency.check import problems
from efficiency.engine import jobs, prepared_plan
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Entry, Study, expand
from efficiency.ui import plan


def show(store: Store, study: Study | None) -> None:
    """The preview; the button is off while something is in the way."""
    machine = this_machine()
    found = [] if study is None else problems(study, machine)
    ready = study is not None and not found
    kept: Collection[Entry] = ()
    with st.container(border=True):
        rows, time, action = st.columns([1, 1, 1], vertical_alignment="center")
        if study is not None and not found:
            entries = expand(study, machine)
            kept = prepared_plan.kept(study, entries, machine)
            rows.metric("Rows to measure", plans.to_measure(entries))
            planned_s, most_s = estimate.seconds(study, machine), estimate.most_seconds(study, machine)
            time.metric(
                "Expected time",
                wording.duration(planned_s),
                help=f"Up to {wording.duration(most_s)} where intervals stay wider than asked: "
                "timing goes on until each is narrow, as far as this allows."
                if most_s > planned_s
                else None,
            )
        pressed = action.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not ready,
            key="start-study",
            width="stretch",
            help=None if ready else "Something is in the way; see the sentences here.",
        )
        if kept:
            st.caption(f"Earlier studies have prepared {len(kept)} of these rows, which take their timing alone.")
        for problem in found:
            st.warning(markdown_text(wording.without_options(problem)), icon=":material/report:")
        if study is not None and not found:
            _preview(study)
    if pressed and ready and study is not None:
        study_id = jobs.submit(store, study, command=plan.command(study, machine))
        st.query_params["study"] = study_id
        st.rerun()


def _preview(study: Study) -> None:
    machine = this_machine()
    entries = expand(study, machine)
    with st.expander("What will run, and what not", icon=":material/grid_on:", expanded=True):
        # Not `st.dataframe`: these are short, and their cells wrap, so that a narrow screen shows all of them.
        st.table(plans.matrix(entries), hide_index=True, border="horizontal")
        left_out = plans.reasons(entries)
        if len(left_out):
            with st.container(key="left-out"):
                st.table(left_out, hide_index=True, border="horizontal")
    with st.expander("The same from a terminal", icon=":material/terminal:"):
        st.code(plan.command(study, machine), language="bash", wrap_lines=True)
