"""What every chart shares: its layout, lines across it, and ticks that do not pile up."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from efficiency import palette

Part = dict[str, Any]
"""A piece of a figure as Plotly's JSON has it. Figures are put together from these in one go: piece by
piece, Plotly takes ten times as long."""


HEADING_WIDTH = 46
"""Characters of a heading that fit above a chart of a third of the page."""


def figure(
    traces: list[Part], height: int, x: Part, y: Part, title: str = "", heading: str = "", **layout: Any
) -> go.Figure:
    """`title` is the vertical axis's, read without turning the head and never across the tick labels.
    `heading` stands above it, in lines where it is long; the chart is that much higher than `height`.

    A second line of the horizontal axis's title makes it higher, too.
    Margins are fixed: to fit them to the labels, Plotly draws a chart twice. An axis of words asks for it.
    """
    below = 16 * str(x.get("title", "")).count("<br>")
    axis = {"gridcolor": palette.GRID, "zeroline": False, "automargin": False}
    above = {
        "text": title, "x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
        "xshift": -42, "yshift": 6, "showarrow": False, "font": {"size": 12, "color": palette.NEUTRAL},
    }  # fmt: skip
    lines = _lines(heading)
    top = 22 * len(lines)
    name = {
        "text": "<br>".join(f"<b>{escape(part)}</b>" for part in lines), "font": {"size": 15},
        "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
        "pad": {"l": 10, "t": 6},
    }  # fmt: skip
    return go.Figure({
        "data": traces,
        "layout": {
            "height": height + top + below,
            "margin": {"l": 52, "r": 12, "t": 30 + top, "b": 50 + below},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hoverlabel": {"align": "left"},
            "dragmode": False,
            "xaxis": axis | x,
            "yaxis": axis | y,
            "annotations": [above] if title else [],
            **({"title": name} if heading else {}),
            **layout,
        },
    })  # fmt: skip


def _lines(heading: str) -> list[str]:
    """Cut at its dots, where it is too long for one line."""
    lines: list[str] = []
    for part in heading.split(" · ") if heading else []:
        joined = f"{lines[-1]} · {part}" if lines else part
        if lines and len(joined) <= HEADING_WIDTH:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def line(style: Part, *, x: float | None = None, y: float | None = None) -> Part:
    """A line across the whole chart, behind the points: upright at `x`, or level at `y`."""
    if x is not None:
        return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": style, "layer": "below"}
    return {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "line": style, "layer": "below"}


def band(low: float, high: float, across: str = "x", hue: str = palette.NEUTRAL, opacity: float = 0.2) -> Part:
    """A shaded stretch from `low` to `high` of an axis, `x`, `x2` or `y`, over the whole of the first other one."""
    letter, other = across[0], "y" if across[0] == "x" else "x"
    return {
        "type": "rect", f"{letter}0": low, f"{letter}1": high, f"{letter}ref": across,
        f"{other}0": 0, f"{other}1": 1, f"{other}ref": f"{other} domain",
        "fillcolor": hue, "opacity": opacity, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def small(text: str) -> str:
    """A line below an axis's title."""
    return f'<br><span style="font-size:11px">{text}</span>' if text else ""


def log_ticks(values: NDArray[np.float64]) -> Part:
    """Few round ticks, as on a ruler: Plotly's own pile up on a logarithmic axis of less than a decade."""
    known = values[values > 0]
    if not len(known):
        return {}
    low, high = np.log10(known.min()) - 0.08, np.log10(known.max()) + 0.08
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = [
            step * 10.0**decade
            for decade in range(int(np.floor(low)), int(np.ceil(high)) + 1)
            for step in steps
            if low <= np.log10(step * 10.0**decade) <= high
        ]
        if len(ticks) >= 4:
            break
    else:
        ticks = _even_ticks(float(10**low), float(10**high))
    if len(ticks) > 7:  # every other one, 1 among them: the labels would lie over each other on a narrow screen
        ticks = ticks[(ticks.index(1.0) if 1.0 in ticks else 0) % 2 :: 2]
    ticktext = [f"{tick:.4g}" for tick in ticks[:12]]
    return {"tickvals": ticks[:12], "ticktext": ticktext, "tickangle": 0, "range": [low, high]}


def _even_ticks(low: float, high: float) -> list[float]:
    """At most six, evenly apart and on both sides of 1 alike, where a stretch is short enough to be nearly linear."""
    decade = 10.0 ** np.floor(np.log10(high - low))
    for step in (0.1 * decade, 0.2 * decade, 0.5 * decade, decade, 2 * decade):
        numbers = range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)
        if len(numbers) <= 6:
            break
    return [float(f"{number * step:.10g}") for number in numbers]
