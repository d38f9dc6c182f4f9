"""Two studies side by side as a forest plot, from the rows of `analysis.compare`."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis import compare_words, wording

MAX_LINES = 60
"""Lines of one chart: more cannot be read."""
MANY_TICKS = 6
"""From so many on, every second or third is left out."""


def forest(rows: pd.DataFrame, heading: str = "") -> go.Figure:
    """A line a variant: B's speed-up over A's as a dot with its interval, the one that lost most at the bottom.

    Around 1 lie two bands: the noise floor of A, and B's on top of it. `rows` are those of one workload, data set and
    condition in `Compared.judged`, of which the first `MAX_LINES` are drawn; a point carries both rows' ids.
    """
    own = rows.head(MAX_LINES)
    centre = own["ratio"].to_numpy(float)
    ends = own[["ratio_low", "ratio_high"]].to_numpy(float)
    looks = own.assign(study_id="", speed_verdict=own["verdict"])
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": centre,
        "error_x": {
            "type": "data", "symmetric": False, "array": (ends[:, 1] - centre).clip(min=0),
            "arrayminus": (centre - ends[:, 0]).clip(min=0), "thickness": 1.8, "width": 5, "color": palette.GUIDE,
        },
        "y": own["variant_label"].map(escape),
        "marker": palette.markers(looks, (), 11),
        "customdata": own[["row_id_a", "row_id_b"]].to_numpy(int).tolist(),
        "text": [_hover(row) for row in own.to_dict("records")],
        "hovertemplate": "%{text}<extra></extra>",
        "name": "B against A",
    }  # fmt: skip
    bands = [axes.band(1 / floor, floor, opacity=0.14) for floor in _floors(own) if floor > 1]
    title = "speed-up, B / A" + axes.small("← B slower · B faster →") + axes.small(bands_said(own))
    return axes.figure(
        [points],
        126 + 30 * max(1, own["variant_label"].nunique()),
        x={
            "title": {"text": title, "standoff": 14},
            "type": "log",
            "tickangle": 0,
            **_ticks([*centre, *ends.ravel()], own),
        },
        y={"showgrid": True, "automargin": True},
        heading=heading,
        shapes=[*bands, axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1.2}, x=1.0)],
    )


def _floors(rows: pd.DataFrame) -> tuple[float, float]:
    """A's noise floor, and with B's on top of it; 1 where none is known."""
    both = float(rows["floor"].max())
    ours = rows["noise_pct_a"].max()
    return both, 1.0 if pd.isna(ours) else float(1 + ours / 100)


def _ticks(values: list[float], rows: pd.DataFrame) -> axes.Part:
    """With 1 and both bands in sight, and few enough for a narrow screen."""
    both = _floors(rows)[0]
    found = axes.log_ticks(np.array([*values, 1 / both, both]))
    step = 1 + len(found["tickvals"]) // MANY_TICKS
    first = found["tickvals"].index(1.0) % step if 1.0 in found["tickvals"] else 0
    return found | {name: found[name][first::step] for name in ("tickvals", "ticktext")}


def bands_said(rows: pd.DataFrame) -> str:
    """`grey: noise, A's ±1.2 %, both ±2.5 %`; empty where neither is known. Short: it must fit a narrow chart."""
    both, ours = _floors(rows)
    if both == 1:
        return ""
    return f"grey: noise, A's {wording.plus_minus(100 * (ours - 1))}, both {wording.plus_minus(100 * (both - 1))}"


def described(rows: pd.DataFrame) -> str:
    """A sentence in place of the chart, for those who do not see it."""
    told = [f"{row['variant_label']}: {compare_words.moved(row)}" for row in rows.head(MAX_LINES).to_dict("records")]
    return "B against A, the one that lost most first: " + "; ".join(told) + "."


def _hover(row: Mapping[Any, Any]) -> str:
    lines = [
        f"<b>{escape(str(row['variant_label']))}</b>",
        compare_words.moved(row),
        f"A: {compare_words.speed_up(row, 'a')}",
        f"B: {compare_words.speed_up(row, 'b')}",
        f"Accuracy: {words}" if (words := compare_words.accuracy(row)) else "",
    ]
    return "<br>".join(filter(None, lines))
