"""What several studies of one machine say together: simulated hours whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from efficiency.analysis import any_hour
from efficiency.study import BASELINE


@pytest.mark.parametrize("studies", [5, 12])
def test_the_intervals_hold_the_truth_and_what_another_hour_finds(studies: int) -> None:
    """Hours differ by 3 %, of which no study's own interval knows."""
    rng, truth, tries = np.random.default_rng(studies), 2.4, 2_000
    held = ahead = 0
    for _ in range(tries):
        found = truth * np.exp(rng.normal(0, 0.03, studies + 1) + rng.normal(0, 0.01, studies + 1))
        told = any_hour.any_hour(list(found[:-1]))
        assert told is not None
        held += told.low <= truth <= told.high
        ahead += told.another_low <= found[-1] <= told.another_high
    assert held / tries > 0.93
    assert ahead / tries > 0.93


def test_too_few_studies_and_the_baseline_itself_are_not_spoken_of() -> None:
    row = {"variant": "dynamic-int8", "speedup": 2.4}
    assert any_hour.said(row, [2.5, 2.3, 2.4]) == ""
    assert any_hour.said(row, [2.4] * 6) == ""
    assert any_hour.said({"variant": BASELINE, "speedup": 1.0}, [1.0] * 6) == ""
    assert any_hour.said(row, [2.5, 2.3, 2.4, 2.45]) == (
        "In 4 other studies of this machine it was 2.30–2.50x; with this one that makes 2.41x (95 %: 2.32–2.50x), and "
        "at another hour a study should find 2.19–2.65x."
    )
