"""How much of a heat's time the machine was undisturbed, by the pulse felt before every round (`measure.pulse`).

A guest's cores are moved about by its host, and other programs take their turns on them. For seconds on end every
handoff of work between threads then takes half as long again or more, which slows one variant by a tenth and another
to half its speed. A speed-up rests above all on the fastest tenth of all calls (`analysis.fastest_calls`), which are
of the undisturbed machine as long as that was there for a tenth of the time; where it was not, the figures are of
another machine. What decides is work that belongs to no variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficiency.analysis.fastest_calls import FASTEST

Felt = NDArray[np.int64]
"""[n, 3]: replicate, round and nanoseconds of a handoff, felt before that round; one more closes each replicate."""

SLOWER = 1.25
"""A handoff that takes this many times as long as it does undisturbed was disturbed."""
UNDISTURBED_QUANTILE = 0.03
"""Far below the share that has to be undisturbed, so that a heat can be found wanting by itself."""

_NAMES = ("replicate", "round", "handoff_ns")


def undisturbed_ns(felt: Felt) -> float:
    """What a handoff takes where nothing disturbs: near the least of all that were felt, but no stroke of luck.

    All replicates weigh the same: one that was disturbed goes on for longer, and feels it more often.
    """
    _, replicate, pulses = np.unique(felt[:, 0], return_inverse=True, return_counts=True)
    return float(np.quantile(felt[:, 2], UNDISTURBED_QUANTILE, weights=1 / pulses[replicate], method="inverted_cdf"))


def share(felt: Felt | None, best_ns: float | None = None) -> float | None:
    """Of the pulses, those of an undisturbed machine; None where none was felt. `best_ns` is what a handoff takes
    undisturbed where other heats of the study, or studies before it, know better."""
    if felt is None or not len(felt) or not felt[:, 2].any():
        return None
    limit_ns = SLOWER * min(undisturbed_ns(felt), best_ns or np.inf)
    return float(np.mean(felt[:, 2] <= limit_ns))


def disturbed(felt: Felt | None, best_ns: float | None = None) -> bool:
    """Whether too little of the time was undisturbed for a speed-up to be of the undisturbed machine."""
    undisturbed = share(felt, best_ns)
    return undisturbed is not None and undisturbed < FASTEST


def during(felt: Felt | None, samples: NDArray[np.int64], best_ns: float | None = None) -> bool:
    """As `disturbed`, by the replicates alone in which these samples [n, 3] were taken."""
    return disturbed(None if felt is None else felt[np.isin(felt[:, 0], samples[:, 0])], best_ns)


def as_details(felt: Felt, best_ns: float | None) -> dict[str, Any]:
    """What a heat's baseline keeps in its details, which `of_heat` reads again."""
    return dict(zip(_NAMES, felt.T.tolist(), strict=True)) | {"best_ns": best_ns}


def felt_in(details: Mapping[str, Any]) -> Felt | None:
    """The pulse in the details of a heat's baseline; None where they hold none: those of a study from before it was
    felt, or of another origin."""
    pulse = details.get("pulse")
    try:
        felt = np.column_stack([np.asarray(pulse[name], np.int64) for name in _NAMES])  # type: ignore[index]
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
    return felt if len(felt) and felt.shape[1] == len(_NAMES) else None


def of_heat(details: Mapping[str, Any]) -> float | None:
    """As `share` of a heat, from the details of its baseline; None where they hold no pulse."""
    felt = felt_in(details)
    try:
        return None if felt is None else share(felt, details["pulse"]["best_ns"])
    except (TypeError, KeyError):  # of another origin
        return None
