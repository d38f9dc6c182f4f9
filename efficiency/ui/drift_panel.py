"""Choosing on the page Drift: the workload, its data set, and the button that measures it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from efficiency import workloads
from efficiency.analysis import views, wording
from efficiency.analysis.wording import markdown_text
from efficiency.engine import drift_job, jobs, turn
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.drifts import DriftRecord
from efficiency.results.store import Store
from efficiency.ui import asked, frame

EVERY_S = 2.0


def chosen(store: Store) -> str:
    """The key of the workload that is looked at; it stays in the address."""
    st.markdown("## Will it still hold when my data shift?")
    st.markdown(
        "INT8 with calibrated ranges fits the data that it was calibrated on. Here the test rows are shifted in five "
        "grades, and every variant answers the same rows, so that what INT8 loses *beyond what FP32 loses* can be told."
    )
    return choose("Workload", _labels(store), "drift-workload")


def _labels(store: Store) -> dict[str, str]:
    """The built-in workloads whose data can be shifted, and all that were measured, a user's own files among them."""
    labels = {key: one.label for key, one in workloads.WORKLOADS.items() if drift_job.why_not(one) is None}
    for key in sorted({record.workload for record in drifts.known(store)} - set(labels)):
        label = markdown_text(views.workload_label(key))
        labels[key] = markdown_text(key) if label in labels.values() else label
    return labels


def choose(title: str, labels: Mapping[str, str], name: str, first: str | None = None) -> str:
    """One of these keys; unless the address names another, `first` or the first there is.

    Streamlit's own binding to the address takes labels alone.
    """
    asked.say_unlisted(f"the {title.lower()}", name, labels)
    wanted = st.query_params.get(name)
    if wanted not in labels:  # as a widget that is bound does, so that it is said once
        st.query_params.pop(name, None)
    st.session_state[name] = wanted if wanted in labels else first or next(iter(labels))
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
    declared = workloads.WORKLOADS.get(workload)
    labels = {} if declared is None else {dataset.key: dataset.label for dataset in declared.datasets}
    return known[choose("Data set", {key: labels.get(key, markdown_text(key)) for key in known}, "dataset")]


def _by_dataset(store: Store, workload: str) -> dict[str, DriftRecord]:
    """The newest of each data set, of this machine where it has one; first the set that claims are judged by."""
    anywhere, here = drifts.known(store, workload), drifts.known(store, workload, this_machine().key)
    found = {record.dataset: record for record in (*reversed(anywhere), *reversed(here))}
    declared = workloads.WORKLOADS.get(workload)
    usual = None if declared is None else declared.dataset(None).key
    return {key: found[key] for key in sorted(found, key=lambda key: key != usual)}


def is_here(record: DriftRecord) -> bool:
    return bool(record.machine.get("key") == this_machine().key)


def control(store: Store, workload: str, shown: DriftRecord | None) -> None:
    """The button that measures, in a process of its own, on the data set that is shown."""
    measuring = drift_job.JOB.running()
    others = turn.at_work()
    st.fragment(_control, run_every=EVERY_S if measuring or others or jobs.live(store) else None)(
        store, workload, shown, measuring, others
    )


def _control(store: Store, workload: str, shown: DriftRecord | None, measuring: bool, others: str | None) -> None:
    """`others`: what has the machine's turn, as `turn.at_work` tells it; this job itself, too."""
    with frame.sentences():
        if drift_job.JOB.running() != measuring or turn.at_work() != others:
            st.rerun(scope="app")
        if measuring:
            st.info(
                "Measuring drift. It takes some minutes; you may leave this page.", icon=":material/hourglass_empty:"
            )
            return
        if drift_job.JOB.ended() and workload in drift_job.JOB.arguments:
            st.warning(markdown_text(drift_job.JOB.last_words()), icon=":material/warning:")
        busy = "a study" if jobs.live(store) else wording.at_work(others) if others else ""
        known = shown is not None and is_here(shown)
        if st.button(
            "Measure again" if known else f"Measure drift of {markdown_text(views.workload_label(workload))}",
            icon=":material/trending_down:",
            type="secondary" if known else "primary",
            key="measure-drift",
            disabled=bool(busy),
            help=None if busy else "Takes some minutes.",
        ):
            drift_job.JOB.start(["drift", workload, *(["--dataset", shown.dataset] if shown else [])])
            st.rerun(scope="app")
        if busy:
            st.caption(
                f"Not now: {markdown_text(busy)} is being measured or waits for its turn, and would be disturbed."
            )
