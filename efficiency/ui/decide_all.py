"""All answers of a study on the page Decide, at a glance: of a line that is chosen the page then tells the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from efficiency.analysis import answer_table
from efficiency.analysis.answer_table import ANSWER, FIGURES, RELATIVE, TITLE, VARIANT
from efficiency.analysis.limits import Limits
from efficiency.decisions import Case
from efficiency.ui import narrow_list
from efficiency.ui.narrow_list import Line

SAID = (TITLE, ANSWER, VARIANT, RELATIVE)
CASE = "case"
"""The widget's key, and the parameter of the address, that says which case is shown."""


def show(cases: Mapping[str, Case], limits: Limits, price_per_hour: float | None) -> None:
    """A switch, since answering all takes a moment; nothing where there is one answer alone."""
    if len(cases) < 2:
        return
    if not st.toggle(f"All {len(cases)} workloads and conditions at a glance", key="all", bind="query-params"):
        return
    answers = [(title, case.answer(limits)) for title, case in cases.items()]
    table = answer_table.of(answers, limits, price_per_hour)
    key = f"table-all-{st.session_state[CASE]}"  # what was chosen before is not chosen any more
    text = st.column_config.TextColumn
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        on_select=lambda: _choose(key, list(cases)),
        selection_mode="single-row",
        lazy=False,
        height=min(38 + 35 * len(table), 740),
        alt="The answer for every workload and condition",
        column_config={
            TITLE: text(width=235),
            ANSWER: text(width=240),
            VARIANT: text(width=225),
            **dict.fromkeys(FIGURES, text(width=95)),
            RELATIVE: text(width=300),
        },
    )
    narrow_list.show(table, _line)
    st.caption("Choose a line to see that answer above, with all that is to be known beside it.")


def _choose(key: str, titles: list[str]) -> None:
    for place in st.session_state[key].selection.rows:
        st.session_state[CASE] = titles[place]


def _line(line: dict[str, Any]) -> Line:
    """A line of the table for a narrow screen."""
    figures = [f"{name}: {text}" for name, text in line.items() if name not in SAID and text]
    said = ": ".join(filter(None, (line[ANSWER], line[VARIANT])))
    text = " · ".join(filter(None, (line[RELATIVE], *figures)))
    return Line(narrow_list.here_with(CASE, line[TITLE]), line[TITLE], said, text)
