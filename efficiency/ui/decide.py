"""The answer of the page Decide: what to ship, the limits it keeps to, and the chart in which the rest fades."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from efficiency import decisions, other_hours, trade_off_chart
from efficiency.analysis import confirmations, decision_table, decision_words, limit_words, notes, panels
from efficiency.analysis import limits as limits_module
from efficiency.analysis.choice import Answer, Row
from efficiency.analysis.limits import Limits
from efficiency.analysis.wording import markdown_text
from efficiency.results.store import Store
from efficiency.ui import (
    artefact,
    asked,
    confirming,
    data,
    decide_all,
    decide_limits,
    details,
    frame,
    narrow_list,
    selected,
    settling,
    take_home,
    trade_off,
)
from efficiency.ui.narrow_list import Line

HEIGHT = 430


def show(store: Store, id: str) -> None:
    """What a slider changes: run again by itself."""
    with frame.sentences():
        if id not in set(data.studies(store)["id"]):  # deleted meanwhile, elsewhere: the page chooses anew
            st.rerun(scope="app")
        rows, record = data.rows(store, [id]), store.study(id)
        if nothing := decisions.why_empty(rows, record.status, record.message):
            st.info(markdown_text(nothing), icon=":material/info:")
            return
        cases = {case.title: case for case in data.cases(store, id)}
        asked.say_unlisted("the workload and condition", decide_all.CASE, cases)
        case = cases[st.selectbox("Workload and condition", list(cases), key=decide_all.CASE, bind="query-params")]
        # In one sight, and on a narrow screen the answer first.
        answering, asking = st.columns([2.6, 1], gap="large")
        with asking:
            limits = decide_limits.choose(case.first.rows, case.rows_again)
            price = decide_limits.price()
        decide_limits.remember()
        answer = case.answer(limits)
        known = case.known(answer.first)
        row = answer.row
        with answering:
            _say(answer)
            if row is not None:
                study, kept = store.study(str(row["study_id"])), store.details(int(row["row_id"]))
                hints = notes.hints(row, study.asked, kept)
                for _, text in (told for told in hints if told[0] not in notes.INFORMATIVE):
                    st.warning(markdown_text(text), icon=":material/warning:")
                _offer(store, id, answer, row)
            _draw(known, case.first.equivalence_pct, limits, id)
        _beside(store, answer, price)
        settling.offer(record, answer.first)
        if row is not None:
            for _, text in (told for told in hints if told[0] in notes.INFORMATIVE):
                st.info(markdown_text(text), icon=":material/info:")
            if selected.asked() is None:  # the drawer with its details has both, too
                missed = answer.last.kind == "none"
                take_home.show(pd.Series(row), study, " of what comes closest to the limits" if missed else "")
                artefact.show(pd.Series(row), study, kept)
        _table(known, limits, price, answer)
        decide_all.show(cases, limits, price)
        if selected.asked() is not None:
            details.open_asked(store, pd.concat([rows, case.rows_again]))


def _say(answer: Answer) -> None:
    """The sentence on top."""
    found = answer.last
    row = answer.row
    name = "" if row is None else str(row["variant_label"])
    if found.kind == "none":
        name = f"Closest: {name}"
    st.html(
        f'<div class="eff-card"><div class="where">{escape(decision_words.verdict(answer))} · '
        f"{escape(limit_words.asked(found.limits))}</div>"
        f'<div class="big">{escape(name)}</div>'
        f'<div class="rest">{escape(decision_words.sentence(answer))}</div></div>'
    )


def _beside(store: Store, answer: Answer, price: float | None) -> None:
    """What is to be known beside the sentence."""
    told = decision_words.beside(answer)
    if (winner := answer.last.winner) is not None:
        told += [other_hours.said(store, winner), decision_words.money(winner, price)]
    if told := [text for text in told if text]:
        st.markdown("\n".join(f"- {markdown_text(text)}" for text in told))


def _offer(store: Store, id: str, answer: Answer, row: Row) -> None:
    """What can be done with the row: its details, and timing it again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Details of {markdown_text(row['variant_label'])}",
            icon=":material/info:",
            key="decide-details",
            on_click=lambda: st.query_params.update({selected.PARAMETER: str(row["row_id"])}),
        )
        if confirmations.worth_timing_again(answer):
            confirming.offer(store, id, answer.first)


def _draw(rows: pd.DataFrame, band_pct: float, limits: Limits, id: str) -> None:
    """The trade-off of what is known; what does not keep to the limits fades."""
    ids = list(dict.fromkeys([id, *rows["study_id"]]))
    parts, _ = panels.panels(rows, 1)
    if not parts:
        st.info("None of these rows holds a measurement; the page Explore says why.", icon=":material/info:")
        return
    part = parts[0][1]
    inside = limits_module.meets(rows.loc[part.index], limits) & (rows.loc[part.index, "took_effect"] != "no")
    of_p99 = limits.percentile == "p99" and part["latency_ms_p99"].notna().any()
    across = "Latency p99" if of_p99 else "Latency"
    drawn = rows.dropna(subset=[panels.MEASURES[across].column])
    st.html(trade_off.legend(drawn, ids, [band_pct], front=True, timed=panels.MEASURES[across].timed))
    key = selected.key_of("decide-chart")
    st.plotly_chart(
        trade_off_chart.trade_off(part, across, studies=ids, height=HEIGHT, inside=inside),
        key=key,
        on_select=lambda: selected.from_chart(key),
        selection_mode="points",
        config=trade_off.CONFIG,
        alt=f"{int(inside.sum())} of {len(part)} rows keep to the limits. {trade_off_chart.described(part, across)}",
    )
    st.caption(
        f"Rows that do not keep to {markdown_text(limit_words.asked(limits))} fade. Choose a point for details."
        if limits.asked
        else "Move a slider: what does not keep to the limit fades. Choose a point for details."
    )


def _table(known: pd.DataFrame, limits: Limits, price: float | None, answer: Answer) -> None:
    """All rows; those that were timed again as that found them, and beside them what the study itself did."""
    table = decision_table.of(known, limits, price, answer.own)
    if table.empty:
        return
    if answer.fresh is not None:
        st.caption(
            "Variants that were timed again stand in the answer, the chart and this table with their new figures, and "
            f"in the column “{decision_table.BEFORE}” with those of the study itself. The baseline's line in the table "
            "is still the study's own."
        )
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    meaning = {limits_module.kind_of(name, limits).title: text(help=decision_table.MEANING) for name in limits.asked}
    key = selected.key_of("table-decide")
    row_ids = [int(id) for id in table["row_id"]]
    st.dataframe(
        table.drop(columns="row_id"),
        key=key,
        hide_index=True,
        on_select=lambda: selected.from_table(key, row_ids),
        selection_mode="single-row",
        lazy=False,
        height=min(38 + 35 * len(table), 460),
        placeholder="–",
        alt="Every variant and which limits it keeps to",
        column_config={
            "Variant": text(width=230),
            **meaning,
            "Against the baseline": text(width=370),
            decision_table.BEFORE: text(width=370),
            "Latency p50 [ms]": number(format="%.3f"),
            "Latency p99 [ms]": number(format="%.3f"),
            "Size [MB]": number(format="%.2f"),
            "Peak memory [MB]": number(format="%.0f"),
            "Preparation [s]": number(format="%.1f"),
            "Break-even [calls]": number(format="localized"),
            "Cost of a million calls": number(format="%.3g"),
        },
    )
    narrow_list.show(table, lambda line: _line(line, limits))
    if why := decision_table.why_no_p99(table):
        st.caption(why)


def _line(line: dict[str, Any], limits: Limits) -> Line:
    """A line of the table for a narrow screen: what it gives, and what it misses."""
    before = line.get(decision_table.BEFORE)
    titles = [limits_module.kind_of(name, limits).title for name in limits.asked]
    missed = [f"{title.lower()} {line[title]}" for title in titles if line[title] != decision_table.WORDS["met"]]
    return Line(
        narrow_list.to_details(line["row_id"]),
        line["Variant"],
        ", ".join(missed),
        line["Against the baseline"] + (f"; before it was timed again {before}" if before else ""),
        line["Keeps to all"] if limits.asked else "",
    )
