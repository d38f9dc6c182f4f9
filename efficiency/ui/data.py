"""The pages' way to the store: opened once a process, frames cached until something is written."""

from __future__ import annotations

import json
import os
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import views
from efficiency.errors import StoreError
from efficiency.results import documents
from efficiency.results.store import Store


@st.cache_resource(show_spinner=False)
def _open(url: str | None, home: str | None) -> Store:
    store = Store.open()
    documents.ensure_example(store)
    return store


def store() -> Store:
    """The store, with the example in it; where it cannot be had, the page ends with a sentence."""
    try:
        return _open(os.environ.get("EFFICIENCY_DB"), os.environ.get("EFFICIENCY_HOME"))
    except StoreError as error:
        st.error(str(error), icon=":material/database_off:")
        st.stop()


# The cached functions take what changes their answer and nothing else: `_store` is not hashed, the version
# is the write count, and `where` tells one database from another.
@st.cache_data(show_spinner=False, max_entries=8)
def _studies(_store: Store, where: str, version: int) -> pd.DataFrame:
    return _store.studies()


@st.cache_data(show_spinner=False, max_entries=8)
def _rows(_store: Store, where: str, version: int, ids: tuple[str, ...]) -> pd.DataFrame:
    studies = _studies(_store, where, version)
    names = dict(zip(studies["id"], studies["name"], strict=True))
    return views.prepared(_store.rows(list(ids)), names)


def _where() -> str:
    return f"{os.environ.get('EFFICIENCY_DB')} {os.environ.get('EFFICIENCY_HOME')}"


def studies(store: Store) -> pd.DataFrame:
    """One line a study, newest first."""
    return _studies(store, _where(), store.version())


def rows(store: Store, ids: list[str]) -> pd.DataFrame:
    """The rows of these studies with what is shown beside them (`views.prepared`)."""
    return _rows(store, _where(), store.version(), tuple(ids))


def json_text(store: Store, id: str) -> str:
    """The study as the text of a JSON file, raw samples included."""
    return json.dumps(documents.to_json(store, id), allow_nan=False)


def file_name(name: Any, ending: str) -> str:
    """A name for a download that any system takes."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in str(name)).strip("-")
    return f"{kept[:60] or 'study'}.{ending}"
