"""Whether a row was timed at a bad moment: by its warnings, and by how many of its processes met one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from efficiency.analysis.kept import number_of, sequence_of
from efficiency.health import Health

DISTURBED = ("busy-machine", "cpu-stolen", "cpu-throttled", "swapping", "too-hot", "disturbed")
"""Warnings that say that the moment was no good one, and another may find otherwise; noise may be the machine's own."""


def seen(warnings: object) -> bool:
    """Whether a row's warnings, as its column has them, say that anything disturbed while it was timed."""
    return not set(str(warnings).split(";")).isdisjoint(DISTURBED)


def mostly(warnings: object, details: Mapping[str, Any]) -> bool:
    """Whether that was so for most of the processes that timed the row: what they share is in no interval.

    What a few of them met lies between the processes, and the interval knows it. Where a document keeps nothing of
    each process, the warnings are all there is.
    """
    if not seen(warnings):
        return False
    kept = [one for one in sequence_of(details.get("health")) if isinstance(one, Mapping)]
    if "disturbed" in str(warnings).split(";") or not kept:
        return True
    return 2 * sum(bool(_health(one).warnings()) for one in kept) > len(kept)


def _health(kept: Mapping[str, Any]) -> Health:
    """What a row's details keep of one process."""
    figures = ("others_cores", "stolen_share", "throttled_share", "swapped_mb")
    others, stolen, throttled, swapped = (number_of(kept.get(name)) or 0.0 for name in figures)
    return Health(others, stolen, throttled, swapped, too_hot=int(number_of(kept.get("too_hot")) or 0))
