"""The trade-off: two measures against each other, a third as the area of the marker, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, chart_points, chart_words, overlaps, palette
from efficiency.analysis import panels
from efficiency.axes import Part
from efficiency.study import BASELINE, CONTROL

FADED = 0.15
"""Opacity of what does not keep to the limits."""


def trade_off(
    frame: pd.DataFrame,
    x: str = "Latency",
    y: str = "Accuracy",
    size: str = "Size",
    studies: Sequence[str] = (),
    height: int = 420,
    heading: str = "",
    inside: pd.Series | None = None,
) -> go.Figure:
    """One panel: two measures against each other, a third as the area of the marker.

    Where `inside` says for each row whether it keeps to some limits, those that do not fade, and none is on the front.

    On an axis of time a band as wide as the noise floor lies around each baseline. `studies` are the ids that have
    a symbol each, in this order; each has a Pareto front of its own. A point carries its row's id in `customdata`,
    which a selection gives back.
    """
    across, up = panels.MEASURES[x], panels.MEASURES[y]
    rows = frame.dropna(subset=[across.column, up.column]).head(chart_points.MAX_POINTS)
    # Large markers first, control and baseline last, so that none is hidden.
    diameters = pd.Series(palette.diameters(rows, size), index=rows.index)
    turns = diameters.mask(rows["variant"] == CONTROL, 1).mask(rows["variant"] == BASELINE, 0)
    order = turns.sort_values(ascending=False, kind="stable").index
    rows, diameters = rows.loc[order], diameters.loc[order]
    dashed = {"color": palette.GUIDE, "dash": "dash", "width": 1}
    reference = rows.loc[rows["variant"] == BASELINE, [across.column, up.column]].to_numpy(float)
    guides = [guide for place, level in reference for guide in (axes.line(dashed, x=place), axes.line(dashed, y=level))]
    order_of = {study: place for place, study in enumerate(palette.in_order(rows, studies))}
    fronts = [
        _front(panels.front(own, x, y), across, up, diameters, palette.DASHES[order_of[study] % len(palette.DASHES)])
        for study, own in panels.by_study(rows if inside is None else rows[inside.reindex(rows.index)])
    ]
    also = overlaps.told(rows, across, up)
    kept = pd.Series(True, index=rows.index) if inside is None else inside.reindex(rows.index)
    clouds = [
        chart_points.points(
            own,
            {
                "x": own[across.column],
                "error_x": chart_points.errors(own, across),
                "y": own[up.column],
                "error_y": chart_points.errors(own, up),
                "opacity": opacity,
            },
            palette.markers(own, palette.in_order(rows, studies), list(diameters.loc[own.index])),
            "Variants",
            also.loc[own.index],
        )
        for own, opacity in ((rows[~kept], FADED), (rows[kept], 1.0))
        if opacity == 1.0 or len(own)
    ]
    bands = [*chart_points.noise_bands(rows, across, "x"), *chart_points.noise_bands(rows, up, "y")]
    return axes.figure(
        [*fronts, *clouds],
        height,
        x={
            "title": {
                "text": across.title + axes.small(chart_points.noise_said(rows) if bands else ""),
                "standoff": 14,
            },
            **_axis(rows, across),
        },
        y=_axis(rows, up),
        title=up.title,
        heading=heading,
        shapes=[*bands, *guides],
    )


def _front(best: pd.DataFrame, x: panels.Measure, y: panels.Measure, diameters: pd.Series, dash: str) -> Part:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": best[x.column],
        "y": best[y.column],
        "line": {"color": palette.FRONT, "width": 2, "dash": dash},
        "marker": {
            "symbol": "circle-open",
            "color": palette.FRONT,
            "size": list(diameters.loc[best.index] + 8),
            "line": {"width": 2},
        },
        "hoverinfo": "skip",
        "name": "Pareto front",
    }


def _axis(rows: pd.DataFrame, measure: panels.Measure) -> Part:
    """Linear, or logarithmic with round ticks and room for the intervals."""
    if not measure.log:
        return {"type": "linear"}
    columns = [name for name in (measure.column, measure.low, measure.high) if name]
    return {"type": "log", **axes.log_ticks(rows[columns].to_numpy(float).ravel())}


def described(frame: pd.DataFrame, x: str = "Latency", y: str = "Accuracy") -> str:
    """A sentence in place of the trade-off chart, for those who do not see it."""
    return f"{y} against {x.lower()} of {chart_words.count(frame)}. " + " ".join(
        f"On the Pareto front{' of ' * bool(name)}{name}: {chart_words.listed(panels.front(rows, x, y))}."
        for name, rows in chart_words.studies(frame)
    )
