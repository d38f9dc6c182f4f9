"""A row's variant to take home: the recipe to copy, and a zip with all that it reads."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import streamlit as st

from efficiency import recipes
from efficiency.analysis.wording import markdown_text
from efficiency.errors import EfficiencyError
from efficiency.recipes import bundle
from efficiency.recipes.stored import Wanted
from efficiency.results.store import StudyRecord
from efficiency.ui import data, made_zip

SAYS = {
    "inference": "A complete script that rebuilds this variant from the trained FP32 weights, without this app.",
    "training": "A complete script that trains with this variant for as many steps as the study did, without this app.",
}


def show(row: pd.Series[Any], study: StudyRecord, of: str = "") -> None:
    """An expander with the recipe of the row; of a row that does not apply, nothing: its reason is shown.

    `of` goes on in its title: ` of ...`.
    """
    if row["status"] == "not-applicable":
        return
    with st.expander(f"Copy this: the recipe{of}", icon=":material/content_copy:"):
        try:
            wanted = recipes.wanted(row.to_dict(), study)
            script = wanted.script
        except EfficiencyError as error:
            st.info(markdown_text(error), icon=":material/info:")
            return
        st.markdown(SAYS[wanted.condition.phase])
        name = f"{row['workload']}-{row['variant']}"
        with st.container(horizontal=True):
            st.download_button(
                "Script", script, data.file_name(name, "py"), "text/x-python", on_click="ignore", icon=":material/code:"
            )
            made_zip.offer(
                "bundle",
                (str(row["study_id"]), int(row["row_id"])),
                "Script and rows" if wanted.condition.phase == "training" else "Script, weights and rows",
                lambda: _made(wanted),
                data.file_name(name, "zip"),
                icon=":material/folder_zip:",
                help="Makes a zip, in seconds.",
            )
        st.code(script, height=420)


def _made(wanted: Wanted) -> bytes:
    content = io.BytesIO()
    bundle.make(wanted, content)
    return content.getvalue()
