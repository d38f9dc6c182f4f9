"""Downloads of a study for people and for other programs: a report as HTML or Markdown, the rows as Parquet."""

from __future__ import annotations

from functools import partial

import streamlit as st

from efficiency.results.store import Store
from efficiency.ui import data


def downloads(store: Store, id: str) -> None:
    """A button each; the document is made when it is asked for."""
    for name, make, ending, kind, icon in (
        ("Report (HTML)", _html, "html", "text/html", ":material/article:"),
        ("Report (Markdown)", _markdown, "md", "text/markdown", ":material/markdown:"),
        ("Parquet", _parquet, "parquet", "application/vnd.apache.parquet", ":material/download:"),
    ):
        st.download_button(
            name, partial(make, store, id), data.file_name(id, ending), kind, on_click="ignore", icon=icon,
            key=f"{ending}-{id}",
        )  # fmt: skip


# What these need is imported when one of them is asked for: the first paint waits for none of it.
def _html(store: Store, id: str) -> str:
    from efficiency.report import content, html

    return html.written(content.of(store, id))


def _markdown(store: Store, id: str) -> str:
    from efficiency.report import content, markdown

    return markdown.written(content.of(store, id))


def _parquet(store: Store, id: str) -> bytes:
    from efficiency.results.parquet import to_parquet

    return to_parquet(store, [id])
