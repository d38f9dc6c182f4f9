"""Recalibrating, on the page Drift: its button, and accuracy, clipping and alarm before and after."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency.analysis import drift_words
from efficiency.analysis.wording import markdown_text
from efficiency.results.drifts import DriftRecord

PARAMETER = "drift-recalibrated"
"""In the address where it is asked for."""


def offer(record: DriftRecord, own: pd.DataFrame) -> bool:
    """The button, where a variant of this shift can be recalibrated; whether it was pressed."""
    if own["recalibrated_pct"].isna().all():
        return False
    pressed = PARAMETER in st.query_params
    st.button(
        "Back to the first calibration" if pressed else "Recalibrate on unlabelled drifted rows",
        icon=":material/undo:" if pressed else ":material/tune:",
        type="secondary" if pressed else "primary",
        key="drift-recalibrate",
        on_click=_put_back if pressed else _recalibrate,
    )
    rows = record.asked.get("calibration_rows")
    st.caption(
        f"Fixes the ranges anew on {f'{rows:,} ' if rows else ''}calibration rows, shifted as the test rows are; "
        "calibrating looks at no label. It was worked out with the measurement, for every grade, so the button has its "
        "result at once."
    )
    return pressed


def _recalibrate() -> None:
    st.query_params[PARAMETER] = "yes"


def _put_back() -> None:
    st.query_params.pop(PARAMETER, None)


def show(own: pd.DataFrame, shift: str) -> None:
    """Before and after: a sentence a variant, and every grade in a table. Charts have it dotted."""
    for sentence in drift_words.anew(own, shift):
        st.markdown(markdown_text(sentence))
    table = drift_words.before_and_after(own)
    st.dataframe(table, hide_index=True, alt="Accuracy, clipping and alarm before and after recalibrating")
    st.caption("In the charts below, solid is before and dotted is after recalibrating.")
