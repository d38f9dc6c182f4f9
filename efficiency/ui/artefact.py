"""In the drawer: when a row was prepared, what its size is of, and what was prepared as a zip."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from efficiency import artefact
from efficiency.analysis import preparation
from efficiency.analysis.wording import markdown_text
from efficiency.results.store import StudyRecord
from efficiency.study import CONTROL
from efficiency.ui import made_zip


def show(row: pd.Series[Any], study: StudyRecord, kept: dict[str, Any]) -> None:
    """Of a row that was prepared, which the control never is; the zip is made when it is asked for."""
    if row["status"] != "done" or row["variant"] == CONTROL:
        return
    said = preparation.said(kept, row["prepare_s"]), preparation.size_said(kept), preparation.answers_said(kept)
    if any(said):
        st.caption(markdown_text(" ".join(filter(None, said))))
    values = row.to_dict()
    if reason := artefact.why_not(values, study, kept):
        with st.expander("No artefact to download", icon=":material/inventory_2:"):
            st.markdown(markdown_text(reason))
        return
    made_zip.offer(
        "artefact",
        (str(row["study_id"]), int(row["row_id"])),
        "What was prepared",
        lambda: artefact.pack(values, study, kept),
        artefact.file_name(values),
        icon=":material/inventory_2:",
        help="A zip of the artefact as its runtime wrote it; of an eager variant, float weights and its recipe.",
    )
