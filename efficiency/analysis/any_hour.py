"""How far a speed-up holds at another hour: what one study can only guess, and several tell.

What differs between hours and not within one, above all how much of the memory others take up, is guessed in the
interval of one study, by how far its processes lie apart and by how much the speed-up is (`speed.between_hours`). Every
other study of the same machine that measured the same replaces some of the guess by what these studies do differ. As in
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

from efficiency.analysis import disturbance, own_minutes, speed, wording
from efficiency.study import BASELINE, CONTROL

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


@dataclass(frozen=True)
class Known:
    """What a study knows of its speed-up's error: standard errors of the logarithm."""

    minutes: float
    """Of its own minutes alone."""
    stated: float
    """With what hours differ by, as far as one study can tell."""
    replicates: float


def known(row: Mapping[Any, Any], side: str = "") -> Known:
    """From a row's columns, whose names may end by a `side`; NaN where there is no interval."""
    names = ("speedup_ci_low", "speedup_ci_high", "replicates")
    low, high, replicates = (float("nan") if row[n + side] is None else float(row[n + side]) for n in names)
    reach = speed.t_reach(replicates - 1)
    minutes = math.log1p(own_minutes.half(row, side)) / reach
    stated = (math.log(high) - math.log(low)) / 2 / reach
    if not own_minutes.told(row, side):  # from before intervals allowed for hours
        centre = (math.log(high) + math.log(low)) / 2
        stated = math.hypot(minutes, speed.between_hours(minutes, max(replicates, 0.0), centre))
    return Known(minutes, stated, replicates)


def spread(study: Known, speed_ups: Sequence[float]) -> tuple[float, float]:
    """How far a study's speed-up lies from the mean of many hours: a standard deviation of its logarithm, and the
    degrees of freedom it has; never less than the error of its own minutes.

    `speed_ups` are those that studies of the same found at several hours, its own among them or not.
    """
    if not (study.replicates > 1 and study.stated >= 0):
        return np.nan, np.nan
    stated = _stated_freedom(study)
    seen = float(np.var(np.log(speed_ups), ddof=1)) if len(speed_ups) > 1 else 0.0
    freedom = stated + max(len(speed_ups) - 1, 0)
    deviation = float(np.sqrt((stated * study.stated**2 + (freedom - stated) * seen) / freedom))
    if deviation > study.minutes:
        return deviation, freedom
    return study.minutes, study.replicates - 1


def _stated_freedom(study: Known) -> float:
    """The degrees of freedom of what a study states: each process of what its own minutes make of the error counts, and
    the guess as `speed.GUESS_COUNTS`, though as no more than the processes it rests on."""
    processes = study.replicates - 1
    guessed = 1 - (study.minutes / study.stated) ** 2 if study.stated > study.minutes else 0.0
    return float(1 / ((1 - guessed) / processes + guessed / min(speed.GUESS_COUNTS, processes)))


def any_hour(speed_ups: Sequence[float], study: Known) -> AnyHour:
    """Of the speed-ups of one study and of all others like it; `study` is the one's."""
    count, logs = len(speed_ups), np.log(speed_ups)
    deviation, freedom = spread(study, speed_ups)
    reach = speed.t_reach(freedom) * deviation
    ends = [0.0, *(sign * reach * scale for scale in (count**-0.5, (1 + 1 / count) ** 0.5) for sign in (-1, 1))]
    return AnyHour(*(float(np.exp(logs.mean() + end)) for end in ends))


def apart(one: Spread, other: Spread) -> Spread:
    """The standard error of the difference of two logarithms of such spreads, and its degrees of freedom: the lesser of
    both, not Welch's, since both rest on one guess, and on one machine on the same other studies. Arrays or numbers."""
    return np.hypot(one[0], other[0]), np.minimum(one[1], other[1])


def change(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> tuple[float, float]:
    """The 95 % interval of how many times faster the other is than the one: rows of the same, each at an hour of its
    own, by the guess alone; unknown (NaN) where one of them has no interval."""
    error, freedom = apart(*(spread(known(row), ()) for row in (one, other)))
    half = speed.t_reach(freedom) * float(error)
    ratio = float(other["speedup"] / one["speedup"])
    return ratio * math.exp(-half), ratio * math.exp(half)


def telling(others: pd.DataFrame, confirms: object, details: Callable[[int], Mapping[str, Any]]) -> pd.DataFrame:
    """Of rows of the same in other studies (`Store.repeated`, `Store.earlier`) those that tell of hours: not what was
    timed on a disturbed machine, nor the study that this one `confirms`, which picked its row for its speed."""
    return disturbance.undisturbed(others[others["study_id"] != confirms], details)


def said(row: Mapping[Any, Any], others: Sequence[float]) -> str:
    """What is to be expected of a row at another hour; empty where it has no interval."""
    needed = ("speedup", "speedup_ci_low", "speedup_ci_high", "replicates")
    if row["variant"] in (BASELINE, CONTROL) or any(pd.isna(row[name]) for name in needed):
        return ""
    found = any_hour([row["speedup"], *others], known(row))
    seen = wording.interval(min(others), max(others), "x") if others else ""
    another = wording.interval(found.another_low, found.another_high, "x")
    if not another:  # all the same to the last digit
        return ""
    if not others:
        return (
            f"At another hour a study should find {another}, guessed from how far this one's processes lie apart and "
            "how much is gained."
        )
    mean = wording.interval(found.low, found.high, "x") or wording.number(found.mean, "x")
    studies = f"1 other study of this machine it was {wording.number(others[0], 'x')}"
    if len(others) > 1:
        studies = f"{len(others)} other studies of this machine it was {seen or wording.number(others[0], 'x')}"
    return (
        f"In {studies}; with this one that makes {wording.number(found.mean, 'x')} (95 %: {mean}), and at another hour "
        f"a study should find {another}."
    )
