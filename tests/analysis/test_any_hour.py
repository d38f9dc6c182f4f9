"""What studies of one machine say of other hours: simulated hours whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.analysis import any_hour
from efficiency.study import BASELINE

TRUTH, HOURS, WITHIN, REPLICATES = 2.4, 0.03, 0.02, 9
"""Hours differ by 3 %, and a study of 9 processes knows its own to 2 %."""


@pytest.mark.parametrize("studies", [1, 2, 5, 12])
def test_the_intervals_hold_the_truth_and_what_another_hour_finds(studies: int) -> None:
    rng, tries = np.random.default_rng(studies), 2_000
    held = ahead = 0
    for _ in range(tries):
        found = TRUTH * np.exp(rng.normal(0, HOURS, studies + 1) + rng.normal(0, WITHIN, studies + 1))
        told = any_hour.any_hour(list(found[:-1]), WITHIN, REPLICATES)
        held += told.low <= TRUTH <= told.high
        ahead += told.another_low <= found[-1] <= told.another_high
    assert held / tries > 0.93
    assert ahead / tries > 0.93


@pytest.mark.parametrize("hours", [0.0, 0.1])
def test_many_studies_outweigh_a_guess_that_was_wrong(hours: float) -> None:
    rng = np.random.default_rng(0)
    logs = rng.normal(0, np.hypot(hours, WITHIN), 60)
    deviation, freedom = any_hour.spread(WITHIN, REPLICATES, list(np.exp(logs)))
    assert deviation == pytest.approx(np.hypot(hours, WITHIN), rel=0.2)
    assert freedom == 63


def test_one_study_is_told_by_its_processes_and_others_beside_it() -> None:
    row = {"variant": "dynamic-int8", "speedup": 2.4, "speedup_ci_low": 2.35, "speedup_ci_high": 2.45, "replicates": 8}
    assert any_hour.said(row, []) == (
        "At another hour a study should find 2.26–2.55x, by how far its processes lie apart."
    )
    assert any_hour.said(row, [2.5]).startswith(
        "In 1 other study of this machine it was 2.50x; with this one that makes"
    )
    assert any_hour.said(row, [2.5, 2.3, 2.4, 2.45]) == (
        "In 4 other studies of this machine it was 2.30–2.50x; with this one that makes 2.41x (95 %: 2.35–2.47x), and "
        "at another hour a study should find 2.27–2.56x."
    )
    assert "it was 2.40x" in any_hour.said(row, [2.4] * 6)


def test_nothing_is_said_of_the_baseline_or_of_what_has_no_interval() -> None:
    row = {"variant": "dynamic-int8", "speedup": 2.4, "speedup_ci_low": 2.35, "speedup_ci_high": 2.45, "replicates": 8}
    assert any_hour.said(row | {"variant": BASELINE, "speedup": 1.0}, [1.0] * 6) == ""
    assert any_hour.said(row | {"speedup_ci_low": np.nan}, [2.4] * 6) == ""
