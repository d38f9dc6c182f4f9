"""The parts of the page Drift."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from efficiency import drift_chart, workloads
from efficiency.analysis import drift, machine_words, views
from efficiency.analysis.wording import markdown_text
from efficiency.drift import shifts
from efficiency.engine import drift_job, jobs
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.drifts import DriftRecord
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
    labels = {key: one.label for key, one in workloads.WORKLOADS.items() if drift_job.why_not(one) is None}
    return _choose("Workload", labels, "drift-workload")


def _choose(title: str, labels: Mapping[str, str], name: str) -> str:
    """One of these keys, the first unless the address names another; Streamlit's own binding takes labels alone."""
    asked = st.query_params.get(name)
    st.session_state[name] = asked if asked in labels else next(iter(labels))
    return str(
        st.segmented_control(
            title,
            list(labels),
            required=True,
            format_func=lambda key: labels[key],
            key=name,
            on_change=lambda: st.query_params.update({name: st.session_state[name]}),
        )
    )


def record(store: Store, workload: str) -> DriftRecord | None:
    """What is shown of the workload; where several data sets were measured, of the one that the address names."""
    known = _by_dataset(store, workload)
    if len(known) < 2:
        return next(iter(known.values()), None)
    labels = {dataset.key: dataset.label for dataset in workloads.WORKLOADS[workload].datasets}
    return known[_choose("Data set", {key: labels.get(key, key) for key in known}, "dataset")]


def _by_dataset(store: Store, workload: str) -> dict[str, DriftRecord]:
    """The newest of each data set, of this machine where it has one; first the set that claims are judged by."""
    anywhere, here = drifts.known(store, workload), drifts.known(store, workload, this_machine().key)
    found = {record.dataset: record for record in (*reversed(anywhere), *reversed(here))}
    usual = workloads.WORKLOADS[workload].dataset(None).key
    return {key: found[key] for key in sorted(found, key=lambda key: key != usual)}


def _is_here(record: DriftRecord) -> bool:
    return bool(record.machine.get("key") == this_machine().key)


def control(store: Store, workload: str, shown: DriftRecord | None) -> None:
    """The button that measures, in a process of its own, on the data set that is shown."""
    measuring = drift_job.JOB.running()
    st.fragment(_control, run_every=EVERY_S if measuring else None)(store, workload, shown, measuring)


def _control(store: Store, workload: str, shown: DriftRecord | None, measuring: bool) -> None:
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
        known = shown is not None and _is_here(shown)
        if st.button(
            "Measure again" if known else f"Measure drift of {workloads.WORKLOADS[workload].label}",
            icon=":material/trending_down:",
            type="secondary" if known else "primary",
            key="measure-drift",
            disabled=busy,
            help=None if busy else "Takes some minutes.",
        ):
            drift_job.JOB.start(["drift", workload, *(["--dataset", shown.dataset] if shown else [])])
            st.rerun(scope="app")
        if busy:
            st.caption("Not now: a study is being measured or waits for its turn, and this would disturb it.")


def found(record: DriftRecord | None) -> None:
    """What was measured last, a shift at a time."""
    if record is None:
        st.info("Not measured on this machine yet.", icon=":material/info:")
        return
    if not _is_here(record):
        st.info(markdown_text(_elsewhere(record)), icon=":material/info:")
    lines = drift.table(record)
    shift = shifts.get(_choose("Shift", {key: shifts.get(key).label for key in record.asked["shifts"]}, "drift-shift"))
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


def _elsewhere(record: DriftRecord) -> str:
    differs = machine_words.elsewhere(record.machine, this_machine()) or "which differs from what is here"
    return f"Measured on {record.machine.get('label') or 'another machine'}, {differs}. The button measures it here."


def _rest(record: DriftRecord, own: pd.DataFrame) -> None:
    for variant, reason in drift.reasons(record).items():
        st.caption(markdown_text(f"{views.variant_label(variant)}: {reason}"))
    with st.expander("All numbers", icon=":material/table_rows:"):
        named = own.assign(variant=own["variant"].map(views.variant_label)).drop(columns="shift")
        st.dataframe(named, hide_index=True, alt="Accuracy by variant and grade")
    when = record.recorded_at.replace("T", " ").removesuffix("+00:00")
    st.caption(
        markdown_text(
            f"{record.asked['test_rows']:,} test rows of {record.dataset}; measured {when} UTC on "
            f"{record.machine.get('label', '?')}, torch {record.torch_version}."
        )
    )
