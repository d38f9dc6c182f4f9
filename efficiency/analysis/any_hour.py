"""How far a speed-up holds at another hour, from what other studies of the same machine found.

An interval rests on the minutes of one study. What differs between hours and not within one, above all how much of the
memory others take up, is in no interval, and for models that wait for memory it is the larger part. Where enough
studies measured the same, their spread shows it: each study's estimate counts once, and Student's t over studies gives
the interval of what they have in common, and that of what one more would find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from efficiency.analysis import wording
from efficiency.study import BASELINE, CONTROL

LEAST_STUDIES = 5
"""With fewer the interval of one more study is too wide to say anything: with three, nine times their spread."""


@dataclass(frozen=True)
class AnyHour:
    """What several studies of one machine say of one speed-up."""

    studies: int
    mean: float
    low: float
    """The 95 % interval of the mean over hours like those of these studies."""
    high: float
    another_low: float
    """Of 20 more studies 19 would find a speed-up from here on, to `another_high`."""
    another_high: float


def any_hour(speed_ups: Sequence[float]) -> AnyHour | None:
    """Of a study's speed-up each; None of fewer than `LEAST_STUDIES`."""
    count = len(speed_ups)
    if count < LEAST_STUDIES:
        return None
    logs = np.log(speed_ups)
    reach = float(stats.t.ppf(0.975, count - 1)) * float(logs.std(ddof=1))
    ends = [0.0, *(sign * reach * scale for scale in (count**-0.5, (1 + 1 / count) ** 0.5) for sign in (-1, 1))]
    return AnyHour(count, *(float(np.exp(logs.mean() + end)) for end in ends))


def spread(speed_ups: Sequence[float]) -> float:
    """How far a study's speed-up lies from the next one's: the standard deviation of its logarithm; NaN of too few."""
    return float(np.std(np.log(speed_ups), ddof=1)) if len(speed_ups) >= LEAST_STUDIES else np.nan


def said(row: Mapping[Any, Any], others: Sequence[float]) -> str:
    """What the other studies' speed-ups of the same say beside the row's own; empty where there are too few."""
    if row["variant"] in (BASELINE, CONTROL) or not others or pd.isna(row["speedup"]):
        return ""
    found = any_hour([float(row["speedup"]), *others])
    if found is None:
        return ""
    seen, mean, another = (
        wording.interval(*ends, "x")
        for ends in ((min(others), max(others)), (found.low, found.high), (found.another_low, found.another_high))
    )
    if not (seen and mean and another):  # all the same to the last digit
        return ""
    return (
        f"In {len(others)} other studies of this machine it was {seen}; with this one that makes "
        f"{wording.number(found.mean, 'x')} (95 %: {mean}), and at another hour a study should find {another}."
    )
