"""The fastest calls of two variants: two ways to read a speed-up from them, process by process.

Samples are int64 [n, 3]: replicate, round, nanoseconds of one call. What disturbs a call makes it slower, never faster.

- *Together*: the fastest tenth of the calls of all processes. Where others share the machine it has its undisturbed
  moments in some processes and not in others, and those that never met one have no part in this. How far each process
  moves it is told by a jackknife (Tukey, 1958).
- *Each by itself*: the fastest third of each process's calls, and the mean over processes. What slows a process as a
  whole, such as a lower clock, falls out, since it slows both variants; what slows one variant more does not.
"""

from __future__ import annotations

from collections.abc import Sequence
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
class Readings:
    """Both, as the processes make them: each is the mean of its figures."""

    together: Figures
    each: Figures
    inside: NDArray[np.float64]
    """[2, 2]: covariance of a process's two figures by what its blocks of rounds show; 0 where rounds are too few."""

    @property
    def between(self) -> NDArray[np.float64]:
        """[2, 2]: covariance of a process's two figures by how they differ from one process to the next."""
        return np.cov(self.together, self.each)


class _Calls:
    """Logarithms of one variant's calls, the fastest first, each with the unit that it belongs to: a process, or a
    block of rounds in one."""

    def __init__(self, logs: Figures, units: NDArray[np.intp], count: int) -> None:
        self.logs, self.units = logs, units
        self.of_unit = np.bincount(units, minlength=count)

    def each(self) -> list[Figures]:
        """Those of every unit alone."""
        together = self.logs[np.argsort(self.units, kind="stable")]
        return np.split(together, np.cumsum(self.of_unit)[:-1])

    def without(self, unit: int, count: float) -> Figures:
        """Of all units but this one so many of the fastest, at least."""
        most = int(np.ceil(count)) + int(self.of_unit[unit])
        return np.asarray(self.logs[:most][self.units[:most] != unit])


Sides = tuple[_Calls, _Calls]
"""The baseline's and the variant's."""


def _level(calls: int, share: float) -> float:
    """At which share of all possible calls the fastest of so many lie on average."""
    return (max(1.0, share * calls) + 1) / (2 * (calls + 1))


def _count(calls: int, level: float) -> float:
    """How many of so many calls, the fastest, lie at this level on average."""
    return max(1.0, 2 * level * (calls + 1) - 1)


def _mean(logs: Figures, count: float) -> float:
    """Of so many of the fastest, the last one in part."""
    whole = int(count)
    part = count - whole
    return (float(logs[:whole].sum()) + (part * float(logs[whole]) if part else 0.0)) / count


def _log_ratio(baseline: Figures, variant: Figures, share: float) -> float:
    """Of the fastest share of the calls. The fastest of few calls are not as fast as those of many, so both sides are
    taken at the level of the fewer."""
    level = _level(min(len(baseline), len(variant)), share)
    return _mean(baseline, _count(len(baseline), level)) - _mean(variant, _count(len(variant), level))


def _pseudo_values(sides: Sides) -> Figures:
    """What all calls together say, as each unit moves it: pseudo-values, with their mean put where all have it."""
    level = _level(min(len(side.logs) for side in sides), FASTEST)
    without = np.zeros(len(sides[0].of_unit))
    for side, sign in zip(sides, (1, -1), strict=True):
        for unit, left_out in enumerate(side.of_unit):
            count = _count(len(side.logs) - int(left_out), level)
            without[unit] += sign * _mean(side.without(unit, count), count)
    whole = _log_ratio(sides[0].logs, sides[1].logs, FASTEST)
    return np.asarray(whole + (len(without) - 1) * (without.mean() - without))


def _own(sides: Sides) -> Figures:
    """What each unit says by itself."""
    parts = zip(sides[0].each(), sides[1].each(), strict=True)
    return np.array([_log_ratio(baseline, variant, OWN_FASTEST) for baseline, variant in parts])


def _places(samples: Samples) -> NDArray[np.int64]:
    """Replicate and round as one number."""
    return samples[:, 0] * 2**32 + samples[:, 1]


def paired(baseline: Samples, variant: Samples) -> tuple[Samples, Samples]:
    """The calls of both, of the rounds that both took part in, the fastest first."""
    places = _places(baseline), _places(variant)
    both = np.intersect1d(places[0], places[1])
    ours, theirs = baseline[np.isin(places[0], both)], variant[np.isin(places[1], both)]
    return ours[np.argsort(ours[:, 2], kind="stable")], theirs[np.argsort(theirs[:, 2], kind="stable")]


def _by_process(pair: Sequence[Samples]) -> Sides:
    numbers = np.unique(pair[0][:, 0])
    ours, theirs = (
        _Calls(np.log(samples[:, 2]), np.searchsorted(numbers, samples[:, 0]), len(numbers)) for samples in pair
    )
    return ours, theirs


def _by_block(pair: Sequence[Samples]) -> tuple[Sides, NDArray[np.int64]] | None:
    """The calls by blocks of rounds, and how many blocks each process has; None where none has rounds enough."""
    places = np.unique(_places(pair[0]))
    starts = np.flatnonzero(np.diff(places >> 32, prepend=-1))
    first, counts = [], []
    for rounds in np.split(places, starts[1:]):
        count = min(BLOCKS, len(rounds) // 2)
        if count > 1:
            first += [block[0] for block in np.array_split(rounds, count)]
            counts.append(count)
    if not counts:
        return None
    edges = np.array(first)
    found = []
    for samples in pair:
        unit = np.searchsorted(edges, _places(samples), side="right") - 1
        counting = (unit >= 0) & (edges[unit] >> 32 == samples[:, 0])
        found.append(_Calls(np.log(samples[counting, 2]), unit[counting], len(edges)))
    return (found[0], found[1]), np.array(counts)


def readings(pair: Sequence[Samples]) -> Readings:
    """Of the `paired` samples of a baseline and a variant."""
    processes, blocks = _by_process(pair), _by_block(pair)
    together, each = _pseudo_values(processes), _own(processes)
    if blocks is None:
        return Readings(together, each, np.zeros((2, 2)))
    sides, counts = blocks
    both = np.split(np.stack([_pseudo_values(sides), _own(sides)]), np.cumsum(counts)[:-1], axis=1)
    return Readings(together, each, np.mean([np.cov(own) / own.shape[1] for own in both], axis=0))


def replicate_ratios(baseline: Samples, variant: Samples) -> dict[int, float]:
    """What each replicate that timed both finds by itself, by its number."""
    pair = paired(baseline, variant)
    numbers = np.unique(pair[0][:, 0])
    if not len(numbers):
        return {}
    return dict(zip(numbers.tolist(), np.exp(_own(_by_process(pair))).tolist(), strict=True))
