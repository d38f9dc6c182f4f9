"""Which rounds of a heat were undisturbed, by the pulse that was felt before and after each (`measure.pulse`).

A guest's cores are moved about by its host, and other programs take their turns on them. For seconds on end every
handoff of work between threads then takes half as long again or more, which slows one variant by a tenth and another
to half its speed: a speed-up taken then is of another machine. Such rounds are set aside where enough others are left.
What decides is work that belongs to no variant, so that leaving rounds out favours none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Felt = NDArray[np.int64]
"""[n, 3]: replicate, round and nanoseconds of a handoff, felt before that round; one more closes each replicate."""

SLOWER = 1.25
"""A handoff that takes this many times as long as it does undisturbed was disturbed."""
UNDISTURBED_QUANTILE = 0.1
LEAST_ROUNDS = 3
"""A replicate with fewer undisturbed rounds says nothing of the undisturbed machine."""
LEAST_REPLICATES = 2
"""With fewer of them left there is no interval: all rounds count, and the rows are warned of."""


@dataclass(frozen=True)
class Stillness:
    """What was undisturbed in a heat, or all of it where that is too little."""

    rounds: NDArray[np.int64] | None
    """[n, 2], replicate and round, of those that count; None where all do."""
    set_aside: float
    """Share of the rounds that do not count."""
    disturbed: bool
    """All rounds count, though most were disturbed: too few were not."""

    def of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The samples [n, 3] that were taken in rounds that count."""
        if self.rounds is None:
            return samples
        return samples[np.isin(_places(samples), _places(self.rounds))]


_NAMES = ("replicate", "round", "handoff_ns")
ALL = Stillness(None, 0.0, False)


def _places(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Replicate and round as one number."""
    return rows[:, 0] * 2**32 + rows[:, 1]


def undisturbed_ns(felt: Felt) -> float:
    """What a handoff takes where nothing disturbs: near the least of all that were felt, but no stroke of luck.

    All replicates weigh the same: one that was disturbed goes on for longer, and feels it more often.
    """
    _, replicate, pulses = np.unique(felt[:, 0], return_inverse=True, return_counts=True)
    return float(np.quantile(felt[:, 2], UNDISTURBED_QUANTILE, weights=1 / pulses[replicate], method="inverted_cdf"))


def as_details(felt: Felt, best_ns: float | None) -> dict[str, Any]:
    """What a heat's baseline keeps in its details, from which `of_heat` judges again."""
    return dict(zip(_NAMES, felt.T.tolist(), strict=True)) | {"best_ns": best_ns}


def of_heat(details: Mapping[str, Any]) -> Stillness:
    """As the heat was judged, from the details of its baseline; all counts where they hold no pulse."""
    pulse = details.get("pulse")
    try:
        felt = np.column_stack([np.asarray(pulse[name], np.int64) for name in _NAMES])  # type: ignore[index]
        return judged(felt, pulse["best_ns"])  # type: ignore[index]
    except (
        TypeError,
        KeyError,
        ValueError,
        OverflowError,
    ):  # a study from before it was felt, or a document of another origin
        return ALL


def during(felt: Felt | None, samples: NDArray[np.int64], best_ns: float | None = None) -> Stillness:
    """As `judged`, by the replicates alone in which these samples [n, 3] were taken."""
    return judged(None if felt is None else felt[np.isin(felt[:, 0], samples[:, 0])], best_ns)


def judged(felt: Felt | None, best_ns: float | None = None) -> Stillness:
    """Which rounds count. `best_ns` is what a handoff takes undisturbed where other heats of the study know better."""
    if felt is None or not len(felt) or not felt[:, 2].any():
        return ALL
    limit_ns = SLOWER * min(undisturbed_ns(felt), best_ns or np.inf)
    kept, total = [], 0
    for replicate in np.unique(felt[:, 0]):
        own = felt[felt[:, 0] == replicate]
        own = own[np.argsort(own[:, 1])]
        still = own[:, 2] <= limit_ns
        # A round is undisturbed where the machine was before it and after it.
        counting = own[:-1][still[:-1] & still[1:], :2]
        total += len(own) - 1
        if len(counting) >= LEAST_ROUNDS:
            kept.append(counting)
    if len(kept) < min(LEAST_REPLICATES, len(np.unique(felt[:, 0]))):
        return Stillness(None, 0.0, disturbed=True)
    rounds = np.concatenate(kept)
    return Stillness(rounds, 1 - len(rounds) / total, disturbed=False)
