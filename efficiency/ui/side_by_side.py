"""Two studies side by side: the choice, what differs between them, what moved, and what only one of them has."""

from __future__ import annotations

from functools import cache, partial
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from efficiency import compare_chart
from efficiency.analysis import compare, compare_words, panels, views
from efficiency.analysis.wording import markdown_text
from efficiency.results.store import Store
from efficiency.ui import data, frame, narrow_list
from efficiency.ui.narrow_list import Line

CHARTS = 6
"""Charts on one screen; the table has all."""
LOOKED_AT = 50
"""Studies among which a pair is looked for that has something in common: the newest."""
SIDES = {"a": "A, what it is compared with", "b": "B, what is judged"}


def choose(store: Store, studies: pd.DataFrame) -> tuple[str, str] | None:
    """Two studies that hold rows, in the address as `?a=` and `?b=`; by default the newest that have a variant in
    common.

    None, and a sentence, where there are no two, or the same one twice.
    """
    names = views.study_labels(studies[studies["rows"] > 0])
    if len(names) < 2:
        st.info(
            "Two studies with results are needed to compare: measure or import another one.", icon=":material/info:"
        )
        with st.container(horizontal=True):
            st.page_link(frame.page("run"), label="Plan a study", icon=":material/play_circle:")
            st.page_link(frame.page("studies"), label="Import a study", icon=":material/upload:")
        return None
    ids = list(names)
    usual = _usual(store, ids)
    chosen = {}
    for column, (side, label) in zip(st.columns(2), SIDES.items(), strict=True):
        asked = st.query_params.get(side, usual[side])
        if asked not in names:
            column.warning(f"{side.upper()}: there is no such study with results here; the usual one is shown.")
        key = f"compare-{side}"
        st.session_state[key] = asked if asked in names else usual[side]
        chosen[side] = column.selectbox(label, ids, format_func=lambda id: names[id], key=key, on_change=_keep)
    if chosen["a"] == chosen["b"]:
        st.info("A and B are the same study: choose another one for either.", icon=":material/info:")
        return None
    return chosen["a"], chosen["b"]


def _usual(store: Store, ids: list[str]) -> dict[str, str]:
    """B the newest and A the newest before it, of those that timed some variant alike, or of all where none did.

    Where the address names either, only the other is looked for.
    """
    named = {side: id for side in SIDES if (id := st.query_params.get(side)) in ids}
    if len(named) == len(SIDES):
        return named
    newest = {side: (named[side],) if side in named else tuple(ids[:LOOKED_AT]) for side in SIDES}
    return dict(zip(SIDES, _pair(store, data.version(store), newest["a"], newest["b"]), strict=True))


@st.cache_data(show_spinner=False, max_entries=8)
def _pair(_store: Store, version: data.Version, a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, str]:
    """The first of these with something in common, which for most databases are the first two; else those."""
    timed = cache(partial(compare.timed, _store))
    pairs = [(one, other) for other in b for one in a if one != other]
    return next((pair for pair in pairs if timed(pair[0]) & timed(pair[1])), pairs[0])


def _keep() -> None:
    """Both of them: the choice of one changes nothing about the other."""
    st.query_params.update({side: st.session_state[f"compare-{side}"] for side in SIDES})


# Bootstraps of many rows take a moment; what decides is the database's version and the two ids.
@st.cache_resource(show_spinner=False, max_entries=8)
def _compared(_store: Store, version: data.Version, a: str, b: str) -> compare.Compared:
    rows = data.rows(_store, [a, b])
    return compare.compared(
        rows, _store.study(a), _store.study(b), _store.samples, _store.answers, _store.details, _store.earlier
    )


def show(store: Store, a: str, b: str) -> None:
    """What differs, the summary, the charts and the tables."""
    found = _compared(store, data.version(store), a, b)
    ours, theirs = store.study(a), store.study(b)
    st.markdown(f"#### {markdown_text(compare_words.summary(found))}")
    told = (*compare_words.told(ours, theirs), *compare_words.found_beside(found.rows))
    st.markdown("\n".join(f"- {markdown_text(sentence)}" for sentence in told))
    if len(found.judged):
        _charts(found.judged, compare.equivalence_pct(ours, theirs))
    if len(found.rows):
        _table(found.rows)
    for side, other, only in (("A", "B", found.only_a), ("B", "A", found.only_b)):
        if len(only):
            with st.expander(f"{len(only)} measured in {side} only", icon=":material/difference:"):
                st.dataframe(
                    compare_words.only(only, other),
                    hide_index=True,
                    alt=f"Variants that {side} alone measured",
                )


def _charts(judged: pd.DataFrame, band_pct: float) -> None:
    st.html(_legend(band_pct))
    groups = list(judged.groupby(panels.titles(judged), sort=False))
    for start in range(0, min(len(groups), CHARTS), 2):
        for column, (title, rows) in zip(st.columns(2, gap="medium"), groups[start : start + 2], strict=False):
            _draw(column, compare_chart.forest(rows, str(title)), str(title), compare_chart.described(rows))
    if len(groups) > CHARTS:
        st.caption(f"{CHARTS} of {len(groups)} charts, of what lost most; the table below has all.")
    st.caption(
        "Bars are 95 % intervals of the ratio. A dot within the grey bands may be noise. A dot beyond them may count "
        f"as faster or slower even where its bar reaches into them. {compare_words.CAUTION}"
    )


def _draw(column: st.delta_generator.DeltaGenerator, figure: go.Figure, title: str, text: str) -> None:
    column.plotly_chart(figure, key=f"forest-{title}", config={"displayModeBar": False}, alt=f"{title}. {text}")


def _legend(band_pct: float) -> str:
    said = (
        "Filled: faster or slower, beyond both noise floors and not by luck.",
        f"Full and grey: the same, within {band_pct:g} %.",
        "Hollow: cannot be told, or the machine was disturbed.",
    )
    return f'<div class="eff-legend">{"".join(f"<span>{escape(text)}</span>" for text in said)}</div>'


def _table(rows: pd.DataFrame) -> None:
    number = st.column_config.NumberColumn
    table = compare_words.table(rows)
    with st.container(key="table-compare"):  # a table that cannot be chosen from has no class of its own
        st.dataframe(
            table,
            hide_index=True,
            height=min(38 + 35 * len(table), 560),
            lazy=False,
            placeholder="–",
            alt="Every variant that both studies measured",
            column_config={
                "Variant": st.column_config.TextColumn(width=220),
                "Workload": st.column_config.TextColumn(width=110),
                "B against A": st.column_config.TextColumn(
                    width=255,
                    help="B's speed-up over A's, each against its own study's baseline, with its 95 % interval.",
                ),
                "Both noise floors": st.column_config.TextColumn(width=120, help="A's and B's together."),
                "Accuracy, B - A": st.column_config.TextColumn(
                    width=230, help="Paired where both answered the same test rows; else it says so."
                ),
                "Size, A / B": number(format="%.2fx", width=90, help="Above 1, B is smaller."),
                "Latency in A [ms]": number(format="%.3f", width=120),
                "Latency in B [ms]": number(format="%.3f", width=120),
                "p99 in A [ms]": number(format="%.3f", width=100),
                "p99 in B [ms]": number(format="%.3f", width=100),
                "Latency, A / B": st.column_config.TextColumn(
                    width=150, help="Of one machine only. It holds all that differed between the two hours."
                ),
            },
        )
    narrow_list.show(table, _line)


def _line(line: dict[str, Any]) -> Line:
    """A line of the table for a narrow screen."""
    more = [f"{name}: {line[name]}" for name in ("Latency, A / B", "Accuracy, B - A") if line.get(name)]
    speed_ups = " and ".join(f"{line[f'Speed-up in {side}']} in {side}" for side in "AB" if line[f"Speed-up in {side}"])
    told = " · ".join(filter(None, (line["B against A"], speed_ups, *more)))
    return Line({}, line["Variant"], f"{line['Workload']} · {line['Condition']}", told)
