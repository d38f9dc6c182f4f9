"""What studies of one machine say of other hours: simulated hours whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import combined

from efficiency.analysis import any_hour, speed
from efficiency.analysis.any_hour import Known
from efficiency.study import BASELINE

TRUTH, APART, TRIES = 2.4, 0.03, 2_000
"""Processes of a study lie 3 % apart."""
HOURS = speed.OF_PROCESSES_APART * APART
ROW = {
    "variant": "dynamic-int8", "speedup": 2.4, "speedup_ci_low": 2.3, "speedup_ci_high": 2.5,
    "speedup_precision_pct": 2.0, "replicates": 8,
}  # fmt: skip


def simulated(rng: np.random.Generator, studies: int, replicates: int, hours: float) -> tuple[list[float], Known]:
    """Speed-ups of so many studies, and what the first one knows of its error."""
    logs = rng.normal(0, APART, (studies, replicates)) + rng.normal(0, hours, (studies, 1))
    own = speed.of_figures(combined(np.log(TRUTH) + logs[0]))
    return list(TRUTH * np.exp(logs.mean(axis=1))), any_hour.known(columns(own))


def columns(own: speed.SpeedUp) -> dict[str, float]:
    return {
        "speedup": own.estimate,
        "speedup_ci_low": own.low,
        "speedup_ci_high": own.high,
        "speedup_precision_pct": 100 * own.precision,
        "replicates": own.replicates,
    }


@pytest.mark.parametrize("replicates", [2, 3, 9])
@pytest.mark.parametrize("studies", [1, 2, 5, 12])
def test_the_intervals_hold_the_truth_and_what_another_hour_finds(studies: int, replicates: int) -> None:
    rng, held, ahead = np.random.default_rng(studies), 0, 0
    for _ in range(TRIES):
        (*found, next_one), first = simulated(rng, studies + 1, replicates, HOURS)
        told = any_hour.any_hour(found, first)
        held += told.low <= TRUTH <= told.high
        ahead += told.another_low <= next_one <= told.another_high
    assert 0.93 < min(held, ahead) / TRIES <= max(held, ahead) / TRIES < 0.995


def test_many_studies_outweigh_a_guess_that_was_too_small() -> None:
    rng = np.random.default_rng(0)
    found, first = simulated(rng, 60, 9, 0.1)
    deviation, freedom = any_hour.spread(first, found)
    assert deviation == pytest.approx(np.hypot(0.1, 0.01), rel=0.2)
    assert 63 < freedom < 65


def test_it_is_never_less_than_the_error_of_the_studys_own_minutes() -> None:
    """One that was disturbed, among many that were not."""
    assert any_hour.spread(Known(0.05, 0.1, 6), [2.4, 2.41, 2.39] * 7) == (0.05, 5)
    assert any_hour.spread(Known(0.01, 0.1, 6), [2.4, 2.41, 2.39] * 70)[0] < 0.02, "Hours are told, not guessed."
    assert any_hour.spread(Known(0.05, 0.05, 2), [])[1] == 1
    assert np.isnan(any_hour.spread(Known(np.nan, np.nan, 1), [])).all()


def test_a_study_from_before_hours_were_allowed_for_is_not_taken_as_surer() -> None:
    now = any_hour.known(ROW)
    before = any_hour.known(ROW | {"speedup_precision_pct": None})
    assert now.minutes < now.stated == pytest.approx(before.minutes)
    assert before.stated == pytest.approx(before.minutes * np.hypot(1, speed.OF_PROCESSES_APART * np.sqrt(8)))
    slow = {"speedup": 1.02, "speedup_ci_low": 0.98, "speedup_ci_high": 1.0616, "speedup_precision_pct": None}
    close = any_hour.known(ROW | slow)
    assert close.stated == pytest.approx(np.hypot(close.minutes, speed.OF_THE_DIFFERENCE * np.log(1.02)), rel=1e-4)


@pytest.mark.parametrize("replicates", range(2, 12))
@pytest.mark.parametrize("ratio", [1.0, 1.002])
def test_what_allows_for_hardly_any_hours_is_as_sure_as_its_processes_are_many(replicates: int, ratio: float) -> None:
    figures = np.random.default_rng(replicates).normal(0, APART, replicates)
    own = any_hour.known(columns(speed.of_figures(combined(np.log(ratio) + figures - figures.mean()))))
    assert any_hour.spread(own, []) == pytest.approx((own.minutes, replicates - 1), rel=1e-3)


def test_what_is_mostly_guessed_is_as_sure_as_the_guess() -> None:
    assert any_hour.spread(Known(0.001, 0.1, 12), [])[1] == pytest.approx(speed.GUESS_COUNTS, rel=0.001)
    half = any_hour.spread(Known(0.1, 0.1 * np.sqrt(2), 13), [])[1]
    assert half == pytest.approx(1 / (0.5 / 12 + 0.5 / speed.GUESS_COUNTS))


def test_one_study_is_told_by_its_processes_and_others_beside_it() -> None:
    assert any_hour.said(ROW, []) == (
        "At another hour a study should find 2.25–2.57x, guessed from how far this one's processes lie apart and how "
        "much is gained."
    )
    assert any_hour.said(ROW, [2.5]).startswith(
        "In 1 other study of this machine it was 2.50x; with this one that makes"
    )
    assert any_hour.said(ROW, [2.5, 2.3, 2.4, 2.45]) == (
        "In 4 other studies of this machine it was 2.30–2.50x; with this one that makes 2.41x (95 %: 2.35–2.47x), and "
        "at another hour a study should find 2.26–2.56x."
    )
    assert "it was 2.40x" in any_hour.said(ROW, [2.4] * 6)


def test_two_studies_differ_by_more_than_hours_do_or_not() -> None:
    rng, called = np.random.default_rng(7), 0
    for _ in range(TRIES):
        rows = []
        for _ in range(2):
            logs = np.log(TRUTH) + rng.normal(0, HOURS) + rng.normal(0, APART, 9)
            rows.append(columns(speed.of_figures(combined(logs))))
        low, high = any_hour.change(*rows)
        called += not low <= 1 <= high
    assert called / TRIES < 0.05, "Nothing differs but the hour."
    low, high = any_hour.change(ROW, ROW | {"speedup": 3.6, "speedup_ci_low": 3.45, "speedup_ci_high": 3.75})
    assert 1.3 < low < 1.5 < high < 1.7
    assert np.isnan(any_hour.change(ROW, ROW | {"speedup_ci_low": np.nan})).all()


def test_nothing_is_said_of_the_baseline_or_of_what_has_no_interval() -> None:
    assert any_hour.said(ROW | {"variant": BASELINE, "speedup": 1.0}, [1.0] * 6) == ""
    assert any_hour.said(ROW | {"speedup_ci_low": np.nan}, [2.4] * 6) == ""
