"""Filters over the rows; each is in the address, so that a view can be shared."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency.analysis import views
from efficiency.study import BASELINE, CONTROL
from efficiency.ui import asked


def choose(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are left; the widgets stand side by side, or below each other where it is narrow."""
    techniques = {
        part
        for variant in rows["variant"].unique()
        if variant not in (BASELINE, CONTROL)
        for part in views.variant_label(variant).split(" + ")
    }
    options = {
        "workload": ("Workload", list(rows["workload_label"].unique())),
        "technique": ("Technique", sorted(techniques)),
        "condition": ("Condition", list(rows["condition"].unique())),
        "status": ("Status", list(rows["state"].unique())),
    }
    for key, (label, values) in options.items():
        asked.say_unlisted(f"the {label.lower()}", key, values)
    chosen: dict[str, list[str]] = {}
    for column, (key, (label, values)) in zip(st.columns(len(options)), options.items(), strict=True):
        chosen[key] = column.multiselect(label, values, key=key, bind="query-params", placeholder="All", wrap=True)
    shown = views.filtered(rows, **chosen)
    if shown.empty:
        st.info("No row matches these filters; clear one of them.", icon=":material/filter_alt_off:")
    return shown
