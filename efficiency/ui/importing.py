"""Import of a study that was exported as JSON, here or elsewhere."""

from __future__ import annotations

import streamlit as st

from efficiency.analysis.wording import markdown_text
from efficiency.errors import EfficiencyError
from efficiency.results import documents
from efficiency.results.store import Store


def show(store: Store) -> None:
    """An uploader; the file is read once, when it arrives."""
    number = st.session_state.setdefault("imports", 0)
    with st.expander("Import a study", icon=":material/upload:"):
        st.file_uploader(
            "A .json or .json.gz file that was exported here or on another machine",
            type=["json", "gz"],
            key=f"import-{number}",
            on_change=_import,
            args=(store, f"import-{number}"),
        )
    if message := st.session_state.pop("import-error", None):
        st.error(message, icon=":material/error:")
    if message := st.session_state.pop("imported", None):
        st.success(message, icon=":material/check_circle:")


def _import(store: Store, key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    try:
        id = documents.from_json(store, documents.read_file(file.getvalue()))
        st.session_state["imported"] = f"Imported **{markdown_text(store.study(id).name or id)}**."
    except EfficiencyError as error:
        st.session_state["import-error"] = f"{markdown_text(file.name)}: {markdown_text(error)}"
    # A new key empties the uploader, so that the same file is not read again.
    st.session_state["imports"] += 1
