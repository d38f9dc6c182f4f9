"""The fastest calls of two variants: two ways to read a speed-up from them, process by process.

Samples are int64 [n, 3]: replicate, round, nanoseconds of one call. What disturbs a call makes it slower, never faster.

- *Together*: the fastest tenth of the calls of all processes. Where others share the machine it has its undisturbed
  moments in some processes and not in others, and those that never met one have no part in this. How far each process
  moves it is told by a jackknife (Tukey, 1958).
- *Each by itself*: the fastest third of each process's calls, and the mean over processes. What slows a process as a
  whole, such as a lower clock, falls out, since it slows both variants; what slows one variant more does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int64]
Figures = NDArray[np.float64]
"""[processes]: logarithms of the speed-up."""

FASTEST = 0.1
"""Share of all calls that counts, all processes together."""
OWN_FASTEST = 1 / 3
"""Share of a process's calls that counts, each by itself: of so few a tenth would be one or two."""
BLOCKS = 5
"""Blocks of rounds in a replicate, at most: neighbouring rounds are not independent, blocks nearly are."""


@dataclass(frozen=True)
class Reading:
    """A speed-up as the processes make it: the mean of their figures."""

    figures: Figures
    inside: float
    """Variance of a process's figure by what its blocks of rounds show; 0 where there are too few rounds."""

    @property
    def variance(self) -> float:
        """Of the mean: the larger of what lies between processes and what is seen inside them. Four processes that
        agree by luck must not look surer than their own rounds are."""
        return max(float(np.var(self.figures, ddof=1)), self.inside) / len(self.figures)


class _Calls:
    """Logarithms of one variant's calls, the fastest first, each with the unit that it belongs to: a process, or a
    block of rounds in one."""

    def __init__(self, nanoseconds: NDArray[np.int64], units: NDArray[np.intp]) -> None:
        order = np.argsort(nanoseconds, kind="stable")
        self.logs, self.units = np.log(nanoseconds[order]), units[order]
        self.of_unit = np.bincount(units)

    def fastest(self, level: float, without: int | None = None) -> float:
        """Mean logarithm of as many of the fastest as lie at this level on average, of all units or all but one."""
        left_out = 0 if without is None else int(self.of_unit[without])
        count = max(1.0, 2 * level * (len(self.logs) - left_out + 1) - 1)
        reach = int(np.ceil(count)) + left_out
        logs = self.logs[:reach]
        if without is not None:
            logs = logs[self.units[:reach] != without]
        whole = int(count)
        part = count - whole  # the last one counts in part
        total = float(logs[:whole].sum()) + (part * float(logs[whole]) if part else 0.0)
        return total / count

    def of(self, unit: int) -> _Calls:
        """Those of one unit alone."""
        found = object.__new__(_Calls)
        found.logs = self.logs[self.units == unit]
        found.units, found.of_unit = np.zeros(len(found.logs), np.intp), np.array([len(found.logs)])
        return found


Sides = tuple[_Calls, _Calls]
"""The baseline's and the variant's."""


def _log_ratio(sides: Sides, share: float, without: int | None = None) -> float:
    """The log of the speed-up by the fastest share of the calls, of all units or all but one.

    The fastest of few calls are not as fast as those of many, so both sides are taken at the level of the fewer: at
    which share of all possible calls the fastest of so many lie on average.
    """
    calls = min(len(side.logs) for side in sides)
    level = (max(1.0, share * calls) + 1) / (2 * (calls + 1))
    baseline, variant = sides
    return baseline.fastest(level, without) - variant.fastest(level, without)


def _moving(sides: Sides, units: int) -> Figures:
    """What all calls together say, as each unit moves it: pseudo-values, with their mean put where all have it."""
    without = np.array([_log_ratio(sides, FASTEST, unit) for unit in range(units)])
    return np.asarray(_log_ratio(sides, FASTEST) + (units - 1) * (without.mean() - without))


def _own(sides: Sides, units: Iterable[int]) -> Figures:
    """What each unit says by itself."""
    return np.array([_log_ratio((sides[0].of(unit), sides[1].of(unit)), OWN_FASTEST) for unit in units])


def paired(baseline: Samples, variant: Samples) -> tuple[Samples, Samples]:
    """The calls of both, of the rounds that both took part in."""
    keys = [samples[:, 0] * 2**32 + samples[:, 1] for samples in (baseline, variant)]
    both = np.intersect1d(keys[0], keys[1])
    return baseline[np.isin(keys[0], both)], variant[np.isin(keys[1], both)]


def _sides(pair: Sequence[Samples], units: Sequence[NDArray[np.intp]]) -> Sides:
    baseline, variant = (_Calls(samples[:, 2], own) for samples, own in zip(pair, units, strict=True))
    return baseline, variant


def _by_process(pair: Sequence[Samples]) -> Sides:
    numbers = np.unique(pair[0][:, 0])
    return _sides(pair, [np.searchsorted(numbers, samples[:, 0]) for samples in pair])


def _by_block(pair: Sequence[Samples]) -> tuple[Sides, NDArray[np.int64]] | None:
    """The calls by blocks of rounds, and how many blocks each process has; None where none has rounds enough."""
    rounds = np.unique(pair[0][:, :2], axis=0)
    edges, counts = [], []
    for process in np.unique(rounds[:, 0]):
        own = rounds[rounds[:, 0] == process, 1]
        count = min(BLOCKS, len(own) // 2)
        if count > 1:
            edges += [process * 2**32 + block[0] for block in np.array_split(own, count)]
            counts.append(count)
    if not counts:
        return None
    counting, units = [], []
    for samples in pair:
        unit = np.searchsorted(edges, samples[:, 0] * 2**32 + samples[:, 1], side="right") - 1
        of_process = (unit >= 0) & (np.array(edges)[unit] // 2**32 == samples[:, 0])
        counting.append(samples[of_process])
        units.append(unit[of_process])
    return _sides(counting, units), np.array(counts)


def readings(pair: Sequence[Samples]) -> tuple[Reading, Reading]:
    """All processes together, and each by itself, of the `paired` samples of a baseline and a variant."""
    processes = _by_process(pair)
    number = len(processes[0].of_unit)
    together, each = _moving(processes, number), _own(processes, range(number))
    blocks = _by_block(pair)
    if blocks is None:
        return Reading(together, 0.0), Reading(each, 0.0)
    sides, counts = blocks
    moving = float(np.var(_moving(sides, counts.sum()), ddof=1)) * len(counts) / counts.sum()
    own = np.split(_own(sides, range(counts.sum())), np.cumsum(counts)[:-1])
    return Reading(together, moving), Reading(each, float(np.mean([np.var(one, ddof=1) / len(one) for one in own])))


def replicate_ratios(baseline: Samples, variant: Samples) -> dict[int, float]:
    """What each replicate that timed both finds by itself, by its number."""
    pair = paired(baseline, variant)
    numbers = np.unique(pair[0][:, 0])
    return dict(zip(numbers.tolist(), np.exp(_own(_by_process(pair), range(len(numbers)))).tolist(), strict=True))
