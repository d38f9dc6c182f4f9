"""How much faster a variant is than the baseline, with an interval, and what may be said of it.

Samples are int64 [n, 3]: replicate, round, nanoseconds of one call. Within a replicate the variants took turns, so
whatever slowed one slowed the other. What disturbs a call makes it slower, never faster, so the estimate rests on the
fastest calls of each, read in two ways (`analysis.fastest_calls`), each with the weight that makes the whole surest.
The interval is Student's t over replicates, since a process carries a bias of its own that no number of calls within it
averages away (Georges, Buytaert and Eeckhout, 2007).

Nor does any number of processes average away what their minutes have in common. So the interval allows for that, too:
what sets the processes of a variant apart, beyond what sets those of a copy of the baseline apart and what the rounds
within them vary by, sets hours apart as well, and is taken to do so by a share of it (`BETWEEN_HOURS`).
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

from efficiency.analysis import fastest_calls
from efficiency.analysis.fastest_calls import Readings, Samples
from efficiency.effort import CALLS_FOR_P99
from efficiency.equivalence import EQUIVALENCE_PCT

Verdict = Literal["faster", "same", "slower", "unresolved"]

FALSE_DISCOVERIES = 0.05
"""Share of the differences that a study reports which may be none."""
BETWEEN_HOURS = 0.5
"""How far hours set the speed-ups of one variant apart, as a share of how far they set its processes apart beyond those
of a copy: both as the standard deviation of a logarithm. A guess by what short studies on shared machines came to."""
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


class Copies:
    """The baseline and the control of a heat: by how far processes set these two apart, intervals allow for other
    hours."""

    def __init__(self, baseline: Samples, control: Samples) -> None:
        self._samples = baseline, control
        self._apart: dict[bytes, float | None] = {}

    def apart(self, processes: NDArray[np.int64]) -> float | None:
        """Variance of the logarithm from one of these processes to the next; None where fewer than two timed both.

        Of the same processes: where memory does not hold a heat, another group's copies had other minutes.
        """
        key = processes.tobytes()
        if key not in self._apart:
            pair = fastest_calls.paired(*(own[np.isin(own[:, 0], processes)] for own in self._samples))
            few = len(np.unique(pair[0][:, 0])) < 2
            self._apart[key] = None if few else combined(fastest_calls.readings(pair)).apart
        return self._apart[key]


def speed_up(baseline: Samples, variant: Samples, copies: Copies | None = None) -> SpeedUp | None:
    """The paired speed-up; None with fewer than two replicates, from which no interval follows. Without `copies` it is
    of its own minutes alone."""
    pair = fastest_calls.paired(baseline, variant)
    processes = np.unique(pair[0][:, 0])
    if len(processes) < 2:
        return None
    return of_figures(combined(fastest_calls.readings(pair)), copies.apart(processes) if copies else None)


@dataclass(frozen=True)
class Combined:
    """What processes say of a speed-up, its logarithm."""

    figures: NDArray[np.float64]
    """[processes]; the estimate is their mean."""
    variance: float
    """Of the estimate, by what differs between these processes and inside them."""
    inside: float = 0.0
    """Variance of a figure by what the blocks of rounds inside a process show of it."""

    @property
    def apart(self) -> float:
        """Variance of the figures."""
        return float(np.var(self.figures, ddof=1))


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
    return Combined(figures, float(errors[best]), float(variances(inside)[best]))


def of_figures(found: Combined, copies_apart: float | None = None) -> SpeedUp:
    """The interval of what processes say; `copies_apart` is how far they set a copy of the baseline apart, a variance
    (None: other hours are not allowed for)."""
    centre, reach = float(found.figures.mean()), _t(len(found.figures) - 1)
    hours = 0.0
    if copies_apart is not None:
        hours = BETWEEN_HOURS * math.sqrt(max(0.0, found.apart - max(copies_apart, found.inside)))
    these_minutes = math.sqrt(found.variance)
    error = math.hypot(these_minutes, hours)
    p_value = 2 * float(stats.t.sf(abs(centre) / error, len(found.figures) - 1)) if error else float(centre == 0)
    low, high = math.exp(centre - reach * error), math.exp(centre + reach * error)
    return SpeedUp(math.exp(centre), low, high, len(found.figures), p_value, math.expm1(reach * these_minutes))


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
