"""Shifts: the same for the same seed, growing with the grade, and what they say they are."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.drift import shifts
from efficiency.workloads.base import PADDING_ID

ROWS, CLASSES = 200, 8
LABELS = np.arange(ROWS) % CLASSES


def rows_of(shift: shifts.Shift) -> np.ndarray:
    random = np.random.default_rng(0)
    if shift.kind == "image":
        return random.standard_normal((ROWS, 1, 20, 20), dtype=np.float32)
    tokens = random.integers(PADDING_ID + 1, 500, (ROWS, 32))
    tokens[::2, 24:] = PADDING_ID
    return tokens


@pytest.mark.parametrize("shift", shifts.SHIFTS.values(), ids=lambda shift: shift.key)
def test_every_grade_shifts_further_and_the_same_way_twice(shift: shifts.Shift) -> None:
    assert len(shift.amounts) == len(shifts.GRADES)
    rows = rows_of(shift)
    before = rows.copy()
    distances = []
    for grade in shifts.GRADES:
        moved, kept = shift.of_grade(rows, LABELS, grade, seed=3)
        again, kept_again = shift.of_grade(rows, LABELS, grade, seed=3)
        assert np.array_equal(moved, again)
        assert np.array_equal(kept, kept_again)
        assert moved.dtype == rows.dtype
        assert moved.shape == (len(kept), *rows.shape[1:])
        distances.append(float(np.abs(moved - rows[kept]).mean()) + ROWS - len(kept))
    assert distances == sorted(distances)
    assert distances[0] > 0
    assert np.array_equal(rows, before), "The rows are the caller's."


def test_gain_and_offset_are_not_clipped_away() -> None:
    images = rows_of(shifts.get("contrast"))
    for key in ("brightness", "darkness", "gain", "contrast"):
        moved, _ = shifts.get(key).of_grade(images, LABELS, 5, seed=0)
        assert moved.max() > 1.5 * images.max() or moved.min() < 1.3 * images.min()


def test_gain_leaves_black_where_it_is() -> None:
    images = rows_of(shifts.get("gain"))
    moved, _ = shifts.get("gain").of_grade(images, LABELS, 3, seed=0)
    assert moved.min() == images.min()
    assert np.ptp(moved) == pytest.approx(3 * np.ptp(images))


def test_truncating_keeps_the_beginning_and_a_token_at_least() -> None:
    tokens = rows_of(shifts.get("truncation"))
    moved, _ = shifts.get("truncation").of_grade(tokens, LABELS, 5, seed=0)
    kept = (moved != PADDING_ID).sum(axis=1)
    assert kept.min() >= 1
    assert kept.max() < 32 // 4
    assert np.array_equal(moved[:, 0], tokens[:, 0])


def test_the_other_half_of_the_classes_takes_over() -> None:
    shift = shifts.get("other-classes")
    shares = []
    for grade in shifts.GRADES:
        _, kept = shift.of_grade(rows_of(shift), LABELS, grade, seed=0)
        shares.append(float((LABELS[kept] >= CLASSES // 2).mean()))
    assert shares == pytest.approx([0.6, 0.7, 0.8, 0.9, 1.0], abs=0.005)


def test_an_unknown_shift_is_told_the_nearest() -> None:
    with pytest.raises(Exception, match="brightness"):
        shifts.get("brightnes")
