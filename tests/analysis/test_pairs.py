"""Two variants with each other: what both share with the machine falls out, as against the baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from efficiency.analysis import pairs, speed

REPLICATES, ROUNDS = 8, 40


def samples(milliseconds: float, rng: np.random.Generator, state: np.ndarray) -> pd.DataFrame:
    """A call a round, slowed down by the state of the machine [replicates, rounds]."""
    places = np.indices((REPLICATES, ROUNDS)).reshape(2, -1)
    noise = rng.lognormal(0, 0.003, REPLICATES * ROUNDS)
    return pd.DataFrame(
        {"replicate": places[0], "round": places[1], "latency_ms": milliseconds * state.ravel() * noise}
    )


def test_ratio_of_two_variants() -> None:
    rng = np.random.default_rng(0)
    state = rng.lognormal(0, 0.3, (REPLICATES, 1)) * np.ones((1, ROUNDS))
    static, dynamic = samples(2.0, rng, state), samples(2.5, rng, state)
    found = pairs.speed_up(static, dynamic, 0.0)
    assert found is not None
    assert found.low < 1.25 < found.high
    assert found.precision < 0.005, "States 30 % apart are shared by both."
    turned = pairs.speed_up(dynamic, static, 0.0)
    assert turned is not None
    assert turned.estimate == pytest.approx(1 / found.estimate)


def test_what_disturbs_half_of_the_time_does_not_count() -> None:
    rng = np.random.default_rng(1)
    one, other = (samples(2.0, rng, np.ones((REPLICATES, ROUNDS))) for _ in range(2))
    other.loc[other["round"] >= 20, "latency_ms"] *= 3
    found = pairs.speed_up(one, other, 0.0)
    assert found is not None
    assert found.estimate == pytest.approx(1.0, abs=0.01)


def test_of_two_that_are_equally_fast_hours_may_slow_one() -> None:
    rng, state = np.random.default_rng(3), np.ones((REPLICATES, ROUNDS))
    one, other = samples(2.0, rng, rng.lognormal(0, 0.03, (REPLICATES, 1)) * state), samples(2.0, rng, state)
    alike, unlike = (pairs.speed_up(one, other, by) for by in (0.0, speed.how_unlike(7.0, 7.0)))
    assert alike is not None
    assert unlike is not None
    assert (alike.estimate, alike.precision) == (unlike.estimate, unlike.precision)
    assert np.log(unlike.high / unlike.low) > 1.3 * np.log(alike.high / alike.low)
    assert speed.how_unlike(0.5, 1.1) == np.log(2)
    assert speed.how_unlike(1.0, float("nan")) == np.inf


def test_one_process_gives_no_interval() -> None:
    one = samples(2.0, np.random.default_rng(2), np.ones((REPLICATES, ROUNDS)))
    assert pairs.speed_up(one[one["replicate"] == 0], one, 0.0) is None
