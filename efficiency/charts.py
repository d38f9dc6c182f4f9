"""Plotly figures from frames that `analysis.views.prepared` made. Text and axes follow the app's theme."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from efficiency import palette
from efficiency.analysis import views
from efficiency.study import BASELINE, CONTROL

MAX_POINTS = 600
"""Points of one chart: more are neither told apart nor drawn quickly."""


def _layout(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 44, "r": 12, "t": 30, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    figure.update_xaxes(gridcolor=palette.GRID, zeroline=False, automargin=True, title_standoff=8)
    figure.update_yaxes(gridcolor=palette.GRID, zeroline=False, automargin=True, title_standoff=8)
    return figure


def _title_above(figure: go.Figure, title: str) -> None:
    """The vertical axis's title, read without turning the head and never across the tick labels."""
    figure.add_annotation(
        text=title, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", xshift=-34, yshift=6,
        showarrow=False, font={"size": 12, "color": palette.NEUTRAL},
    )  # fmt: skip


def _errors(rows: pd.DataFrame, measure: views.Measure) -> dict[str, object] | None:
    if measure.low is None or measure.high is None:
        return None
    value = rows[measure.column]
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[measure.high] - value).clip(lower=0),
        "arrayminus": (value - rows[measure.low]).clip(lower=0),
        "thickness": 1.2,
        "width": 0,
        "color": palette.GUIDE,
    }


def _hover(rows: pd.DataFrame) -> list[str]:
    """The whole variant, a line each; unknowns are left out."""
    several = rows["study_name"].nunique() > 1
    texts = []
    for row in views.records(rows):
        lines = [f"<b>{row['variant_label']}</b>", row["relative"]]
        lines += [
            f"{name}: {row[measure.column]:.4g}"
            + (f" {measure.title[measure.title.index('[') :][1:-1]}" if "[" in measure.title else "x")
            for name, measure in views.MEASURES.items()
            if pd.notna(row[measure.column])
        ]
        lines.append(f"{row['workload_label']}, {row['condition']}")
        if row["took_effect"] in ("no", "partly"):
            lines.append(f"Took effect: {row['took_effect']}")
        if several:
            lines.append(row["study_name"])
        texts.append("<br>".join(filter(None, lines)))
    return texts


def trade_off(
    frame: pd.DataFrame,
    x: str = "Latency",
    y: str = "Accuracy",
    size: str = "Size",
    studies: Sequence[str] = (),
    height: int = 420,
) -> go.Figure:
    """One panel: two measures against each other, a third as the area of the marker.

    `studies` are the ids that have a symbol each, in this order. A point carries its row's id in
    `customdata`, which a selection gives back.
    """
    across, up = views.MEASURES[x], views.MEASURES[y]
    rows = frame.dropna(subset=[across.column, up.column]).head(MAX_POINTS)
    # Large markers first and the baseline last, so that none is hidden.
    diameters = pd.Series(palette.diameters(rows, size), index=rows.index)
    order = diameters.where(rows["variant"] != BASELINE, 0).sort_values(ascending=False, kind="stable").index
    rows, diameters = rows.loc[order], diameters.loc[order]
    figure = go.Figure()
    for row in rows[rows["variant"] == BASELINE].itertuples():
        line = {"color": palette.GUIDE, "dash": "dash", "width": 1}
        figure.add_vline(getattr(row, across.column), line=line, layer="below")
        figure.add_hline(getattr(row, up.column), line=line, layer="below")
    best = views.front(rows, x, y)
    figure.add_scatter(
        x=best[across.column],
        y=best[up.column],
        mode="lines+markers",
        line={"color": palette.FRONT, "width": 2},
        marker={
            "symbol": "circle-open",
            "color": palette.FRONT,
            "size": list(diameters.loc[best.index] + 8),
            "line": {"width": 2},
        },
        hoverinfo="skip",
        name="Pareto front",
    )
    figure.add_scatter(
        x=rows[across.column],
        y=rows[up.column],
        mode="markers",
        error_x=_errors(rows, across),
        error_y=_errors(rows, up),
        marker=palette.markers(rows, studies, list(diameters)),
        customdata=[[int(row_id)] for row_id in rows["row_id"]],
        text=_hover(rows),
        hovertemplate="%{text}<extra></extra>",
        name="Variants",
        unselected={"marker": {"opacity": 0.35}},
    )
    figure.update_xaxes(title=across.title, type="log" if across.log else "linear")
    figure.update_yaxes(type="log" if up.log else "linear")
    _title_above(figure, up.title)
    for axis, measure in (("xaxis", across), ("yaxis", up)):
        if measure.log:
            figure.update_layout({axis: {"minor": {"ticks": ""}, **_log_ticks(rows[measure.column])}})
    return _layout(figure, height)


def _log_ticks(values: pd.Series) -> dict[str, object]:
    """Few round ticks, as on a ruler: Plotly's own pile up on a logarithmic axis of less than a decade."""
    known = values[values > 0]
    if known.empty:
        return {}
    low, high = np.log10(known.min()) - 0.08, np.log10(known.max()) + 0.08
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7), tuple(np.arange(1, 10, 0.5))):
        ticks = [
            step * 10.0**decade
            for decade in range(int(np.floor(low)), int(np.ceil(high)) + 1)
            for step in steps
            if low <= np.log10(step * 10.0**decade) <= high
        ]
        if len(ticks) >= 4:
            break
    return {"tickvals": ticks[:12], "ticktext": [f"{tick:.4g}" for tick in ticks[:12]], "range": [low, high]}


def latency_histogram(samples: pd.DataFrame, baseline: pd.DataFrame | None, variant: str) -> go.Figure:
    """Raw latencies of a variant over those of its baseline, on a logarithmic axis.

    Columns `replicate`, `round`, `latency_ms`. The axis ends at the 99.5th percentile: the tail is in
    the numbers, and would squeeze the rest into one bar.
    """
    shown = [samples["latency_ms"].to_numpy(float)]
    if baseline is not None and len(baseline):
        shown.append(baseline["latency_ms"].to_numpy(float))
    everything = np.concatenate(shown)
    everything = everything[everything > 0]
    figure = go.Figure()
    if len(everything):
        edges = np.geomspace(everything.min(), np.percentile(everything, 99.5) * 1.001, 61)
        centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
        named = (("Baseline", palette.NEUTRAL, 0.55), (views.variant_label(variant), palette.colour(variant), 0.8))
        for (name, hue, opacity), values in zip(named[2 - len(shown) :], shown[::-1], strict=True):
            share = np.histogram(values, edges)[0] / len(values) * 100
            figure.add_bar(
                x=centres, y=share, width=widths, name=name, marker={"color": hue, "line": {"width": 0}},
                opacity=opacity, hovertemplate="%{x:.3g} ms: %{y:.1f} %<extra>" + name + "</extra>",
            )  # fmt: skip
            figure.add_vline(float(np.median(values)), line={"color": hue, "width": 2, "dash": "dot"})
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title="Latency [ms a call]", type="log")
    if len(everything):
        ticks = _log_ticks(pd.Series(everything[everything <= edges[-1]]))
        figure.update_xaxes(**ticks)
    _title_above(figure, "Share of calls [%]")
    _layout(figure, 260)
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )  # fmt: skip
    return figure


def speedup_bars(frame: pd.DataFrame, studies: Sequence[str] = ()) -> go.Figure:
    """A line a variant: its speed-up as a dot with its interval; a line at 1 and the control's noise band."""
    own = frame[~frame["variant"].isin([BASELINE, CONTROL])].dropna(subset=["speedup"])
    own = own.sort_values("speedup", kind="stable").tail(MAX_POINTS)
    control = frame[(frame["variant"] == CONTROL)].dropna(subset=["speedup_ci_low", "speedup_ci_high"])
    figure = go.Figure()
    if len(control):
        reach = float(np.exp(np.abs(np.log(control[["speedup_ci_low", "speedup_ci_high"]].to_numpy(float))).max()))
        figure.add_vrect(1 / reach, reach, fillcolor=palette.NEUTRAL, opacity=0.18, line_width=0, layer="below")
    figure.add_vline(1, line={"color": palette.GUIDE, "dash": "dash", "width": 1.2}, layer="below")
    figure.add_scatter(
        x=own["speedup"],
        y=own["variant_label"],
        mode="markers",
        error_x=_errors(own, views.MEASURES["Speed-up"]),
        marker=palette.markers(own, studies, 13),
        customdata=[[int(row_id)] for row_id in own["row_id"]],
        text=_hover(own),
        hovertemplate="%{text}<extra></extra>",
        name="Speed-up",
    )
    ticks = _log_ticks(pd.concat([own["speedup"], own["speedup_ci_low"], own["speedup_ci_high"], pd.Series([1.0])]))
    figure.update_xaxes(title="Speed-up against the baseline (above 1 is faster)", type="log", **ticks)
    figure.update_yaxes(showgrid=True, title="")
    return _layout(figure, 110 + 30 * max(1, own["variant_label"].nunique()))


def described(frame: pd.DataFrame, x: str = "Latency", y: str = "Accuracy") -> str:
    """A sentence in place of the trade-off chart, for those who do not see it."""
    best = views.front(frame, x, y)
    named = "; ".join(f"{row.variant_label}: {row.relative}" for row in best.itertuples())
    return f"{y} against {x.lower()} of {len(frame)} variants. On the Pareto front: {named or 'none'}."
