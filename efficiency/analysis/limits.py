"""What a variant may cost: limits on accuracy, latency, size, memory and preparation, and which rows meet them.

A figure with an interval meets a limit where the interval says so, and misses it where the interval says that: on
accuracy this is the verdict of non-inferiority, taken at the limit in place of the study's tolerance. In between it
is `probably` met where the bound that holds in four of five studies meets it, else `unresolved`; both are told as
such, and `sure` says whether the former counts. `benchmarks/decide.py` shows what each of the two leads to. What has
no interval (size, memory, preparation, and p99 in studies from before it had one) counts as it was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Percentile = Literal["p50", "p99"]
State = Literal["met", "probably", "unresolved", "missed", "unknown"]

PROBABLE = 0.8
"""How sure it must be that a limit is met for it to count as probably met, one-sided; the 95 % interval asks 0.975."""
_NARROWER = NormalDist().inv_cdf(PROBABLE) / NormalDist().inv_cdf(0.975)
"""How far such a bound lies from the estimate, as a share of the interval's half; with few replicates a bit too far."""

MOST_ACCURACY_DROP_PP = 100.0


@dataclass(frozen=True)
class Limits:
    """What may be lost and spent; None is no limit."""

    accuracy_drop_pp: float | None = None
    """Percentage points below the baseline."""
    latency_ms: float | None = None
    """Of a call, a whole batch, at `percentile`."""
    size_mb: float | None = None
    memory_mb: float | None = None
    """Peak memory while serving."""
    prepare_s: float | None = None
    percentile: Percentile = "p50"
    sure: bool = False
    """Whether only what the 95 % interval says counts, and not what is probable."""

    @property
    def asked(self) -> dict[str, float]:
        """The limits that there are, by name."""
        return {name: value for name in KINDS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Kind:
    """One kind of limit: what it is called, and in which column of `views.prepared` its figure and the ends are."""

    title: str
    unit: str
    column: str
    best: str | None = None
    worst: str | None = None
    sign: int = 1
    """-1 where the column falls as the cost rises."""
    option: str = ""
    """On the command line."""
    floor: tuple[str, ...] = ()
    """Columns of what the figure is never below, for rows in which it is not known: the first that is."""


KINDS: dict[str, Kind] = {
    "accuracy_drop_pp": Kind(
        "Accuracy lost", "pp", "accuracy_delta_pp", "accuracy_delta_ci_high_pp", "accuracy_delta_ci_low_pp", -1,
        "--max-accuracy-drop",
    ),
    "latency_ms": Kind(
        "Latency", "ms", "latency_ms_p50", "latency_low_ms", "latency_high_ms", option="--max-latency-ms"
    ),
    "size_mb": Kind("Size", "MB", "size_mb", option="--max-size-mb"),
    "memory_mb": Kind("Peak memory", "MB", "peak_memory_mb", option="--max-memory-mb"),
    "prepare_s": Kind("Preparation", "s", "prepare_s", option="--max-prepare-s"),
}  # fmt: skip
_P99 = Kind(
    "Latency p99", "ms", "latency_ms_p99", "latency_ms_p99_ci_low", "latency_ms_p99_ci_high",
    option="--max-latency-ms", floor=("latency_low_ms", "latency_ms_p50"),
)  # fmt: skip


def kind_of(name: str, limits: Limits) -> Kind:
    """The kind of limit of that name; latency's depends on the percentile."""
    return _P99 if name == "latency_ms" and limits.percentile == "p99" else KINDS[name]


def of_p99(limits: Limits) -> bool:
    """Whether it is the p99 that is limited."""
    return limits.latency_ms is not None and limits.percentile == "p99"


def problems(limits: Limits) -> list[str]:
    """What no row of any study could meet, a sentence each."""
    found = []
    for name, value in limits.asked.items():
        option = KINDS[name].option
        if name == "accuracy_drop_pp" and not 0 < value <= MOST_ACCURACY_DROP_PP:
            why = ": no number of test rows shows that nothing at all is lost" if value == 0 else ""
            found.append(
                f"{option}: choose more than 0 and at most {MOST_ACCURACY_DROP_PP:g} percentage points, not "
                f"{value:g}{why}."
            )
        elif not math.isfinite(value) or value < 0:
            found.append(f"{option}: choose a number above 0 of {KINDS[name].unit}, not {value:g}.")
        elif value == 0 and name != "prepare_s":
            found.append(f"{option}: nothing takes 0 {KINDS[name].unit}; choose more.")
    return found


def as_document(limits: Limits) -> dict[str, Any]:
    """Ready for JSON."""
    return {field.name: getattr(limits, field.name) for field in fields(limits)}


def figures(rows: pd.DataFrame, kind: Kind) -> pd.Series:
    """What each row costs of this kind: lower is better; NaN where it is not known."""
    return pd.Series(_costs(rows, kind.column, kind), index=rows.index)


def _costs(rows: pd.DataFrame, column: str, kind: Kind) -> NDArray[np.float64]:
    return kind.sign * rows[column].to_numpy(float)


def states(rows: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """For each row and limit that is asked its `State`; a column a limit."""
    found = {}
    for name, value in limits.asked.items():
        kind = kind_of(name, limits)
        figure, best, worst, bound = _interval(rows, kind)
        over = np.isnan(figure) & (_floor(rows, kind) > value)
        found[name] = np.select(
            [over, np.isnan(figure), worst <= value, best > value, bound <= value],
            ["missed", "unknown", "met", "missed", "probably"],
            "unresolved",
        ).astype(object)
    return pd.DataFrame(found, index=rows.index)


def _floor(rows: pd.DataFrame, kind: Kind) -> NDArray[np.float64]:
    """What the costs are never below, NaN where nothing is known."""
    found = np.full(len(rows), np.nan)
    for column in kind.floor:
        found = np.where(np.isnan(found), _costs(rows, column, kind), found)
    return found


def _interval(rows: pd.DataFrame, kind: Kind) -> tuple[NDArray[np.float64], ...]:
    """The costs, the ends of their intervals, and the bounds that they probably keep to; all the same without one."""
    figure = best = worst = _costs(rows, kind.column, kind)
    if kind.best and kind.worst:
        best, worst = (_costs(rows, column, kind) for column in (kind.best, kind.worst))
        best, worst = (np.where(np.isnan(end), figure, end) for end in (best, worst))
    return figure, best, worst, figure + _NARROWER * (worst - figure)


def excess(rows: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """By what share each row's figure exceeds each limit: 0 where it does not, 1 where it is twice the limit. Over a
    limit of nothing at all it is the figure itself, so that the least is the nearest."""
    found = {}
    for name, value in limits.asked.items():
        over = (figures(rows, kind_of(name, limits)) - value).clip(lower=0)
        found[name] = over / (value or 1.0)
    return pd.DataFrame(found, index=rows.index)


def counts(state: object, limits: Limits) -> bool:
    """Whether that state of a limit counts as meeting it."""
    return state == "met" or (state == "probably" and not limits.sure)


def counting(state: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Of `states`, for each row and limit whether it counts as met."""
    return (state == "met") if limits.sure else (state == "met") | (state == "probably")


def meets(rows: pd.DataFrame, limits: Limits) -> pd.Series:
    """Whether each row meets every limit."""
    return counting(states(rows, limits), limits).all(axis=1)


def ranges(rows: pd.DataFrame, limits: Limits) -> dict[str, tuple[float, float]]:
    """For each kind the least that counts as kept by some row, and the most that any costs; kinds that no row knows are
    left out."""
    found = {}
    for name in KINDS:
        figure, _, worst, bound = _interval(rows, kind_of(name, limits))
        if not np.isnan(figure).all():
            least = float(np.nanmin(worst if limits.sure else bound))
            found[name] = (least, max(least, float(np.nanmax(figure))))
    return found
