"""Under which condition of its study a row was measured."""

from __future__ import annotations

from math import nan

import pytest

from efficiency.condition import Condition, of_row

PLAIN = Condition()
HALF, MOST = Condition(padding_pct=50), Condition(padding_pct=80)
SHORT, SHORT_HALF = Condition(length=32), Condition(length=32, padding_pct=50)
STUDY = (PLAIN, Condition(batch_size=8), HALF, MOST, SHORT, SHORT_HALF, Condition(phase="training"))


@pytest.mark.parametrize(
    ("length", "padding_pct", "expected"),
    [
        (128, 12.3, PLAIN),
        (128, 49.7, HALF),  # a token less than half of it
        (128, 79.7, MOST),
        (128, nan, PLAIN),
        (32, 60.0, SHORT_HALF),
        (32, 0.0, SHORT),
        (None, None, PLAIN),
    ],
)
def test_the_one_that_asked_for_most_padding(length: float | None, padding_pct: float | None, expected: Condition):
    row = {"device": "cpu", "batch_size": 1, "threads": 1, "length": length, "padding_pct": padding_pct, "phase": nan}
    assert of_row(STUDY, row) == expected


def test_another_shape_is_under_none() -> None:
    row = {"device": "cpu", "batch_size": 4, "threads": 1, "length": None, "padding_pct": None, "phase": "inference"}
    assert of_row(STUDY, row) is None
    assert of_row(STUDY, row | {"batch_size": 1, "phase": "training"}) == STUDY[-1]
