"""Studies of many variants whose true speed, accuracy and size are known: for judging the rule that recommends one.

Latencies carry noise that was fitted to stored raw samples (`simulated.fit`), answers are drawn row by row, paired with
the baseline's. The figures are `analysis.speed`'s and `analysis.accuracy`'s, the latter worked out for all variants at
once; a test holds that they come to the same.

A variant is a scheme (what is done to the weights, or a runtime) with a way of calling it, as in a real study: all
ways of one scheme give the same answers and differ little in speed. How many answers a scheme changes is drawn from
what techniques changed in a stored study, or, for every second scheme, from far more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from simulated import Noise, _drawn

from efficiency.analysis import speed
from efficiency.analysis.limits import Limits
from efficiency.study import BASELINE, CONTROL

Floats = NDArray[np.float64]

SCHEMES, WAYS = 10, 6
BASELINE_ACCURACY, BASELINE_MB = 0.9, 14.0
TEST_ROWS = (2_000, 7_000, 10_000)
TOLERANCES_PP = (0.5, 1.0, 2.0)
SIZE_RATIOS = (1.0, 1.0, 2.0, 3.7, 3.9)
LARGEST_CALLS = 200_000


@dataclass(frozen=True)
class Fitted:
    """A machine's noise, and the median of what it multiplies a latency by: the true p50 of a true latency."""

    noise: Noise
    middle: float


@dataclass(frozen=True)
class Timed:
    """What one set of replicates says; variants first, the baseline's own place is 0 and the control's is 1."""

    samples: list[speed.Samples]
    """By place."""

    def faster(self, place: int, than: int, unlike: float = 0.0) -> speed.SpeedUp:
        """With what hours differ by."""
        found = speed.speed_up(self.samples[than], self.samples[place], unlike)
        assert found is not None
        return found

    @cached_property
    def p50_ms(self) -> Floats:
        """By place."""
        return np.array([speed.latency(samples).p50_ms for samples in self.samples])


def raw(rng: np.random.Generator, noise: Noise, speedups: Floats, replicates: int, baseline_ms: float) -> Floats:
    """Milliseconds [1 + variants, replicates, rounds, calls a round]: as `simulated.study`, all variants at once."""
    places = 1 + len(speedups)
    state = np.stack([_drawn(rng, noise.states, noise.rounds) for _ in range(replicates)])
    chosen = rng.integers(len(noise.visits), size=(places, replicates))
    length = max(len(visit) for visit in noise.visits)
    visits = np.stack([np.resize(visit, length) for visit in noise.visits])
    starts = rng.integers(length, size=(places, replicates, 1))
    own = visits[chosen[..., None], (starts + np.arange(noise.rounds)) % length]
    own = own * rng.choice([-1, 1], size=(places, replicates, 1)) + state
    own = own + rng.normal(0, noise.bias_sd, size=(places, replicates, 1))
    calls = rng.choice(noise.calls, size=(places, replicates, noise.rounds, noise.calls_a_round))
    base = np.log(baseline_ms / np.concatenate([[1.0], speedups]))
    return np.asarray(np.exp(own[..., None] + calls + base[:, None, None, None]))


def timed(milliseconds: Floats) -> Timed:
    """These as samples."""
    places = np.indices(milliseconds.shape[1:])[:2].reshape(2, -1)
    return Timed([np.vstack([places, np.rint(1e6 * own.ravel())]).T.astype(np.int64) for own in milliseconds])


def differences(gained: NDArray[np.int64], lost: NDArray[np.int64], rows: int) -> tuple[Floats, Floats, Floats]:
    """`accuracy.difference` and its ends for all at once, the bootstrap by its own normal limit."""
    delta = (gained - lost) / rows
    chances = (gained + lost + 1) / (rows + 1)
    half = stats.norm.ppf(0.975) * np.sqrt((chances - delta**2) / rows)
    return 100 * delta, 100 * (delta - half), 100 * (delta + half)


@dataclass(frozen=True)
class Made:
    """A simulated study: what its rows say, what is asked, and what is true."""

    rows: pd.DataFrame
    """As `views.prepared` has them; `row_id` is the place."""
    limits: Limits
    timing: Timed
    speedups: Floats
    """True ones, by place; so is all that follows."""
    good: NDArray[np.bool_]
    """Whether it truly meets the limits."""
    baseline_ms: float

    def compare(self, winner: int, other: int) -> speed.SpeedUp:
        own, places = self.rows["speedup"].to_list(), list(self.rows["row_id"])
        pair = places.index(winner), places.index(other)
        return self.timing.faster(*pair, speed.how_unlike(*(own[place] for place in pair)))


def made(
    rng: np.random.Generator,
    machine: Fitted,
    discordant: Sequence[float],
    replicates: int = 8,
    near_the_limit: bool = False,
) -> Made:
    """One study. `discordant` are shares of answers that techniques of a stored study changed.

    With `near_the_limit` every scheme truly loses half to one and a half times what may be lost.
    """
    variants = SCHEMES * WAYS
    scheme = np.repeat(np.arange(SCHEMES), WAYS)
    of_scheme = np.exp(rng.uniform(np.log(0.8), np.log(3.2), SCHEMES))
    of_way = np.exp(np.abs(rng.normal(0, 0.03, WAYS)) * rng.choice([1, 1, -1], WAYS))
    of_scheme[0] = of_way[0] = 1.0
    speedups = of_scheme[scheme] * np.tile(of_way, SCHEMES) * np.exp(rng.normal(0, 0.01, variants))
    ratios = rng.choice(SIZE_RATIOS, SCHEMES)
    ratios[0] = 1.0
    usual = np.arange(SCHEMES) % 2 == 0
    changed = np.where(usual, rng.choice(discordant, SCHEMES), np.exp(rng.uniform(np.log(5e-3), np.log(0.1), SCHEMES)))
    lost_pp = 100 * changed * np.where(usual, rng.uniform(-0.3, 0.7, SCHEMES), rng.uniform(0.2, 0.9, SCHEMES))
    tolerance_pp = float(rng.choice(TOLERANCES_PP))
    if near_the_limit:
        lost_pp = tolerance_pp * rng.uniform(0.5, 1.5, SCHEMES)
        changed = np.maximum(changed, 1.2 * lost_pp / 100)
    changed[0] = lost_pp[0] = 0.0
    test_rows, baseline_ms = int(rng.choice(TEST_ROWS)), float(np.exp(rng.uniform(0, np.log(20))))
    timing = timed(raw(rng, machine.noise, np.concatenate([[1.0], speedups]), replicates, baseline_ms))
    true_ms = baseline_ms * machine.middle / speedups
    limits = Limits(
        accuracy_drop_pp=tolerance_pp,
        latency_ms=float(np.quantile(true_ms, rng.uniform(0.1, 0.9))) if rng.random() < 0.5 else None,
        size_mb=float(BASELINE_MB / rng.choice([0.9, 1.5, 3.0])) if rng.random() < 0.5 else None,
    )
    good = np.asarray(lost_pp[scheme] <= tolerance_pp)
    if limits.latency_ms is not None:
        good &= true_ms <= limits.latency_ms
    if limits.size_mb is not None:
        good &= BASELINE_MB / ratios[scheme] <= limits.size_mb
    of_baseline = [
        limits.latency_ms is None or baseline_ms * machine.middle <= limits.latency_ms,
        limits.size_mb is None or limits.size_mb >= BASELINE_MB,
    ]
    chances = np.stack([changed / 2 - lost_pp / 200, changed / 2 + lost_pp / 200, 1 - changed], axis=1)
    counts = rng.multinomial(test_rows, chances.clip(0, 1))
    rows = _frame(timing, counts[scheme], BASELINE_MB / ratios[scheme], test_rows)
    return Made(
        rows,
        limits,
        timing,
        np.concatenate([[1.0, 1.0], speedups]),
        np.concatenate([[all(of_baseline), False], good]),
        baseline_ms,
    )


def again(rng: np.random.Generator, machine: Fitted, study: Made, places: Sequence[int], replicates: int = 8) -> Made:
    """The same variants in fresh processes, beside the baseline and a control: these rows alone."""
    kept = [0, 1, *sorted(place for place in places if place > 1)]
    fresh = timed(raw(rng, machine.noise, study.speedups[kept[1:]], replicates, study.baseline_ms))
    rows = study.rows[study.rows["row_id"].isin(kept)].assign(**_timing_columns(fresh))
    return replace(study, rows=rows, timing=fresh)


def fitted(noise: Noise) -> Fitted:
    """With the median of what it adds to a call."""
    rng = np.random.default_rng(0)
    parts = [rng.choice(np.concatenate(one), LARGEST_CALLS) for one in (noise.states, noise.visits)]
    drawn = sum(parts) + rng.choice(noise.calls, LARGEST_CALLS) + rng.normal(0, noise.bias_sd, LARGEST_CALLS)
    return Fitted(noise, float(np.exp(np.median(drawn))))


def _timing_columns(timing: Timed) -> dict[str, object]:
    """The timing columns of the baseline, the control and the variants, in this order."""
    ratios = [timing.faster(place, 0) for place in range(1, len(timing.samples))]
    floor = speed.noise_floor(ratios[0])
    threshold = speed.discovery_threshold([ratio.p_value for ratio in ratios[1:]])
    verdicts = [speed.verdict(ratios[0], 1.0), *(speed.verdict(ratio, floor, threshold) for ratio in ratios[1:])]
    estimate, low, high = (np.array([1.0, *(getattr(r, name) for r in ratios)]) for name in ("estimate", "low", "high"))
    return {
        "latency_ms_p50": timing.p50_ms,
        "latency_low_ms": timing.p50_ms * estimate / high,
        "latency_high_ms": timing.p50_ms * estimate / low,
        "speedup": estimate,
        "speedup_ci_low": low,
        "speedup_ci_high": high,
        "speed_verdict": ["same", *verdicts],
        "noise_pct": 100 * (floor - 1),
    }


def _frame(timing: Timed, counts: NDArray[np.int64], size_mb: Floats, test_rows: int) -> pd.DataFrame:
    delta, low, high = differences(counts[:, 0], counts[:, 1], test_rows)
    places = len(timing.samples)
    nothing: list[float] = [0.0, np.nan]
    frame = pd.DataFrame({
        "row_id": np.arange(places),
        "variant": [BASELINE, CONTROL, *(f"scheme-{n // WAYS}+way-{n % WAYS}" for n in range(places - 2))],
        "status": "done",
        "took_effect": ["", "", *["yes"] * (places - 2)],
        "accuracy_delta_pp": [*nothing, *delta],
        "accuracy_delta_ci_low_pp": [*nothing, *low],
        "accuracy_delta_ci_high_pp": [*nothing, *high],
        "size_mb": [BASELINE_MB, np.nan, *size_mb],
        **_timing_columns(timing),
    })  # fmt: skip
    return frame.assign(variant_label=frame["variant"])
