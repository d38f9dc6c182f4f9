"""Whether a row was timed at a bad moment: by its warnings, and by how many of its processes met one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from efficiency.analysis.kept import is_number, mappings_of, number_of
from efficiency.health import DISTURBANCES

SEEN = tuple(DISTURBANCES)
"""Warnings that say what disturbed the machine."""
DISTURBED = (*SEEN, "disturbed")
"""Warnings that say that the moment was no good one, and another may find otherwise; noise may be the machine's own."""


def of(rows: pd.DataFrame, details: Callable[[int], Mapping[str, Any]]) -> pd.Series:
    """Of each row whether its figures are of a disturbed machine; details are read only of what is warned of."""
    found = [
        mostly(warned, replicates, partial(details, int(row_id)))
        for warned, replicates, row_id in zip(rows["warnings"], rows["replicates"], rows["row_id"], strict=True)
    ]
    return pd.Series(found, index=rows.index, dtype=bool)


def keys(warnings: object) -> set[str]:
    """Of a row's warnings, as their column has them."""
    return set(warnings.split(";")) if isinstance(warnings, str) else set()


def undisturbed(rows: pd.DataFrame, details: Callable[[int], Mapping[str, Any]]) -> pd.DataFrame:
    """Those of the rows that `of` says nothing against."""
    return rows[~of(rows, details)]


def mostly(warnings: object, replicates: object, details: Callable[[], Mapping[str, Any]]) -> bool:
    """Whether fewer than half of the processes (`replicates`) were timed undisturbed.

    What most of them share is in no interval; what a few met lies between the processes, and the interval knows it.
    Where a document keeps nothing of each process, the warnings, as their column has them, are all there is.
    """
    warned = keys(warnings)
    if warned.isdisjoint(DISTURBED) or "disturbed" in warned:
        return not warned.isdisjoint(DISTURBED)
    figures = [figure for figure, _ in DISTURBANCES.values()]
    kept = [one for one in mappings_of(details().get("health")) if any(is_number(one.get(name)) for name in figures)]
    counting = number_of(replicates) or len(kept)
    return not kept or sum(map(_calm, kept)) < counting / 2


def _calm(kept: Mapping[Any, Any]) -> bool:
    """Whether nothing disturbed the one process of which a row's details keep this."""
    return all((number_of(kept.get(figure)) or 0.0) <= limit for figure, limit in DISTURBANCES.values())
