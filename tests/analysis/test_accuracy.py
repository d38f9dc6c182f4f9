"""Accuracy, its interval, and the paired difference, against published values and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.analysis import accuracy
from efficiency.analysis.accuracy import Difference


def answers(right: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(rows, dtype=np.uint16) % 10
    predicted = labels.copy()
    predicted[right:] += 1
    return predicted, labels


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    [  # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
        (20, 20, 100 - 16.11, 100.0),
    ],
)
def test_wilsons_interval_is_as_published(right, rows, low, high):
    found = accuracy.share(*answers(right, rows))
    assert found.pct == pytest.approx(100 * right / rows)
    assert (found.low_pct, found.high_pct) == pytest.approx((low, high), abs=0.006)


def pair(rng: np.random.Generator, rows: int, gained: float, lost: float) -> tuple[np.ndarray, ...]:
    """Answers of a variant and a baseline that is right on 80 % of rows, with the chances of differing."""
    labels = rng.integers(0, 10, rows).astype(np.uint16)
    kind = rng.choice(4, rows, p=[gained, lost, 0.8 - lost, 0.2 - gained])  # gained, lost, both right, both wrong
    wrong = (labels + 1) % 10
    variant = np.where((kind == 0) | (kind == 2), labels, wrong)
    baseline = np.where((kind == 1) | (kind == 2), labels, wrong)
    return variant.astype(np.uint16), baseline.astype(np.uint16), labels


@pytest.mark.parametrize(
    ("rows", "gained", "lost"), [(2000, 0.01, 0.02), (2000, 0.002, 0.002), (7000, 0.005, 0.03), (500, 0.03, 0.03)]
)
def test_the_paired_interval_holds_the_truth_about_as_often_as_it_says(rows, gained, lost):
    rng = np.random.default_rng([rows, int(1e4 * lost)])
    found = [accuracy.difference(*pair(rng, rows, gained, lost)) for _ in range(300)]
    truth = 100 * (gained - lost)
    assert np.mean([one.low_pp <= truth <= one.high_pp for one in found]) >= 0.92
    assert np.mean([one.delta_pp for one in found]) == pytest.approx(truth, abs=0.1)


def test_pairing_makes_the_interval_far_narrower():
    variant, baseline, labels = pair(np.random.default_rng(0), 2000, 0.005, 0.01)
    paired = accuracy.difference(variant, baseline, labels)
    alone = accuracy.share(variant, labels)
    assert paired.high_pp - paired.low_pp < (alone.high_pct - alone.low_pct) / 2


def test_equal_answers_leave_an_interval_that_is_not_a_point():
    predicted, labels = answers(1800, 2000)
    found = accuracy.difference(predicted, predicted, labels)
    assert (found.delta_pp, found.agreement_pct, found.gained, found.lost) == (0, 100, 0, 0)
    assert found.low_pp < 0 < found.high_pp
    assert accuracy.verdict(found) == "kept"


def test_agreement_counts_wrong_answers_that_are_the_same():
    labels = np.array([0, 0, 0, 0], np.uint16)
    found = accuracy.difference(np.array([0, 1, 2, 0]), np.array([0, 1, 1, 1]), labels)
    assert (found.agreement_pct, found.gained, found.lost, found.delta_pp) == (50, 1, 0, 25)


def test_the_figure_is_the_same_every_time():
    rows = pair(np.random.default_rng(0), 500, 0.02, 0.02)
    assert accuracy.difference(*rows) == accuracy.difference(*rows)


@pytest.mark.parametrize(("gained", "lost", "p"), [(5, 15, 0.04139), (0, 10, 0.001953), (7, 7, 1.0), (0, 0, 1.0)])
def test_mcnemars_exact_test(gained, lost, p):
    """The two-sided sign test of the rows on which they differ."""
    labels = np.zeros(1000, np.uint16)
    variant, baseline = labels.copy(), labels.copy()
    baseline[:gained] = 1
    variant[gained : gained + lost] = 1
    found = accuracy.difference(variant, baseline, labels)
    assert (found.gained, found.lost) == (gained, lost)
    assert found.mcnemar_p == pytest.approx(p, rel=1e-3)


@pytest.mark.parametrize(("rows", "chance"), [(500, 0.8), (2000, 0.95), (300, 0.99)])
def test_the_interval_of_an_accuracy_holds_the_truth_about_as_often_as_it_says(rows, chance):
    rng = np.random.default_rng(rows)
    labels = np.zeros(rows, np.uint16)
    found = [accuracy.share((rng.random(rows) > chance).astype(np.uint16), labels) for _ in range(1_000)]
    # Of 1,000 draws the share is known to within 1.4 points, and Wilson's interval is off by as much for small counts.
    assert 0.925 <= np.mean([one.low_pct <= 100 * chance <= one.high_pct for one in found]) <= 0.985


@pytest.mark.parametrize("tolerance_pp", [0.5, 1.0])
def test_what_loses_just_what_is_tolerated_is_hardly_ever_called_kept_or_lost(tolerance_pp):
    rng = np.random.default_rng(5)
    drawn = (accuracy.difference(*pair(rng, 3000, 0.01, 0.01 + tolerance_pp / 100)) for _ in range(400))
    said = [accuracy.verdict(change, tolerance_pp) for change in drawn]
    assert said.count("kept") <= 0.05 * len(said)  # 2.5 % is what the interval promises on either side
    assert said.count("lost") <= 0.05 * len(said)


def test_the_verdict_and_the_rows_to_settle_are_of_the_tolerance_asked_for():
    change = Difference(-0.6, -0.9, -0.3, agreement_pct=99.0, gained=2, lost=8, mcnemar_p=0.1)
    assert [accuracy.verdict(change, pp) for pp in (0.2, 0.5, 1.0)] == ["lost", "unresolved", "kept"]
    # The interval reaches 0.3 pp to each side: over a third of that distance it takes nine times as many rows.
    assert accuracy.rows_to_settle(change, 1_000, 0.5) == pytest.approx(9_000, abs=1)
    assert accuracy.rows_to_settle(change, 1_000, 0.9) == pytest.approx(1_000, abs=1)


@pytest.mark.parametrize(
    ("low", "delta", "high", "said"),
    [
        (-0.4, 0.0, 0.4, "kept"),
        (-0.5, -0.2, 0.1, "kept"),
        (-0.6, 0.0, 0.6, "unresolved"),
        (-3.0, -2.0, -0.4, "unresolved"),
        (-3.0, -2.0, -0.6, "lost"),
        (0.2, 0.5, 0.9, "kept"),
    ],
)
def test_what_may_be_said(low, delta, high, said):
    change = Difference(delta, low, high, agreement_pct=99.0, gained=0, lost=0, mcnemar_p=1.0)
    assert accuracy.verdict(change) == said


def test_about_as_many_rows_as_it_says_settle_what_is_lost():
    """Where every hundredth row is gained and every hundredth lost, whatever the number of rows."""

    def seen(rows: int) -> Difference:
        labels = np.zeros(rows, dtype=np.uint16)
        baseline, variant = labels.copy(), labels.copy()
        baseline[: rows // 100], variant[rows // 100 : 2 * (rows // 100)] = 1, 1
        return accuracy.difference(variant, baseline, labels)

    needed = accuracy.rows_to_settle(seen(1_000), 1_000)
    assert accuracy.verdict(seen(1_000)) == "unresolved"
    assert accuracy.verdict(seen(round(0.7 * needed))) == "unresolved"
    assert accuracy.verdict(seen(round(1.3 * needed))) == "kept"
    assert accuracy.rows_to_settle(Difference(-0.5, -1.0, 0.0, 99.0, 1, 2, 1.0), 100) is None


def test_changes_are_told_by_class_and_the_worst_comes_first():
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    baseline = np.array([0, 0, 1, 1, 1, 0, 2, 2])
    variant = np.array([0, 0, 1, 0, 0, 2, 2, 1])
    assert accuracy.by_class(variant, baseline, labels) == [(1, 2, 0, 2), (2, 3, 1, 1)]
    assert accuracy.by_class(baseline, baseline, labels) == []
