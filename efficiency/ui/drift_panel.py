"""The parts of the page Drift."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import drift_chart, workloads
from efficiency.analysis import drift
from efficiency.analysis.wording import markdown_text
from efficiency.drift import shifts
from efficiency.engine import drift_job, jobs
from efficiency.results import drifts
from efficiency.results.store import Store
from efficiency.ui import frame

EVERY_S = 2.0


def chosen() -> str:
    """The key of the workload that is looked at; it stays in the address."""
    st.markdown("## Will it still hold when my data shift?")
    st.markdown(
        "INT8 with calibrated ranges fits the data that it was calibrated on. Here the test rows are shifted in five "
        "grades, and every variant answers the same rows, so that what INT8 loses *beyond what FP32 loses* can be told."
    )
    keys = [key for key, workload in workloads.WORKLOADS.items() if drift_job.why_not(workload) is None]
    return str(
        st.segmented_control(
            "Workload",
            keys,
            default=keys[0],
            required=True,
            format_func=lambda key: workloads.WORKLOADS[key].label,
            key="drift-workload",
            bind="query-params",
        )
    )


def control(store: Store, workload: str) -> None:
    """The button that measures, in a process of its own."""
    measuring = drift_job.JOB.running()
    st.fragment(_control, run_every=EVERY_S if measuring else None)(store, workload, measuring)


def _control(store: Store, workload: str, measuring: bool) -> None:
    with frame.sentences():
        if drift_job.JOB.running() != measuring:
            st.rerun(scope="app")
        if measuring:
            st.info(
                "Measuring drift. It takes some minutes; you may leave this page.", icon=":material/hourglass_empty:"
            )
            return
        if drift_job.JOB.ended():
            st.warning(markdown_text(drift_job.JOB.last_words()), icon=":material/warning:")
        busy = bool(jobs.live(store))
        known = bool(drifts.latest(store, workload))
        if st.button(
            "Measure again" if known else f"Measure drift of {workloads.WORKLOADS[workload].label}",
            icon=":material/trending_down:",
            type="secondary" if known else "primary",
            key="measure-drift",
            disabled=busy,
            help="A study is being measured now, which this would disturb." if busy else "Takes some minutes.",
        ):
            drift_job.JOB.start(["drift", workload])
            st.rerun(scope="app")


def found(store: Store, workload: str) -> None:
    """What was measured last, a shift at a time."""
    records = drifts.latest(store, workload)
    if not records:
        st.info("Not measured on this machine yet.", icon=":material/info:")
        return
    record = records[0]
    lines = drift.table(record)
    keys = list(record.asked["shifts"])
    chosen_key = st.segmented_control(
        "Shift",
        keys,
        default=keys[0],
        required=True,
        format_func=lambda key: shifts.get(key).label,
        key="drift-shift",
        bind="query-params",
    )
    shift = shifts.get(str(chosen_key))
    st.caption(f"{shift.summary} Grades 1 to 5: {', '.join(f'{amount:g}' for amount in shift.amounts)}.")
    own = lines[lines["shift"] == shift.key]
    for sentence in drift.said(own, shift.label):
        st.markdown(markdown_text(sentence))
    anew = st.toggle(
        "Calibrate anew on unlabelled rows of the shifted data",
        key="drift-anew",
        help="Its ranges taken from shifted rows, without their labels: before is solid, after is dotted.",
    )
    st.plotly_chart(
        drift_chart.accuracy(own, anew),
        key="drift-accuracy",
        config={"displayModeBar": False},
        alt=drift_chart.described(own),
    )
    if own["clipped_pct"].notna().any():
        st.markdown("##### Does the calibration still fit?")
        st.caption(
            "How much of the worst layer's signal is lost because values beyond its calibrated range are cut "
            "off. It needs no labels, so a service can watch it: above the dashed line, calibration no longer fits."
        )
        st.plotly_chart(
            drift_chart.clipping(own),
            key="drift-clipping",
            config={"displayModeBar": False},
            alt="Noise that clipping at the calibrated range adds, by grade",
        )
    _rest(record, own)


def _rest(record: drifts.DriftRecord, own: pd.DataFrame) -> None:
    for variant, reason in drift.reasons(record).items():
        st.caption(markdown_text(f"{variant}: {reason}"))
    with st.expander("All numbers", icon=":material/table_rows:"):
        st.dataframe(own.drop(columns="shift"), hide_index=True, alt="Accuracy by variant and grade")
    when = record.recorded_at.replace("T", " ").removesuffix("+00:00")
    st.caption(
        markdown_text(
            f"{record.asked['test_rows']:,} test rows of {record.dataset}; measured {when} UTC on "
            f"{record.machine.get('label', '?')}, torch {record.torch_version}."
        )
    )
