"""The Pareto front of a workload under a condition: nothing else is better in one thing and no worse in another.

A difference that cannot be told from noise is none. It neither puts a variant on the front (otherwise
chance alone would put half of them there) nor takes one off: what beats another must surely do so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

SIZE_TOLERANCE = 0.01
"""Sizes within 1 % are equal: file headers differ, weights do not."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; higher is better."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """What decides."""

    accuracy_pp: Estimate
    """Difference to the baseline; its value is 0 where the interval holds 0."""
    speedup: Estimate
    """Its value is 1 where it is not told apart from the baseline."""
    size_ratio: float

    def beats(self, other: Point) -> bool:
        """No worse in anything, and surely better in something.

        No worse is judged by the values, so that points cannot beat each other in a circle.
        """
        ours, theirs = (self.accuracy_pp, self.speedup), (other.accuracy_pp, other.speedup)
        margin = 1 + SIZE_TOLERANCE
        if any(a.value < b.value for a, b in zip(ours, theirs, strict=True)):
            return False
        if self.size_ratio * margin < other.size_ratio:
            return False
        surely = any(a.value > b.value and a.low > b.high for a, b in zip(ours, theirs, strict=True))
        return surely or self.size_ratio > other.size_ratio * margin


def front(points: list[Point]) -> list[bool]:
    """For each point, whether no other beats it."""
    return [not any(other.beats(own) for other in points) for own in points]


def point(columns: Mapping[str, object]) -> Point | None:
    """Of a row's columns; None where one of the figures that decide is unknown."""
    if any(columns.get(name) is None for name in ("accuracy_delta_pp", "speedup", "size_ratio")):
        return None
    delta = Estimate(*(_number(columns, f"accuracy_delta_{part}pp") for part in ("", "ci_low_", "ci_high_")))
    ratio = Estimate(*(_number(columns, f"speedup{part}") for part in ("", "_ci_low", "_ci_high")))
    if delta.low <= 0 <= delta.high:
        delta = replace(delta, value=0.0)
    if columns["speed_verdict"] not in {"faster", "slower"}:
        ratio = replace(ratio, value=1.0)
    return Point(delta, ratio, _number(columns, "size_ratio"))


def _number(columns: Mapping[str, object], name: str) -> float:
    value = columns[name]
    assert isinstance(value, int | float)
    return float(value)
