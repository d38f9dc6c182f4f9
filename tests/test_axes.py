"""Ticks of a logarithmic axis."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency import axes


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.97, 1.03, [0.9, 1, 1.1, 1.2]),
        (0.85, 1.05, [0.8, 0.9, 1, 1.1, 1.2]),
        (0.86, 1.2, [0.8, 1, 1.2, 1.4]),
        (95, 130, [80, 100, 120, 140]),
        (0.5, 2, [0.5, 0.7, 1, 1.5, 2]),
        (0.3, 12, [0.3, 1, 3, 10]),
        (5, 5, [4.5, 5, 5.5, 6]),
    ],
)
def test_ticks_are_few_and_on_both_sides_of_a_power_of_ten(low: float, high: float, ticks: list[float]) -> None:
    found = axes.log_ticks(np.array([low, high]))
    assert found["tickvals"] == pytest.approx(ticks)
    assert found["ticktext"] == [f"{tick:g}" for tick in ticks]
