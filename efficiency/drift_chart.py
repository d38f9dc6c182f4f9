"""Accuracy and clipping under growing shift, as lines, and how far layers leave their ranges, as bars.

Plotly from the frames of `analysis.drift.table` and `analysis.drift_alarm.layers`.
"""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis import drift_alarm, views
from efficiency.analysis.wording import number


def accuracy(lines: pd.DataFrame, recalibrated: bool) -> go.Figure:
    """Of one shift: a line a variant over the grades, with 95 % intervals; recalibrated, dotted."""
    traces = []
    for variant, own in lines.groupby("variant", sort=False):
        name, hue = views.variant_label(str(variant)), palette.colour(str(variant))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": own["grade"],
                "y": own["accuracy_pct"],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": own["accuracy_high_pct"] - own["accuracy_pct"],
                    "arrayminus": own["accuracy_pct"] - own["accuracy_low_pct"],
                    "thickness": 1,
                    "width": 3,
                },
                "line": {"color": hue},
                "hovertemplate": f"{name}, grade %{{x}}: %{{y:.1f}} %<extra></extra>",
            }
        )
        if recalibrated and own["recalibrated_pct"].notna().any():
            hover = f"{name}, recalibrated, grade %{{x}}: %{{y:.1f}} %<extra></extra>"
            traces.append(_dotted(name, hue, own["grade"], own["recalibrated_pct"], hover))
    return _over_grades(traces, "Accuracy [%]", 340)


def clipping(lines: pd.DataFrame, recalibrated: bool) -> go.Figure:
    """Of one shift: how much more noise clipping adds than on the rows of the calibration; dashed, the alarm."""
    traces = []
    for variant, own in lines[lines["clipped_pct"].notna()].groupby("variant", sort=False):
        name, hue = views.variant_label(str(variant)), palette.colour(str(variant))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": own["grade"],
                "y": own["clipped_pct"].clip(lower=0),
                "line": {"color": hue},
                "text": own["clipped_layer"].map(escape),
                "hovertemplate": f"{name}, grade %{{x}}: %{{y:.2f}} %, at %{{text}}<extra></extra>",
            }
        )
        if recalibrated and own["recalibrated_clipped_pct"].notna().any():
            hover = f"{name}, recalibrated, grade %{{x}}: %{{y:.2f}} %<extra></extra>"
            after = own["recalibrated_clipped_pct"].clip(lower=0)
            traces.append(_dotted(name, hue, own["grade"], after, hover))
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Alarm: above it, the calibration does not fit",
            "x": [-0.2, 5.2],
            "y": [drift_alarm.ALARM_PCT] * 2,
            "line": {"color": palette.GUIDE, "dash": "dash", "width": 1},
            "hoverinfo": "skip",
        }
    )
    return _over_grades(traces, "Noise that clipping adds [% of variance]", 260, y={"rangemode": "tozero"})


def _dotted(name: str, hue: str, x: pd.Series[Any], y: pd.Series[Any], hover: str) -> axes.Part:
    """The line of a variant after it was calibrated anew."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{name}, recalibrated",
        "x": x,
        "y": y,
        "line": {"color": hue, "dash": "dot"},
        "marker": {"symbol": "circle-open"},
        "hovertemplate": hover,
    }


def layers(furthest: pd.DataFrame) -> go.Figure:
    """A bar a layer and variant: how wide its range would have to be; the line is the calibrated range."""
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": views.variant_label(str(variant)),
            "x": own["reach"],
            "y": own["layer"].map(escape) + " ",  # a name of digits alone would be taken for a number
            "marker": {"color": palette.colour(str(variant))},
            "text": [f"{reach:.2f}x, {number(cut, '%')}" for reach, cut in own[["reach", "clipped_pct"]].to_numpy()],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        }
        for variant, own in furthest.groupby("variant", sort=False)
    ]
    return axes.figure(
        traces,
        100 + 24 * max(1, len(furthest)),
        x={
            "title": {"text": "Range that would hold all values / calibrated range", "standoff": 14},
            "range": [0, 1.35 * max(1.0, float(furthest["reach"].max()))],
        },
        y={
            "automargin": True, "showgrid": False, "type": "category", "autorange": "reversed",
            "categoryorder": "array", "categoryarray": (furthest["layer"].drop_duplicates().map(escape) + " ").tolist(),
        },
        shapes=[axes.line({"color": palette.NEUTRAL, "dash": "dash", "width": 1}, x=1.0) | {"layer": "above"}],
        bargap=0.35,
        showlegend=len(traces) > 1,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )  # fmt: skip


def _over_grades(traces: list[axes.Part], title: str, height: int, y: axes.Part | None = None) -> go.Figure:
    return axes.figure(
        traces,
        height,
        x={"title": "Grade of the shift", "tickvals": list(range(6)), "range": [-0.2, 5.2]},
        y=y or {},
        title=title,
        showlegend=True,
        legend={"orientation": "h", "y": -52 / (height - 80), "yanchor": "top", "x": 0},  # below the axis's title
    )


def described(lines: pd.DataFrame) -> str:
    """A sentence in place of the chart."""
    told = [
        f"{views.variant_label(str(variant))} from {number(own['accuracy_pct'].iloc[0])} to "
        f"{number(own['accuracy_pct'].iloc[-1])} %"
        for variant, own in lines.groupby("variant", sort=False)
    ]
    return f"Accuracy from grade 0 to the last: {'; '.join(told)}."
