"""How far a speed-up holds at another hour: what one study's own interval cannot know.

An interval rests on the minutes of one study. What differs between hours and not within one, above all how much of the
memory others take up, is in no interval, and for models that wait for memory it is the larger part. How much it is, is
guessed at first: the processes of a study, seconds apart, tell of it by how far they lie apart themselves. Every other
study of the same machine that measured the same then replaces some of the guess by what these studies do differ. As in
Smyth's moderated t (2004) the guess counts as so many studies, and both together give a variance and its degrees of
freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from efficiency.analysis import disturbance, wording
from efficiency.study import BASELINE, CONTROL

BETWEEN_HOURS = 0.5
"""How far hours lie apart, as a share of how far the processes of a study do: both as the standard deviation of a
speed-up's logarithm. By 240 studies of some seconds on a shared machine's CPU (`benchmarks/trust.py`): 0.1 to 0.9; of
240 others, seven hours later, what it foretells came true in 91 %."""
GUESS_COUNTS = 4
"""Studies that the guess counts as, at most; it rests on no more processes than there are."""
CONFIDENCE = 0.95
Spread = tuple[Any, Any]
"""A standard deviation of a logarithm, and its degrees of freedom."""


@dataclass(frozen=True)
class AnyHour:
    """What all studies of one machine say of one speed-up."""

    mean: float
    low: float
    """The 95 % interval of the mean over many hours."""
    high: float
    another_low: float
    """Of 20 more studies 19 would find a speed-up from here on, to `another_high`."""
    another_high: float


def spread(error: float, replicates: float, speed_ups: Sequence[float]) -> tuple[float, float]:
    """How far a study's speed-up lies from the mean of many hours: a standard deviation of its logarithm, and the
    degrees of freedom it has; never less than the study's own error.

    `error` is the standard error of its logarithm within the study, of so many processes; `speed_ups` are those that
    studies of the same found at several hours, its own among them or not.
    """
    if not replicates > 1:
        return np.nan, np.nan
    guess, guessed = error**2 * (1 + BETWEEN_HOURS**2 * replicates), min(GUESS_COUNTS, replicates - 1)
    seen = float(np.var(np.log(speed_ups), ddof=1)) if len(speed_ups) > 1 else 0.0
    freedom = guessed + max(len(speed_ups) - 1, 0)
    deviation = np.sqrt((guessed * guess + (freedom - guessed) * seen) / freedom)
    return (float(deviation), float(freedom)) if deviation >= error else (float(error), float(replicates - 1))


def error_of(low: Any, high: Any, replicates: Any) -> Any:
    """The standard error of a speed-up's logarithm, from the ends of its 95 % interval; arrays or numbers."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.divide(high, low)) / 2 / stats.t.ppf(0.5 + CONFIDENCE / 2, np.subtract(replicates, 1.0))


def any_hour(speed_ups: Sequence[float], error: float, replicates: float) -> AnyHour:
    """Of the speed-ups of one study and of all others like it; `error` and `replicates` are the one's (`spread`)."""
    count, logs = len(speed_ups), np.log(speed_ups)
    deviation, freedom = spread(error, replicates, speed_ups)
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * deviation
    ends = [0.0, *(sign * reach * scale for scale in (count**-0.5, (1 + 1 / count) ** 0.5) for sign in (-1, 1))]
    return AnyHour(*(float(np.exp(logs.mean() + end)) for end in ends))


def apart(one: Spread, other: Spread) -> Spread:
    """The standard error of the difference of two logarithms of such spreads, and its degrees of freedom: the lesser of
    both, not Welch's, since both rest on one guess, and on one machine on the same other studies. Arrays or numbers."""
    return np.hypot(one[0], other[0]), np.minimum(one[1], other[1])


def change(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> tuple[float, float]:
    """The 95 % interval of how many times faster the other is than the one: rows of the same, each at an hour of its
    own, by the guess alone; unknown (NaN) where one of them has no interval."""
    errors = [error_of(row["speedup_ci_low"], row["speedup_ci_high"], row["replicates"]) for row in (one, other)]
    error, freedom = apart(*(spread(own, row["replicates"], ()) for own, row in zip(errors, (one, other), strict=True)))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * float(error)
    ratio = float(other["speedup"] / one["speedup"])
    return ratio * math.exp(-half), ratio * math.exp(half)


def telling(others: pd.DataFrame, confirms: object, details: Callable[[int], Mapping[str, Any]]) -> pd.DataFrame:
    """Of rows of the same in other studies (`Store.repeated`, `Store.earlier`) those that tell of hours: not what was
    timed on a disturbed machine, nor the study that this one `confirms`, which picked its row for its speed."""
    return disturbance.undisturbed(others[others["study_id"] != confirms], details)


def said(row: Mapping[Any, Any], others: Sequence[float]) -> str:
    """What is to be expected of a row at another hour; empty where it has no interval."""
    known = [row[name] for name in ("speedup", "speedup_ci_low", "speedup_ci_high", "replicates")]
    if row["variant"] in (BASELINE, CONTROL) or any(pd.isna(value) for value in known):
        return ""
    found = any_hour([known[0], *others], error_of(*known[1:]), known[3])
    seen = wording.interval(min(others), max(others), "x") if others else ""
    another = wording.interval(found.another_low, found.another_high, "x")
    if not another:  # all the same to the last digit
        return ""
    if not others:
        return f"At another hour a study should find {another}, guessed from how far this one's processes lie apart."
    mean = wording.interval(found.low, found.high, "x") or wording.number(found.mean, "x")
    studies = f"1 other study of this machine it was {wording.number(others[0], 'x')}"
    if len(others) > 1:
        studies = f"{len(others)} other studies of this machine it was {seen or wording.number(others[0], 'x')}"
    return (
        f"In {studies}; with this one that makes {wording.number(found.mean, 'x')} (95 %: {mean}), and at another hour "
        f"a study should find {another}."
    )
