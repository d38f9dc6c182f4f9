"""How much faster a variant is than the baseline, with an interval, and what may be said of it.

Samples are int64 [n, 3]: replicate, round, nanoseconds of one call. Within a replicate the variants took turns, so
whatever slowed one slowed the other. What disturbs a call makes it slower, never faster, so a replicate's figure
rests on the faster third of each one's calls: the ratio of their means, as logarithms. The estimate is the mean over
replicates, and the interval is Student's t over replicates, since a process carries a bias of its own
that no number of calls within it averages away (Georges, Buytaert and Eeckhout, 2007).

Nor does any number of processes average away what their minutes have in common. So the interval allows for that, too:
what sets the processes of a variant apart, beyond what sets those of a copy of the baseline apart, sets hours apart as
well, and is taken to do so by a share of it (`BETWEEN_HOURS`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from efficiency.effort import CALLS_FOR_P99
from efficiency.equivalence import EQUIVALENCE_PCT

Samples = NDArray[np.int64]
Verdict = Literal["faster", "same", "slower", "unresolved"]

FALSE_DISCOVERIES = 0.05
"""Share of the differences that a study reports which may be none."""
FASTER = 1 / 3
"""Share of the calls, the fastest, that a replicate's figure rests on."""
BLOCKS = 5
"""Blocks of rounds in a replicate, at most: neighbouring rounds are not independent, blocks nearly are."""
BETWEEN_HOURS = 0.5
"""How far hours set the speed-ups of one variant apart, as a share of how far they set its processes apart beyond those
of a copy: both as the standard deviation of a logarithm. By `benchmarks/trust.py`, on the CPU of shared machines."""
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
    """The 95 % interval, with what hours differ by where a copy told of it."""
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
    reach = float(stats.t.ppf(0.975, len(groups) - 1) * error)
    low, high = np.percentile(values, 100 * np.clip([share - reach, share + reach], 0.0, 1.0))
    return float(low), float(high)


def _level(calls: int) -> float:
    """At which share of all possible calls the fastest third of so many lies on average: a sixth, but for few calls."""
    return (max(1.0, FASTER * calls) + 1) / (2 * (calls + 1))


def _fastest(nanoseconds: NDArray[np.int64], level: float) -> float:
    """Mean logarithm of the fastest of some calls: of as many as lie at this level on average."""
    logs = np.log(np.sort(nanoseconds))
    count = max(1.0, 2 * level * (len(logs) + 1) - 1)
    weights = np.clip(count - np.arange(len(logs)), 0.0, 1.0)  # the last one counts in part
    return float(np.average(logs, weights=weights))


def _log_ratio(baseline: Samples, variant: Samples) -> float:
    """The fastest of few calls are not as fast as those of many, so both sides are taken at the level of the fewer."""
    level = _level(min(len(baseline), len(variant)))
    return _fastest(baseline[:, 2], level) - _fastest(variant[:, 2], level)


def _by_replicate(samples: Samples) -> dict[int, Samples]:
    """The samples of each replicate, in order of rounds."""
    ordered = samples[np.lexsort((samples[:, 1], samples[:, 0]))]
    edges = np.flatnonzero(np.diff(ordered[:, 0])) + 1
    return {int(part[0, 0]): part for part in np.split(ordered, edges) if len(part)}


def _paired(baseline: Samples, variant: Samples) -> dict[int, tuple[Samples, Samples]]:
    """Per replicate the calls of both, of the rounds that both took part in."""
    ours, theirs = _by_replicate(variant), _by_replicate(baseline)
    found = {}
    for replicate in sorted(ours.keys() & theirs.keys()):
        both = np.intersect1d(ours[replicate][:, 1], theirs[replicate][:, 1])
        if len(both):
            found[replicate] = tuple(part[np.isin(part[:, 1], both)] for part in (theirs[replicate], ours[replicate]))
    return found  # type: ignore[return-value]


def replicate_ratios(baseline: Samples, variant: Samples) -> dict[int, float]:
    """Each replicate's own speed-up, by its number."""
    return {number: float(np.exp(_log_ratio(*pair))) for number, pair in _paired(baseline, variant).items()}


def _within(baseline: Samples, variant: Samples) -> float | None:
    """Variance of a replicate's figure by what its blocks of rounds show; None where there are too few rounds."""
    rounds = np.unique(baseline[:, 1])
    count = min(BLOCKS, len(rounds) // 2)
    if count < 2:
        return None
    figures = [
        _log_ratio(*(samples[np.isin(samples[:, 1], block)] for samples in (baseline, variant)))
        for block in np.array_split(rounds, count)
    ]
    return float(np.var(figures, ddof=1)) / count


def speed_up(baseline: Samples, variant: Samples, copies: tuple[Samples, Samples] | None = None) -> SpeedUp | None:
    """The paired speed-up; None with fewer than two replicates, from which no interval follows.

    `copies` are the baseline and the control of the heat: by how far the same processes set these two apart, the
    interval allows for other hours.
    """
    pairs = _paired(baseline, variant)
    if len(pairs) < 2:
        return None
    within = [found for pair in pairs.values() if (found := _within(*pair)) is not None]
    figures = np.array([_log_ratio(*pair) for pair in pairs.values()])
    # Of the same processes: where memory does not hold a heat, another group's copies had other minutes.
    beside = [_log_ratio(*pair) for number, pair in _paired(*copies).items() if number in pairs] if copies else []
    copies_apart = float(np.var(beside, ddof=1)) if len(beside) > 1 else None
    return of_figures(figures, float(np.mean(within)) if within else 0.0, copies_apart)


def of_figures(figures: NDArray[np.float64], inside: float, copies_apart: float | None = None) -> SpeedUp:
    """From each replicate's logarithm, the variance that the blocks of rounds inside them show of it, and that of a
    copy's logarithms from replicate to replicate (None: other hours are not allowed for).

    The standard error within these minutes is the larger of two: between replicates, and what is seen inside them. Four
    replicates that agree by luck must not look surer than their own rounds are.
    """
    count, apart, centre = len(figures), float(np.var(figures, ddof=1)), float(figures.mean())
    these_minutes = math.sqrt(max(apart, inside) / count)
    hours = 0.0 if copies_apart is None else BETWEEN_HOURS * math.sqrt(max(0.0, apart - copies_apart))
    error, reach = math.hypot(these_minutes, hours), _t(count - 1)
    p_value = 2 * float(stats.t.sf(abs(centre) / error, count - 1)) if error else float(centre == 0)
    low, high = math.exp(centre - reach * error), math.exp(centre + reach * error)
    return SpeedUp(math.exp(centre), low, high, count, p_value, math.expm1(reach * these_minutes))


@cache
def _t(freedom: int) -> float:
    """How many standard errors half a 95 % interval is wide."""
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
