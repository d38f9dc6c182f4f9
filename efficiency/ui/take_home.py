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
from efficiency.ui import data

MADE = "bundle"
"""The session's last bundle, by its row: `(row_id, bytes)`. One, since it may hold a hundred megabytes."""


def show(row: pd.Series[Any], study: StudyRecord) -> None:
    """An expander with the recipe of the row; of a row that does not apply, nothing: its reason is shown."""
    if row["status"] == "not-applicable":
        return
    with st.expander("Copy this: the recipe", icon=":material/content_copy:"):
        try:
            wanted = recipes.wanted(row.to_dict(), study)
            script = wanted.script
        except EfficiencyError as error:
            st.info(markdown_text(error), icon=":material/info:")
            return
        st.markdown("A complete script that rebuilds this variant from the trained FP32 weights, without this app.")
        name = f"{row['workload']}-{row['variant']}"
        with st.container(horizontal=True):
            st.download_button(
                "Script", script, data.file_name(name, "py"), "text/x-python", on_click="ignore", icon=":material/code:"
            )
            _bundle(int(row["row_id"]), wanted, data.file_name(name, "zip"))
        st.code(script, height=420)


def _bundle(row_id: int, wanted: Wanted, file_name: str) -> None:
    """A button that makes the zip, and then, in its place, the one that downloads it."""
    label = "Script, weights and rows"
    place = st.empty()
    made = st.session_state.get(MADE)
    if made is None or made[0] != row_id:
        if not place.button(label, icon=":material/folder_zip:", help="Makes a zip, in seconds.", key="make-bundle"):
            return
        content = io.BytesIO()
        try:
            with st.spinner("Making the zip"):
                bundle.make(wanted, content)
        except EfficiencyError as error:
            st.error(markdown_text(error), icon=":material/error:")
            return
        made = st.session_state[MADE] = (row_id, content.getvalue())
    place.download_button(
        f"{label}, {len(made[1]) / 1e6:.1f} MB",
        made[1],
        file_name,
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
    )
