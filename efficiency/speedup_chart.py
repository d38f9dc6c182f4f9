"""Speed-ups: a line a variant, with its interval, around the baseline's 1."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, chart_points, chart_words, palette
from efficiency.analysis import panels, wording
from efficiency.study import CONTROL


def speedup_bars(frame: pd.DataFrame, studies: Sequence[str] = (), heading: str = "") -> go.Figure:
    """A line a variant: its speed-up as a dot with its interval; a line at 1 and the noise floor as a band around it.

    The control has the lowest line. Where several studies are drawn, the band is the widest of theirs.
    """
    own = panels.variants(frame).dropna(subset=["speedup"])
    own = own.sort_values("speedup", kind="stable").tail(chart_points.MAX_POINTS)
    own = pd.concat([frame[frame["variant"] == CONTROL].dropna(subset=["speedup"]), own]).tail(chart_points.MAX_POINTS)
    ends = ["speedup_ci_low", "speedup_ci_high"]
    measure = panels.MEASURES["Speed-up"]
    guides = [
        *chart_points.noise_bands(frame, measure, "x"),
        axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1.2}, x=1.0),
    ]
    errors = chart_points.errors(own, measure) or {}
    points = chart_points.points(
        own,
        {
            "x": own["speedup"],
            "error_x": errors | {"thickness": 1.8, "width": 5},
            "y": own["variant_label"].map(escape),
        },
        palette.markers(own, studies, 11),
        "Speed-up",
    )
    ticks = axes.log_ticks(np.append(own[["speedup", *ends]].to_numpy(float).ravel(), 1.0))
    title = "← slower · speed-up, 1 is the baseline · faster →" + axes.small(chart_points.noise_said(frame))
    return axes.figure(
        [points],
        110 + 30 * max(1, own["variant_label"].nunique()),
        x={"title": {"text": title, "standoff": 14}, "type": "log", **ticks},
        y={"showgrid": True, "automargin": True},
        heading=heading,
        shapes=guides,
    )


def described(frame: pd.DataFrame) -> str:
    """A sentence in place of the chart."""
    return f"Speed-up of {chart_words.count(frame)} against the baseline. " + " ".join(
        f"{f'{name}, f' if name else 'F'}astest first: "
        f"{chart_words.listed(panels.variants(rows).sort_values('speedup', ascending=False), wording.speed)}."
        for name, rows in chart_words.studies(frame)
    )
