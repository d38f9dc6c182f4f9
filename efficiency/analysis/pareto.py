"""The Pareto front of a workload under a condition: nothing else is better in one thing and no worse in another.

A difference that cannot be told from noise counts as none: otherwise chance alone would put half of the
variants on the front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZE_TOLERANCE = 0.01
"""Sizes within 1 % are equal: file headers differ, weights do not."""


@dataclass(frozen=True)
class Point:
    """What decides: higher is better in all three."""

    accuracy_pp: float
    """Difference to the baseline; 0 where its interval holds 0."""
    speedup: float
    """1 where it is not told apart from the baseline."""
    size_ratio: float

    def values(self) -> tuple[float, float, float]:
        """Size on a grid of the tolerance, so that ties are ties."""
        steps = round(np.log(self.size_ratio) / np.log1p(SIZE_TOLERANCE))
        return self.accuracy_pp, self.speedup, float(steps)


def front(points: list[Point]) -> list[bool]:
    """For each point, whether no other is at least as good in all three and better in one."""
    values = np.array([point.values() for point in points]).reshape(len(points), 3)
    flags = []
    for own in values:
        beaten = (values >= own).all(axis=1) & (values > own).any(axis=1)
        flags.append(not bool(beaten.any()))
    return flags
