"""What a machine can do, as bars: Plotly from a `Ceiling`."""

from __future__ import annotations

import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis.tables import of_threads
from efficiency.analysis.wording import number
from efficiency.ceiling import ARITHMETIC, Ceiling

HUES = (palette.NEUTRAL, palette.FRONT, "#D55E00")
"""For 1 thread, for all, for the GPU."""


def bars(found: Ceiling) -> go.Figure:
    """Peak of the matrix product by arithmetic, a colour a number of threads; with its figure on each bar."""
    kinds = [kind for kind in ARITHMETIC if any(rates.gops.get(kind) for rates in found.rates)]
    traces = [
        {
            "type": "bar",
            "x": [ARITHMETIC[kind] for kind in kinds],
            "y": [rates.gops.get(kind) or None for kind in kinds],
            "text": [number(rates.gops.get(kind) or None) for kind in kinds],
            "textposition": "outside",
            "cliponaxis": False,
            "name": of_threads(rates),
            "marker": {"color": hue, "line": {"width": 0}},
            "hovertemplate": "%{x}: %{text} x 10<sup>9</sup> a second<extra>" + of_threads(rates) + "</extra>",
        }
        for rates, hue in zip(found.rates, HUES, strict=False)
    ]
    return axes.figure(
        traces,
        260,
        x={"showgrid": False},
        y={"rangemode": "tozero"},
        title="10<sup>9</sup> operations a second",
        barmode="group",
        bargap=0.35,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def described(found: Ceiling) -> str:
    """A sentence in place of the chart, for those who do not see it."""
    told = [
        f"{of_threads(rates)}: "
        + ", ".join(f"{ARITHMETIC[kind]} {number(rates.gops[kind])}" for kind in ARITHMETIC if rates.gops.get(kind))
        for rates in found.rates
    ]
    return f"Peak of matrix products in 10^9 operations a second. {'; '.join(told)}."
