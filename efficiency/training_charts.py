"""Plotly figures of training studies: loss curves over each other, and peak memory beside the baseline's."""

from __future__ import annotations

from html import escape

import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.study import BASELINE, CONTROL

LINES = ("solid", "dash", "dashdot", "longdash")
"""One for each variant whose first technique, and so whose colour, is the same."""


def loss_curves(curves: pd.DataFrame) -> go.Figure:
    """A line a variant, of `analysis.training.curves`; the baseline's second run is dotted."""
    traces, used = [], dict.fromkeys(curves["variant"], "")
    of_colour: dict[str, int] = {}
    for variant in used:
        hue = palette.colour(variant)
        used[variant] = "dot" if variant == CONTROL else LINES[of_colour.get(hue, 0) % len(LINES)]
        of_colour[hue] = of_colour.get(hue, 0) + (variant != CONTROL)
    for (variant, label), own in curves.groupby(["variant", "label"], sort=False):
        traces.append({
            "type": "scatter",
            "mode": "lines",
            "x": own["step"],
            "y": own["loss"],
            "name": escape(str(label)),
            "line": {
                "color": palette.colour(str(variant)),
                "width": 3 if variant == BASELINE else 1.8,
                "dash": used[str(variant)],
            },
            "hovertemplate": "Step %{x}: %{y:.3f}<extra>" + escape(str(label)) + "</extra>",
        })  # fmt: skip
    return axes.figure(
        traces,
        300 + 22 * len(traces),
        x={"title": {"text": "Step", "standoff": 12}},
        y={"rangemode": "normal"},
        title="Loss",
        showlegend=True,
        margin={"l": 52, "r": 12, "t": 30, "b": 60 + 22 * len(traces)},
        legend={"orientation": "v", "y": -0.22, "yanchor": "top", "x": 0, "xanchor": "left"},
    )


def peak_memory(panel: pd.DataFrame) -> go.Figure:
    """A bar a variant, the baseline's lowest with a line at its peak."""
    own = panel[panel["variant"] != CONTROL].dropna(subset=["peak_memory_mb"])
    own = pd.concat([own[own["variant"] == BASELINE], own[own["variant"] != BASELINE]])
    peaks = own.loc[own["variant"] == BASELINE, "peak_memory_mb"]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": own["peak_memory_mb"],
        "y": own["variant_label"].map(escape),
        "marker": {"color": [palette.colour(variant) for variant in own["variant"]]},
        "text": [f"{peak:,.0f} MB" for peak in own["peak_memory_mb"]],
        "textposition": "auto",
        "hovertemplate": "%{y}: %{x:,.0f} MB<extra></extra>",
    }
    return axes.figure(
        [bars],
        110 + 30 * max(1, len(own)),
        x={"title": {"text": "Peak memory of training [MB]", "standoff": 14}, "rangemode": "tozero"},
        y={"automargin": True, "showgrid": False},
        shapes=[axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1.2}, x=float(peak)) for peak in peaks],
        bargap=0.35,
    )
