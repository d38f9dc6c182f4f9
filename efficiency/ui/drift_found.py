"""What was found, on the page Drift, a shift at a time: sentences, accuracy, clipping, layers."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import drift_chart
from efficiency.analysis import drift, drift_alarm, drift_words, machine_words, views
from efficiency.analysis.wording import markdown_text
from efficiency.drift import shifts
from efficiency.machine import this_machine
from efficiency.results.drifts import DriftRecord
from efficiency.ui import drift_panel, drift_recalibrated

STILL = {"displayModeBar": False}


def show(record: DriftRecord | None) -> None:
    """The measurement that is looked at; or that there is none."""
    if record is None:
        st.info("Not measured on this machine yet.", icon=":material/info:")
        return
    if not drift_panel.is_here(record):
        st.info(markdown_text(_elsewhere(record)), icon=":material/info:")
    if notice := drift_words.notice(record):
        st.info(markdown_text(notice), icon=":material/info:")
    lines = drift.table(record)
    labels = {key: shifts.get(key).label for key in record.asked["shifts"]}
    worst = drift_words.worst_of_all(lines)
    overall = drift_words.overall(lines, worst, "" if worst is None else labels[worst["shift"]])
    st.markdown(f"**{markdown_text(overall)}**")
    first = None if worst is None else str(worst["shift"])
    shift = shifts.get(drift_panel.choose("Shift", labels, "drift-shift", first))
    st.caption(f"{shift.summary} Grades 1 to 5: {', '.join(f'{amount:g}' for amount in shift.amounts)}.")
    own = lines[lines["shift"] == shift.key]
    told = drift_words.said(own, shift.label)
    for sentence in told:
        st.markdown(markdown_text(sentence))
    if told:
        st.caption(markdown_text(f"{drift_words.INTERVALS} {drift_words.IN_THE_CHART}"))
    anew = drift_recalibrated.offer(record, own)
    if anew:
        drift_recalibrated.show(own, shift.label)
    st.plotly_chart(drift_chart.accuracy(own, anew), key="drift-accuracy", config=STILL, alt=drift_chart.described(own))
    if own["clipped_pct"].notna().any():
        _calibration(record, own, shift.key, anew)
    _rest(record, own)


def _calibration(record: DriftRecord, own: pd.DataFrame, shift: str, anew: bool) -> None:
    st.markdown("##### Does the calibration still fit?")
    against = "at grade 0" if drift_alarm.older(record) else "on the rows that the range was calibrated on"
    st.caption(
        "How much of the worst layer's signal is lost because values beyond its calibrated range are cut "
        f"off, beyond what is lost {against}. It needs no labels, so a service can watch it: above the dashed line, "
        "the calibration does not fit."
    )
    st.plotly_chart(
        drift_chart.clipping(own, anew),
        key="drift-clipping",
        config=STILL,
        alt="Noise that clipping at the calibrated range adds, by grade",
    )
    st.markdown("##### Which layers left their range?")
    grades = {str(grade): str(grade) for grade in sorted(own["grade"].unique())}
    first = str(own.sort_values("clipped_pct", kind="stable", na_position="first")["grade"].iloc[-1])
    grade = int(drift_panel.choose("Grade", grades, "drift-grade", first))
    st.caption(
        f"Those that left it furthest at grade {grade}: how wide the range would have to be to hold every value, as a "
        "multiple of the calibrated one, the dashed line; and after it how much noise cutting off there adds, in % of "
        "the signal's variance. Few values far out cost little."
    )
    st.plotly_chart(
        drift_chart.layers(drift_alarm.layers(record, shift, grade)),
        key="drift-layers",
        config=STILL,
        alt=f"Layers whose activations left their calibrated range furthest at grade {grade}",
    )


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
