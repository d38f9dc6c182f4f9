"""The pages' way to the store: opened once a process, frames cached until something is written."""

from __future__ import annotations

import json
import os
from typing import Any

import pandas as pd
import streamlit as st

from efficiency import decisions
from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.decisions import Case
from efficiency.equivalence import equivalence_pct_of
from efficiency.errors import StoreError
from efficiency.results import documents
from efficiency.results.store import Store

Version = tuple[str, int]
"""Which database, and how often it was written: a key for what is made from its rows."""


@st.cache_resource(show_spinner=False)
def _open(url: str | None, home: str | None) -> Store:
    return documents.open_with_example()


def store() -> Store:
    """The store, with the example in it; where it cannot be had, the page ends with a sentence."""
    try:
        return _open(os.environ.get("EFFICIENCY_DB"), os.environ.get("EFFICIENCY_HOME"))
    except StoreError as error:
        st.error(markdown_text(error), icon=":material/database_off:")
        st.stop()


# The cached functions take what changes their answer and nothing else: `_store` is not hashed.
@st.cache_data(show_spinner=False, max_entries=8)
def _studies(_store: Store, version: Version) -> pd.DataFrame:
    return _store.studies()


# Not `cache_data`, which would copy ten thousand rows at every change of a filter: no page changes a frame in place.
@st.cache_resource(show_spinner=False, max_entries=8)
def _rows(_store: Store, version: Version, ids: tuple[str, ...]) -> pd.DataFrame:
    studies = _studies(_store, version)
    shown = studies[studies["id"].isin(ids)]
    names = dict(zip(shown["id"], shown["name"], strict=True))
    if len(set(names.values())) < len(names):  # such as two of a preset on one machine
        names = views.study_labels(shown)
    live = studies["id"][studies["status"].isin(["queued", "running"])]
    return views.prepared(_store.rows(list(ids)), names, list(live))


# Cases hold the samples that were compared: made once for each state of the database.
@st.cache_resource(show_spinner=False, max_entries=8)
def _cases(_store: Store, version: Version, id: str) -> list[Case]:
    again = decisions.confirmations(_studies(_store, version), id)
    done = tuple(again.loc[again["status"] == "done", "id"])
    return decisions.cases(_store, _rows(_store, version, (id,)), _rows(_store, version, done))


def version(store: Store) -> Version:
    """As the database is now."""
    return f"{os.environ.get('EFFICIENCY_DB')} {os.environ.get('EFFICIENCY_HOME')}", store.version()


def studies(store: Store) -> pd.DataFrame:
    """One line a study, newest first."""
    return _studies(store, version(store))


def rows(store: Store, ids: list[str]) -> pd.DataFrame:
    """The rows of these studies with what is shown beside them (`views.prepared`)."""
    return _rows(store, version(store), tuple(ids))


def bands_pct(store: Store, ids: list[str]) -> set[float]:
    """Within what these studies call two speeds the same."""
    return {equivalence_pct_of(store.study(id).asked) for id in ids}


def cases(store: Store, id: str) -> list[Case]:
    """The cases of a study, with what timed their winners again."""
    return _cases(store, version(store), id)


def json_text(store: Store, id: str) -> str:
    """The study as the text of a JSON file, raw samples included."""
    return json.dumps(documents.to_json(store, id), allow_nan=False)


def file_name(name: Any, ending: str) -> str:
    """A name for a download that any system takes."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in str(name)).strip("-")
    return f"{kept[:60] or 'study'}.{ending}"
