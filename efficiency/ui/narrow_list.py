"""What a narrow screen shows in place of a table of many columns: a list, most of whose lines are links.

Both are on the page; the style sheet shows the one that fits. A table's key starts with `table`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from efficiency.analysis import views
from efficiency.ui import selected

LISTED = 40
"""Lines at most; the reader of a telephone sees six at a time."""


@dataclass(frozen=True)
class Line:
    """Plain texts, and the address's parameters that the line leads to; a line without any is no link."""

    address: Mapping[str, object]
    title: str
    where: str
    text: str
    mark: str = ""
    warned: str = ""

    def html(self) -> str:
        warned = f'<div class="warn">{escape(self.warned)}</div>' if self.warned else ""
        place = f' href="?{escape(urlencode(self.address, doseq=True))}" target="_self"' if self.address else ""
        return (
            f"<a{place}>"
            f"<b>{escape(self.title)}</b>{escape(f' {self.mark}'.rstrip())}"
            f'<div class="where">{escape(self.where)}</div>{escape(self.text)}{warned}</a>'
        )


def show(table: pd.DataFrame, line: Callable[[dict[str, Any]], Line]) -> None:
    """The first rows of the table, each as `line` has it, and how many there are."""
    shown = "".join(line(row).html() for row in views.records(table.head(LISTED)))
    more = f"<p>The first {LISTED} of {len(table)}; a wider screen has all.</p>" if len(table) > LISTED else ""
    st.html(f'<div class="eff-list">{shown}{more}</div>')


def to_details(row_id: object) -> dict[str, object]:
    """The address as it is, with the details of this row open."""
    return here_with(selected.PARAMETER, row_id)


def here_with(parameter: str, value: object) -> dict[str, object]:
    """The address as it is, but for this parameter."""
    return {name: st.query_params.get_all(name) for name in st.query_params} | {parameter: value}
