"""The figures of a claim on one scale: where its points, intervals and lines lie, in percent of the width."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from efficiency.claims import Case, Figure

MARGIN = 0.04
"""Of the scale, at either end."""


@dataclass(frozen=True)
class Place:
    """Percent from the left."""

    value: float
    low: float
    high: float
    line: float


def places(cases: Iterable[Case]) -> list[Place | None]:
    """A place a case, None for one without a figure. Ratios are on a logarithmic scale, so that 2x and 0.5x lie
    equally far from 1x; differences on a linear one, and its 0 is always in sight, as 1x is."""
    cases = list(cases)
    figures = [case.figure for case in cases if case.figure is not None]
    if not figures:
        return [None for _ in cases]
    ratio = all(figure.unit == "x" and min(_ends(figure)) > 0 for figure in figures)
    values = np.array([_ends(figure) for figure in figures])
    scaled = np.log(values) if ratio else values
    low, high = min(float(scaled.min()), 0.0), max(float(scaled.max()), 0.0)
    room = (high - low or 1.0) * MARGIN
    shares = iter(100 * (scaled - low + room) / (high - low + 2 * room))
    return [None if case.figure is None else Place(*map(float, next(shares))) for case in cases]


def _ends(figure: Figure) -> tuple[float, float, float, float]:
    """Value, low, high and line."""
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    return figure.value, low, high, figure.line
