"""How much faster a variant is than the baseline, with an interval, and what may be said of it.

Samples are int64 [n, 3]: replicate, round, nanoseconds of one call. Within a replicate the variants took turns, so
whatever slowed one slowed the other. What disturbs a call makes it slower, never faster, so the estimate rests on the
fastest calls of each, read in two ways (`analysis.fastest_calls`), each with the weight that makes the whole surest.
The interval is Student's t over replicates, since a process carries a bias of its own that no number of calls within it
averages away (Georges, Buytaert and Eeckhout, 2007).

Nor does any number of processes average away what their minutes have in common. So the interval allows for that, too
(`between_hours`): what sets processes apart sets hours apart as well, and calm ones are taken to differ by 1 %, but a
copy is slowed as the model itself is. That a variant which is about as fast as the baseline is much like it, and so
slowed like it, is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from efficiency.analysis import fastest_calls
from efficiency.analysis.fastest_calls import Readings, Samples
from efficiency.effort import CALLS_FOR_P99
from efficiency.equivalence import EQUIVALENCE_PCT

Verdict = Literal["faster", "same", "slower", "unresolved"]

FALSE_DISCOVERIES = 0.05
"""Share of the differences that a study reports which may be none."""
OF_PROCESSES_APART = 0.75
"""How far hours set a speed-up apart, as a share of how far its processes lie apart: both as the standard deviation of
a logarithm. A guess by what short studies on shared machines came to, as are `HOURS_LEAST` and `OF_THE_DIFFERENCE`."""
HOURS_LEAST = 0.01
"""The least that this standard deviation is taken to be, unless `OF_THE_DIFFERENCE` allows for less: the processes of a
calm hour agree, and know nothing of one that is not."""
GUESS_COUNTS = 4
"""Studies that a guess of what hours do counts as, at most: its degrees of freedom."""
OF_THE_DIFFERENCE = 0.07
"""The most that it can be, as a share of the speed-up's own logarithm: what slows memory or the clock slows two models
by what they differ in."""
SHARES = np.linspace(0, 1, 51)
"""What each process by itself may have to say of a speed-up (`combined`)."""
CALLS_FOR_P90 = 50
"""Fewer calls than these leave less than five beyond the percentile: it stays empty, as p99 below `CALLS_FOR_P99`."""
P99_TAKES = f"it takes {CALLS_FOR_P99} timed calls, since fewer leave less than five beyond it"
"""Why there is no p99, as a part of a sentence."""
P99_BY = (
    "A study that is asked for one (run --p99, or “A p99 of every variant” on the page Run) times that many of each."
)
"""How there is one, as a sentence after that."""


@dataclass(frozen=True)
class SpeedUp:
    """Baseline latency / variant latency: above 1 the variant is faster."""

    estimate: float
    low: float
    """The 95 % interval, with what hours differ by."""
    high: float
    replicates: int
    p_value: float
    """Of the two-sided t test that there is no difference; consistent with the interval."""
    precision: float = float("nan")
    """Half the interval of these minutes alone, which more processes narrow, as a share of the speed-up; NaN where it
    is not known."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds a call; None where the samples do not support the percentile."""

    p50_ms: float
    p90_ms: float | None
    p99_ms: float | None
    p99_low_ms: float | None = None
    """The 95 % interval; None where there is no p99, or fewer than two replicates."""
    p99_high_ms: float | None = None


def latency(samples: Samples) -> Latency:
    """Percentiles over all timed calls of all replicates."""
    milliseconds = samples[:, 2] / 1e6
    count = len(milliseconds)
    p50_ms = float(np.median(milliseconds))
    p90_ms = float(np.percentile(milliseconds, 90)) if count >= CALLS_FOR_P90 else None
    if count < CALLS_FOR_P99:
        return Latency(p50_ms, p90_ms, None)
    ends = _percentile_interval(milliseconds, samples[:, 0], 0.99)
    return Latency(p50_ms, p90_ms, float(np.percentile(milliseconds, 99)), *ends)


def _percentile_interval(
    values: NDArray[np.float64], replicates: NDArray[np.int64], share: float
) -> tuple[float | None, float | None]:
    """Of the value that this share of all values does not exceed: at what shares it may lie, carried over to values.

    How far the share below the estimate may be off is seen from how it differs between replicates, since the slow calls
    of one have a cause in common (Woodruff, 1952, for samples in clusters); it is no less than that of independent
    calls. An upper end beyond all calls is the slowest of them.
    """
    below = values <= np.percentile(values, 100 * share)
    total, p = len(values), float(below.mean())
    groups = [below[replicates == number] for number in np.unique(replicates)]
    if len(groups) < 2:
        return None, None
    apart = sum((float(group.sum()) - p * len(group)) ** 2 for group in groups) * len(groups) / (len(groups) - 1)
    error = np.sqrt(max(apart / total**2, share * (1 - share) / total))
    reach = t_reach(len(groups) - 1) * error
    low, high = np.percentile(values, 100 * np.clip([share - reach, share + reach], 0.0, 1.0))
    return float(low), float(high)


def speed_up(baseline: Samples, variant: Samples, unlike: float = 0.0) -> SpeedUp | None:
    """The paired speed-up; None with fewer than two replicates, from which no interval follows.

    Two variants may be equally fast and yet nothing like each other: `unlike` then says by how much they may differ
    (`how_unlike`).
    """
    pair = fastest_calls.paired(baseline, variant)
    if len(np.unique(pair[0][:, 0])) < 2:
        return None
    return of_figures(combined(fastest_calls.readings(pair)), unlike)


def how_unlike(*speed_ups: float) -> float:
    """Variants of these speed-ups over one baseline: the logarithm of the one that is most unlike it; infinite where
    one is not known."""
    logarithms = [abs(math.log(own)) if own > 0 else math.inf for own in speed_ups]
    return max(logarithms, default=0.0)


@dataclass(frozen=True)
class Combined:
    """What processes say of a speed-up, its logarithm."""

    figures: NDArray[np.float64]
    """[processes]; the estimate is their mean."""
    variance: float
    """Of the estimate, by what differs between these processes and inside them."""


def combined(found: Readings) -> Combined:
    """Both readings, each as much as makes the whole surest.

    Where they disagree, either luck or the machine was at work: processes that were disturbed all the while move the
    mean of each by itself. The disagreement counts as an error of that one, so the more it is the less it has to say.
    Nor is the whole surer than what is seen inside the processes: four that agree by luck must not look so.
    """
    count, between, inside = len(found.together), found.between, found.inside
    weights = np.stack([1 - SHARES, SHARES])

    def variances(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.einsum("is,ij,js->s", weights, of, weights))

    disagreement = float(found.together.mean() - found.each.mean())
    errors = np.maximum(variances(between), variances(inside)) / count + (SHARES * disagreement) ** 2
    best = int(np.argmin(errors))
    share = float(SHARES[best])
    figures = (1 - share) * found.together + share * found.each
    return Combined(figures, float(errors[best]))


def between_hours(error: float, processes: float, unlike: float) -> float:
    """How far hours set a speed-up apart, the standard deviation of its logarithm.

    `error` is its standard error by so many processes of the same minutes, so that times the root of their number it
    says how far one lies from the next. `unlike` is a logarithm: of the speed-up, or `how_unlike`; of what is hardly
    unlike the baseline it allows for less than the least. No process tells the least, so that they are few makes it no
    less sure: times their Student's t it reaches no farther than times that of the guess.
    """
    apart = OF_PROCESSES_APART * error * math.sqrt(processes)
    least = HOURS_LEAST * min(1.0, t_reach(GUESS_COUNTS) / t_reach(processes - 1))
    return min(max(apart, least), OF_THE_DIFFERENCE * abs(unlike))


def of_figures(found: Combined, unlike: float = 0.0) -> SpeedUp:
    """The interval of what processes say; `unlike` as in `speed_up`."""
    centre, processes = float(found.figures.mean()), len(found.figures)
    minutes = math.sqrt(found.variance)
    error = math.hypot(minutes, between_hours(minutes, processes, max(abs(centre), unlike)))
    p_value = 2 * float(stats.t.sf(abs(centre) / error, processes - 1)) if error else 1.0
    reach = t_reach(processes - 1)
    low, high = math.exp(centre - reach * error), math.exp(centre + reach * error)
    return SpeedUp(math.exp(centre), low, high, processes, p_value, math.expm1(reach * minutes))


@lru_cache(maxsize=1024)
def t_reach(freedom: float) -> float:
    """How many standard errors half a 95 % interval is wide, by Student's t; NaN where there is no freedom."""
    return float(stats.t.ppf(0.975, freedom))


def noise_floor(control: SpeedUp | None) -> float:
    """How far from 1 the control's interval reaches, as a ratio above 1; 1 where there is none."""
    if control is None:
        return 1.0
    return float(np.exp(max(abs(np.log(control.low)), abs(np.log(control.high)))))


def discovery_threshold(p_values: Sequence[float]) -> float:
    """The largest p value that still counts as a difference, so that of all those that count 5 % are false at most.

    Benjamini and Hochberg (1995), over all variants of a study: of twenty that do not differ from the baseline, one
    would have an interval without 1 by luck alone. 0 where none counts.
    """
    if not len(p_values):
        return FALSE_DISCOVERIES
    raw = np.asarray(p_values, dtype=float)
    counting = raw[stats.false_discovery_control(raw) <= FALSE_DISCOVERIES]
    return float(counting.max()) if len(counting) else 0.0


def verdict(
    ratio: SpeedUp, floor: float, threshold: float = FALSE_DISCOVERIES, equivalence_pct: float = EQUIVALENCE_PCT
) -> Verdict:
    """What may be said: a difference must not be by luck, must exceed the band of practical equivalence, and must
    exceed what the control shows.

    Nor can two be called the same within that band by a measurement that moves two copies of one model by more.

    `threshold` is the study's `discovery_threshold`, `equivalence_pct` its band.
    """
    equal = 1 + equivalence_pct / 100
    line = max(equal, floor)
    if ratio.p_value <= threshold and ratio.estimate > line:
        return "faster"
    if ratio.p_value <= threshold and ratio.estimate < 1 / line:
        return "slower"
    alike = ratio.low >= 1 / equal and ratio.high <= equal
    if alike and floor <= equal:
        return "same"
    return "unresolved"
