"""The distance between two models' logits: by its definition, and for what has none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from efficiency.measure import accuracy, logits
from efficiency.measure.logits import Distance

ROWS, CLASSES = 1_000, 7


def baseline() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 3, (ROWS, CLASSES)).astype(np.float32)


def distance(folder, ours: np.ndarray, theirs: np.ndarray, at_once: int = 256) -> Distance:
    """As the probe comes to it: the baseline keeps its logits, then a variant is compared batch by batch."""
    file = folder / "logits.npy"
    file.unlink(missing_ok=True)
    keeper = logits.Keeper(file, *theirs.shape)
    for start in range(0, len(theirs), at_once):
        keeper.add(theirs[start : start + at_once])
    assert not file.exists(), "Half of them must not be taken for all."
    keeper.close()
    comparison = logits.Comparison(file)
    for start in range(0, len(ours), at_once):
        comparison.add(ours[start : start + at_once])
    return comparison.distance()


@pytest.mark.parametrize(("scale", "db"), [(1.1, 20), (1.01, 40), (0.999, 60)])
def test_a_tenth_of_the_signal_is_20_db(tmp_path, scale, db):
    found = distance(tmp_path, scale * baseline().astype(np.float64), baseline())
    assert found == Distance(pytest.approx(db, abs=0.01))


def test_the_rows_are_paired_in_order_however_they_come(tmp_path):
    ours = baseline() + np.random.default_rng(1).normal(0, 0.1, (ROWS, CLASSES)).astype(np.float32)
    whole = 10 * np.log10(np.square(baseline()).sum() / np.square(baseline() - ours).sum())
    assert distance(tmp_path, ours, baseline(), 7).snr_db == pytest.approx(whole, abs=1e-3)
    assert distance(tmp_path, ours, baseline(), ROWS).snr_db == pytest.approx(whole, abs=1e-3)
    assert distance(tmp_path, ours[::-1], baseline()).snr_db < 0


def test_no_difference_and_no_number_have_no_figure(tmp_path):
    assert distance(tmp_path, baseline(), baseline()) == Distance(None, "identical")
    for wrong in (np.inf, np.nan):
        broken = baseline()
        broken[3, 2] = wrong
        assert distance(tmp_path, broken, baseline()) == Distance(None, "not-finite")
    assert distance(tmp_path, baseline(), np.zeros_like(baseline())) == Distance(None, "not-finite")


def test_half_precision_logits_are_heard_as_float32_in_the_order_of_rows():
    heard: list[np.ndarray] = []
    rows = torch.from_numpy(baseline()).bfloat16()
    answered = accuracy.predictions(lambda inputs: inputs, rows.split(accuracy.BATCH), on_logits=heard.append)
    together = np.concatenate(heard)
    assert together.dtype == np.float32
    assert np.array_equal(together, rows.float().numpy())
    assert np.array_equal(together.argmax(axis=1), answered)
