"""The drawer's answer to "Why is it not faster?"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import views, why
from efficiency.analysis.case import Case
from efficiency.analysis.wording import markdown_text
from efficiency.equivalence import equivalence_pct_of
from efficiency.results.store import Store, StudyRecord


def show(store: Store, rows: pd.DataFrame, row: pd.Series[Any], details: Mapping[str, Any], study: StudyRecord) -> None:
    """A heading and a list, for a row that was timed and is not faster; nothing for others."""
    if not why.asked_of(row.to_dict()):
        return
    beside = views.records(views.beside(rows, row))
    baseline = views.baseline_of(rows, row)
    reference = {} if baseline is None else store.details(int(baseline["row_id"]))
    told = why.reasons(Case(row.to_dict(), details, study.machine, beside, reference, equivalence_pct_of(study.asked)))
    if told:
        st.markdown("##### Why is it not faster?")
        st.markdown("\n".join(f"- {markdown_text(reason)}" for reason in told))
