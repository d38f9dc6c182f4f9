"""Accuracy and clipping under growing shift, as lines: Plotly from the frame of `analysis.drift.table`."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis import drift, views
from efficiency.analysis.wording import number


def accuracy(lines: pd.DataFrame, recalibrated: bool) -> go.Figure:
    """Of one shift: a line a variant over the grades, with 95 % intervals; calibrated anew, dotted."""
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
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": f"{name}, calibrated anew",
                    "x": own["grade"],
                    "y": own["recalibrated_pct"],
                    "line": {"color": hue, "dash": "dot"},
                    "marker": {"symbol": "circle-open"},
                    "hovertemplate": f"{name}, calibrated anew, grade %{{x}}: %{{y:.1f}} %<extra></extra>",
                }
            )
    return _over_grades(traces, "Accuracy [%]", 340)


def clipping(lines: pd.DataFrame) -> go.Figure:
    """Of one shift: how much more noise clipping adds to an activation than at grade 0; dashed, the alarm."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": views.variant_label(str(variant)),
            "x": own["grade"],
            "y": own["clipped_pct"].clip(lower=0),
            "line": {"color": palette.colour(str(variant))},
            "text": own["clipped_layer"],
            "hovertemplate": "grade %{x}: %{y:.2f} %, at %{text}<extra></extra>",
        }
        for variant, own in lines[lines["clipped_pct"].notna()].groupby("variant", sort=False)
    ]
    alarm = axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1}, y=drift.ALARM_PCT)
    return _over_grades(traces, "Noise that clipping adds [% of variance]", 220, shapes=[alarm])


def _over_grades(traces: list[axes.Part], title: str, height: int, **layout: Any) -> go.Figure:
    return axes.figure(
        traces,
        height,
        x={"title": "Grade of the shift", "tickvals": list(range(6)), "range": [-0.2, 5.2]},
        y={"rangemode": "tozero"} if layout else {},
        title=title,
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
        **layout,
    )


def described(lines: pd.DataFrame) -> str:
    """A sentence in place of the chart."""
    told = [
        f"{views.variant_label(str(variant))} from {number(own['accuracy_pct'].iloc[0])} to "
        f"{number(own['accuracy_pct'].iloc[-1])} %"
        for variant, own in lines.groupby("variant", sort=False)
    ]
    return f"Accuracy from grade 0 to the last: {'; '.join(told)}."
