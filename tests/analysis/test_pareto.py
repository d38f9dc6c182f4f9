"""The front: nothing else is better in one thing and no worse in another, as far as can be told."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.analysis.pareto import Estimate, Point, front


def point(accuracy_pp: float, speedup: float, size_ratio: float, margin: float = 0.01) -> Point:
    """Intervals reach `margin` to either side."""
    return Point(
        Estimate(accuracy_pp, accuracy_pp - margin, accuracy_pp + margin),
        Estimate(speedup, speedup - margin, speedup + margin),
        size_ratio,
    )


BASELINE = point(0.0, 1.0, 1.0, margin=0.0)


@pytest.mark.parametrize(
    ("points", "flags"),
    [
        ([BASELINE], [True]),
        ([BASELINE, point(0.0, 2.0, 1.0)], [False, True]),
        ([BASELINE, point(-1.0, 2.0, 1.0)], [True, True]),  # a trade
        ([BASELINE, point(-1.0, 1.0, 1.0)], [True, False]),  # accuracy lost for nothing
        ([BASELINE, BASELINE], [True, True]),  # ties do not beat one another
        ([BASELINE, point(-1.0, 2.0, 4.0), point(-2.0, 2.0, 4.0)], [True, True, False]),
        ([BASELINE, point(0.0, 1.0, 1.004)], [True, True]),  # a file's header is no gain
        ([BASELINE, point(0.0, 1.0, 1.006), point(0.0, 1.0, 1.0065)], [True, True, True]),  # nor is one, anywhere
        ([BASELINE, point(0.0, 1.0, 1.02)], [False, True]),
        ([point(0.0, 3.2, 4.0, 0.3), point(0.0, 3.3, 4.0, 0.3)], [True, True]),  # luck takes nobody off
        ([point(0.0, 3.2, 4.0, 0.3), point(0.0, 4.0, 4.0, 0.3)], [False, True]),
        ([point(0.0, 3.2, 4.0, 0.3), point(0.0, 4.0, 3.98, 0.3)], [False, True]),  # as small, but for a header
        ([], []),
    ],
)
def test_who_is_on_the_front(points, flags):
    assert front(points) == flags


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3, 3.0])
def test_it_is_never_empty_and_holds_all_that_exact_figures_would(margin):
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows = rng.uniform((-2, 0.5, 1), (2, 4, 4), (25, 3))
        flags = front([point(*row, margin=margin) for row in rows])
        beaten = [any((other >= own).all() and (other > own).any() for other in rows) for own in rows]
        assert any(flags)
        assert all(flag for flag, lost in zip(flags, beaten, strict=True) if not lost)


def test_the_order_does_not_matter():
    rng = np.random.default_rng(1)
    points = [point(*row) for row in rng.uniform(1, 3, (20, 3))]
    flags = front(points)
    assert front(points[::-1]) == flags[::-1]
