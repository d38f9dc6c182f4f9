"""The front: nothing else is better in one thing and no worse in another."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.analysis.pareto import Point, front

BASELINE = Point(0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("points", "flags"),
    [
        ([BASELINE], [True]),
        ([BASELINE, Point(0.0, 2.0, 1.0)], [False, True]),
        ([BASELINE, Point(-1.0, 2.0, 1.0)], [True, True]),  # a trade
        ([BASELINE, Point(-1.0, 1.0, 1.0)], [True, False]),  # accuracy lost for nothing
        ([BASELINE, BASELINE], [True, True]),  # ties do not beat one another
        ([BASELINE, Point(-1.0, 2.0, 4.0), Point(-2.0, 2.0, 4.0)], [True, True, False]),
        ([BASELINE, Point(0.0, 1.0, 1.004)], [True, True]),  # a file's header is no gain
        ([BASELINE, Point(0.0, 1.0, 1.02)], [False, True]),
        ([], []),
    ],
)
def test_who_is_on_the_front(points, flags):
    assert front(points) == flags


def test_it_is_what_the_definition_says_of_any_points():
    rng = np.random.default_rng(0)
    points = [Point(*row) for row in rng.uniform((-2, 0.5, 1), (2, 4, 4), (60, 3))]
    for own, on_it in zip(points, front(points), strict=True):
        better = [
            other
            for other in points
            if all(a >= b for a, b in zip(other.values(), own.values(), strict=True)) and other.values() != own.values()
        ]
        assert on_it == (not better)


def test_the_order_does_not_matter():
    rng = np.random.default_rng(1)
    points = [Point(*row) for row in rng.uniform(1, 3, (20, 3))]
    flags = front(points)
    assert front(points[::-1]) == flags[::-1]
