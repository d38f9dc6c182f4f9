"""Colours and symbols of the charts.

The first are Okabe and Ito's, which people with colour-blindness tell apart, and all belong to a technique for
good: a combination has the colour of the first technique that it applies, with a dot in it. What is surely faster or
slower is filled with it. The rest is neutral, and told apart by its shape, so that no colour is needed: hollow where
the speed could not be told from the baseline's, full where it is the same, a cross for the control, a diamond for
the baseline.
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
    "int8-lstm": "#004D8C",
    "static-int8": "#D55E00",
    "mixed-int8": "#8C4A00",
    "qat-int8": "#CC79A7",
    "int8-weight-only": "#3F4FA8",
    "int4-weight-only": "#A99BE8",
    "int8-dynamic": "#00A6A6",
    "float8-dynamic": "#F08080",
    "bf16-weights": "#EE3377",
    "fp16-weights": "#9B1B5A",
    "amp-bf16": "#E69F00",
    "amp-fp16": "#B8860B",
    "channels-last": "#009E73",
    "optimize-for-inference": "#7F3C8D",
    "torch-compile": "#0B775E",
    "cuda-graphs": "#76B900",
    "pt2e-dynamic-int8": "#2B5FD9",
    "pt2e-static-int8": "#A8763E",
    "pt2e-qat-int8": "#B0559B",
    "onnxruntime": "#6A3D9A",
    "onnxruntime-dynamic-int8": "#4FA3BF",
    "onnxruntime-static-int8": "#B2182B",
    "openvino": "#4D7C0F",
    "openvino-int8": "#6FA012",
    "fast-path": "#56B4E9",
    "inference-mode": "#999933",
    "grad-enabled": "#6B4E71",
}
"""What a technique that is not named here gets is one of `SPARE`, by the order of its name."""
SPARE = ("#882255", "#332288", "#44AA99", "#AA4499", "#117733", "#661100")
SYMBOLS = ("circle", "square", "triangle-up", "pentagon", "hexagon2", "star", "triangle-down", "bowtie")
GLYPHS = "●■▲⬟⬢★▼⧓"
"""A symbol a study, where several are shown; the same as characters, for the legend. Diamond and cross are taken."""

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


def faded(hue: str, opacity: float) -> str:
    """`#0072B2` as `rgba(0,114,178,0.6)`: what lies behind shows through."""
    red, green, blue = (int(hue[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def in_order(rows: pd.DataFrame, studies: Sequence[str]) -> list[str]:
    """The studies whose place decides their symbol and line: those given, else as they appear."""
    return list(studies) or list(dict.fromkeys(rows["study_id"]))


def diameters(rows: pd.DataFrame, measure: str) -> list[float]:
    """Diameters, so that areas are in proportion to the values; baseline, control and unknowns are small."""
    values = rows[panels.MEASURES[measure].column]
    largest = values.max()
    if not largest > 0:
        return [13.0] * len(rows)
    diameters = (20 * np.sqrt(values.clip(lower=0) / largest)).clip(lower=8).fillna(8)
    return list(diameters.mask(rows["variant"] == CONTROL, 13).mask(rows["variant"] == BASELINE, 9))


def markers(rows: pd.DataFrame, studies: Sequence[str], sizes: float | list[float]) -> dict[str, object]:
    """Colour by technique, symbol by study, a dot for combinations; the look says what may be said of the speed."""
    symbols = {study: SYMBOLS[place % len(SYMBOLS)] for place, study in enumerate(in_order(rows, studies))}
    looks = []
    for variant, study, verdict in rows[["variant", "study_id", "speed_verdict"]].itertuples(index=False):
        hue, symbol, dot = colour(variant), symbols.get(study, "circle"), "-dot" * ("+" in variant)
        if variant == BASELINE:
            looks.append((NEUTRAL, NEUTRAL, "diamond-open", 2.0))
        elif variant == CONTROL:
            looks.append((NEUTRAL, NEUTRAL, "x-thin-open", 2.2))
        elif verdict == "unresolved":
            looks.append((NEUTRAL, NEUTRAL, f"{symbol}-open{dot}", 2.2))
        elif verdict == "same":
            looks.append((NEUTRAL, NEUTRAL, symbol + dot, 1.5))
        else:
            looks.append((faded(hue, 0.6), hue, symbol + dot, 1.5))
    fills, edges, shapes, widths = zip(*looks, strict=True) if looks else ((), (), (), ())
    return {
        "size": sizes,
        "color": list(fills),
        "opacity": 1,
        "symbol": list(shapes),
        "line": {"color": list(edges), "width": list(widths)},
    }
