"""Colours and symbols of the charts.

The colours are Okabe and Ito's, which people with colour-blindness tell apart, and belong to a technique for
good: a combination has the colour of the first technique that it applies, with a dot in it. Baseline and
control are neutral, and so is whatever could not be told from the baseline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from efficiency.analysis import panels
from efficiency.study import BASELINE, CONTROL

NEUTRAL = "#8A9399"
COLOURS = {
    "dynamic-int8": "#0072B2",
    "static-int8": "#D55E00",
    "qat-int8": "#CC79A7",
    "amp-bf16": "#E69F00",
    "amp-fp16": "#B8860B",
    "channels-last": "#009E73",
    "fast-path": "#56B4E9",
    "inference-mode": "#999933",
}
"""What a technique that is not named here gets is one of `SPARE`, by the order of its name."""
SPARE = ("#882255", "#332288", "#44AA99", "#AA4499", "#117733", "#661100")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "hexagon2", "star", "cross")
GLYPHS = "●■◆▲⬟⬢★✚"
"""A symbol a study, where several are shown; the same as characters, for the legend."""

FRONT = "#0b8fb0"
DASHES = ("solid", "dot", "dashdot", "longdash")
"""A line a study, where several have a Pareto front."""
GUIDE = "rgba(128,140,148,0.75)"
GRID = "rgba(128,140,148,0.16)"


def colour(variant: str) -> str:
    """The colour of a variant's key: that of the first technique it applies."""
    first = variant.split("+")[0]
    if first in (BASELINE, CONTROL):
        return NEUTRAL
    return COLOURS.get(first) or SPARE[sum(first.encode()) % len(SPARE)]


def in_order(rows: pd.DataFrame, studies: Sequence[str]) -> list[str]:
    """The studies whose place decides their symbol and line: those given, else as they appear."""
    return list(studies) or list(dict.fromkeys(rows["study_id"]))


def diameters(rows: pd.DataFrame, measure: str) -> list[float]:
    """Diameters, so that areas are in proportion to the values; baseline, control and unknowns are small."""
    values = rows[panels.MEASURES[measure].column]
    largest = values.max()
    if not largest > 0:
        return [13.0] * len(rows)
    diameters = (26 * np.sqrt(values.clip(lower=0) / largest)).clip(lower=10).fillna(10)
    return list(diameters.where(~rows["variant"].isin([BASELINE, CONTROL]), 12))


def markers(rows: pd.DataFrame, studies: Sequence[str], sizes: float | list[float]) -> dict[str, object]:
    """Colour by technique, symbol by study, a dot for combinations, grey where nothing was told apart."""
    symbols = {study: SYMBOLS[place % len(SYMBOLS)] for place, study in enumerate(in_order(rows, studies))}
    hues, fills, edges, shapes = [], [], [], []
    for variant, study, verdict in rows[["variant", "study_id", "speed_verdict"]].itertuples(index=False):
        hue, symbol = colour(variant), symbols.get(study, "circle")
        unsure = verdict == "unresolved"
        hues.append(hue)
        fills.append(NEUTRAL if unsure else hue)
        edges.append(hue if unsure else "rgba(255,255,255,0.9)")
        shapes.append("diamond-open" if variant == BASELINE else symbol + ("-dot" if "+" in variant else ""))
    baseline = rows["variant"] == BASELINE
    return {
        "size": sizes,
        "color": fills,
        "opacity": [0.5 if variant == CONTROL else 0.9 for variant in rows["variant"]],
        "symbol": shapes,
        "line": {
            "color": edges,
            "width": [
                2.5 if own else 2 if edge == hue else 1.2 for own, edge, hue in zip(baseline, edges, hues, strict=True)
            ],
        },
    }
