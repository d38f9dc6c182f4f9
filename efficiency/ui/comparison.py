"""The comparison table, what could not be measured and why, and the downloads."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import notes, tables
from efficiency.analysis.wording import markdown_text
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.ui import data, narrow_list, selected
from efficiency.ui.narrow_list import Line

LINES = 1_000
"""More lines than this nobody reads, and every one of them travels at every change of a filter."""
WARNINGS = "  \n".join(f"**{key.replace('-', ' ')}**: {hint}" for key, hint in notes.MEANINGS.items())

WRAPPING = 66
"""Pixels of a line from which on Streamlit wraps what is in a cell."""


def show(frame: pd.DataFrame) -> None:
    """Relative first, absolute beside; choosing a line opens its details."""
    table, count = tables.comparison(frame, LINES), int((frame["status"] == "done").sum())
    if len(table):
        st.markdown("#### Comparison")
        st.caption("Choose a line, or a point in a chart, to see its samples, its evidence and how it was made.")
        number = st.column_config.NumberColumn
        key = selected.key_of("table")
        row_ids = [int(id) for id in table["row_id"]]
        st.dataframe(
            table.drop(columns="row_id"),
            key=key,
            hide_index=True,
            on_select=lambda: selected.from_table(key, row_ids),
            selection_mode="single-row",
            lazy=False,
            height=min(38 + 35 * len(table), 560),
            placeholder="–",
            alt="Comparison of all variants",
            column_config={
                "Variant": st.column_config.TextColumn(width=230),
                "Against the baseline": st.column_config.TextColumn(
                    width=370,
                    help="After ± is half the 95 % interval; its ends stand beside the figures further right.",
                ),
                "Warnings": st.column_config.TextColumn(width=205, help=WARNINGS),
                "Noise floor": st.column_config.TextColumn(
                    width=85, help="What the control, a second baseline, shows: a difference this small may be none."
                ),
                "Front": st.column_config.TextColumn(
                    width=55,
                    help="On the Pareto front: nothing else is better in one of accuracy, speed and size and at least "
                    "as good in the others.",
                ),
                "Speed-up": number(format="%.2fx", width=85),
                "Speed-up 95 %": st.column_config.TextColumn(width=105),
                "Over its runtime in FP32": number(
                    format="%.2fx",
                    width=100,
                    help="Of a runtime with a quantized model: over the same runtime in FP32, so INT8's own gain.",
                ),
                "Accuracy Δ [pp]": number(format="%+.2f", width=110),
                "Δ 95 %": st.column_config.TextColumn(width=115),
                "Size ratio": number(format="%.2fx", width=85),
                "Latency p50 [ms]": number(format="%.3f", width=120),
                "Latency 95 %": st.column_config.TextColumn(width=115),
                "Latency p99 [ms]": number(format="%.3f", width=120),
                "Accuracy [%]": number(format="%.2f", width=95),
                "Accuracy 95 %": st.column_config.TextColumn(width=110, help="Of the test rows that were answered."),
                "Size [MB]": number(format="%.2f", width=85),
                "Peak memory [MB]": number(format="%.0f", width=130),
                "Took effect": st.column_config.TextColumn(width=90),
            },
        )
        narrow_list.show(table, _line)
    if count > LINES:
        st.caption(f"The first {LINES:,} of {count:,} lines; narrow the filters, or take the CSV.")
    reasons = tables.reasons(frame)
    if len(reasons):
        with st.expander(
            f"{reasons['Rows'].sum()} not measured, and why", icon=":material/block:", expanded=table.empty
        ):
            st.dataframe(
                reasons,
                hide_index=True,
                row_height=WRAPPING,
                alt="Variants that were not measured, with the reason",
                column_config={
                    "Workload": st.column_config.TextColumn(width=90),
                    "Variant": st.column_config.TextColumn(width=120),
                    "Reason": st.column_config.TextColumn(width=520),
                },
            )


def _line(line: dict[str, Any]) -> Line:
    """A line of the table for a narrow screen: what it gives, noise and warnings."""
    noise = f" (noise {line['Noise floor']})" if line["Noise floor"] else ""
    return Line(
        narrow_list.to_details(line["row_id"]),
        line["Variant"],
        " · ".join(filter(None, (line["Workload"], line.get("Study"), line["Condition"]))),
        line["Against the baseline"] + noise,
        line["Front"],
        line["Warnings"],
    )


def downloads(store: Store, ids: list[str], shown: pd.DataFrame) -> None:
    """CSV of the rows that the filters leave and JSON of the whole studies, built when asked for."""
    row_ids = [int(id) for id in shown["row_id"]]
    names = dict(zip(*(data.studies(store)[column] for column in ("id", "name")), strict=True))
    with st.container(horizontal=True):
        st.download_button(
            f"CSV of the {len(row_ids):,} rows shown" if len(row_ids) != 1 else "CSV of the row shown",
            lambda: documents.to_csv(store, ids, row_ids),
            data.file_name("+".join(ids), "csv"),
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            help="The rows that the filters leave, measured or not, with all columns.",
            key="download-csv",
            disabled=not row_ids,
        )
        for id in ids[:4]:
            st.download_button(
                "JSON of the study" if len(ids) == 1 else f"JSON of {markdown_text(names[id] or id)}",
                partial(data.json_text, store, id),
                data.file_name(id, "json"),
                "application/json",
                on_click="ignore",
                icon=":material/data_object:",
                help="Everything that is kept of the study, raw samples included; any copy of this app imports it.",
                key=f"download-json-{id}",
            )
