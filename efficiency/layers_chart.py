"""What each layer costs in INT8, as bars: Plotly from the frame of `analysis.layers.of`."""

from __future__ import annotations

from html import escape

import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette

MOST_BARS = 24
"""More are not read; those that cost most are shown, and all that stay in FP32."""


def bars(layers: pd.DataFrame, hue: str = palette.COLOURS["mixed-int8"]) -> go.Figure:
    """A bar a layer, in the order they are called from the top; coloured are those that stay in FP32."""
    ranked = layers.sort_values(["in_fp32", "gain_pct"], ascending=False, kind="stable").head(MOST_BARS)
    own = layers.loc[ranked.index].sort_index()
    kinds = own["kind"].map(escape)
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": own["gain_pct"],
        "y": [_label(name, kind) for name, kind in zip(own["name"], kinds, strict=True)],
        "marker": {"color": [hue if left else palette.NEUTRAL for left in own["in_fp32"]]},
        "text": [f"{gain:.1f} %{', FP32' if left else ''}" for gain, left in own[["gain_pct", "in_fp32"]].to_numpy()],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": own["name"].map(escape) + ", " + kinds,
        "hovertemplate": "%{customdata}: %{x:.2f} % of the squared error<extra></extra>",
    }  # fmt: skip
    low, high = min(0.0, float(own["gain_pct"].min())), max(1.0, float(own["gain_pct"].max()))
    return axes.figure(
        [trace],
        90 + 24 * max(1, len(own)),
        x={
            "title": {"text": "Error of the scores that goes with this layer in FP32 [%]", "standoff": 14},
            "range": [1.25 * low, 1.25 * high],
        },
        y={"automargin": True, "showgrid": False, "type": "category", "autorange": "reversed"},
        bargap=0.35,
    )


def _label(name: str, kind: str) -> str:
    """A number, as in a Sequential, tells nothing by itself; and one alone would be taken for a value of the axis."""
    return f"{escape(name)} · {kind} " if name.isdecimal() else f"{escape(name)} "
