"""What a training study found: sentences, step time, peak memory, loss curves, and where the steps led."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import speedup_chart, training_charts
from efficiency.analysis import training, views
from efficiency.analysis.wording import markdown_text
from efficiency.results.store import Store
from efficiency.ui import asked, data, frame

CONFIG = {"displayModeBar": False}
NAMED = "training-named"
"""In a visit's state: the study that was last shown because the address named it, or it was the newest."""


def show(store: Store) -> None:
    """The study that the address names, else the newest; the others can be chosen, until it names another."""
    studies = data.studies(store)
    studies = studies[(studies["phase"] == "training") & (studies["rows"] > 0)]
    st.markdown("## What training studies found")
    if studies.empty:
        st.info("No training study has been measured yet; start one above.", icon=":material/info:")
        return
    names = views.study_labels(studies)
    ids, state = list(names), st.session_state
    named = next((id for id in asked.in_address() if id in names), ids[0])
    # Once there is a widget, its index counts for nothing.
    if named != state.get(NAMED):
        state[NAMED] = state["training-study"] = named
    id = st.selectbox("Study", ids, index=ids.index(named), format_func=lambda id: names[id], key="training-study")
    rows = data.rows(store, [id])
    for number, (title, panel) in enumerate(training.panels(rows)):
        _panel(store, number, title, panel)
    st.page_link(
        frame.page("explore"),
        label="Every row with its details, in Explore",
        icon=":material/scatter_plot:",
        query_params={"study": id},
    )


def _panel(store: Store, number: int, title: str, panel: pd.DataFrame) -> None:
    details = {int(id): store.details(int(id)) for id in panel["row_id"]}
    with st.container(border=True):
        st.markdown(f"#### {markdown_text(title)}")
        for sentence in training.sentences(panel):
            st.markdown(f"**{markdown_text(sentence)}**")
        curves, (left, right) = training.curves(panel, details), st.columns(2, gap="medium")
        with left:
            st.plotly_chart(
                speedup_chart.speedup_bars(panel, heading="Time of a step"),
                key=f"training-speed-{number}",
                config=CONFIG,
                alt=speedup_chart.described(panel),
            )
            st.plotly_chart(
                training_charts.peak_memory(panel),
                key=f"training-memory-{number}",
                config=CONFIG,
                alt=" ".join(training.sentences(panel)),
            )
        with right:
            st.plotly_chart(
                training_charts.loss_curves(curves),
                key=f"training-loss-{number}",
                config=CONFIG,
                alt=f"Loss of every step of {curves['label'].nunique()} runs",
            )
        st.dataframe(
            training.outcome(panel, details),
            key=f"training-outcome-{number}",
            hide_index=True,
            placeholder="–",
            alt="Step time, memory, loss and accuracy of every variant",
            column_config={
                "Variant": st.column_config.TextColumn(width=190),
                "Step p50 [ms]": st.column_config.NumberColumn(format="%.1f", width=95),
                "Step time": st.column_config.TextColumn(width=170),
                "Peak memory [MB]": st.column_config.NumberColumn(format="%.0f", width=125),
                "Loss at the end": st.column_config.NumberColumn(
                    format="%.3f", width=105, help="The mean of the last tenth of the steps."
                ),
                "Accuracy [%]": st.column_config.NumberColumn(
                    format="%.2f", width=95, help="Of the trained weights on the test rows, answered in FP32."
                ),
                "Against FP32": st.column_config.TextColumn(width=165),
                "Verdict": st.column_config.TextColumn(width=90),
                "Examples/s": st.column_config.NumberColumn(format="%.0f", width=90),
                "Energy [mJ]": st.column_config.NumberColumn(format="%.1f", help="Of an example, above idle."),
                "Compiled for [s]": st.column_config.NumberColumn(format="%.1f"),
            },
        )
        for text in (training.luck(panel, details), training.padding(panel), training.no_energy(panel, details)):
            if text:
                st.caption(markdown_text(text))
