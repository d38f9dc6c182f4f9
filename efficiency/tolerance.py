"""How much accuracy may be lost before it counts as lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOLERANCE_PP = 0.5
"""Percentage points, unless a study says otherwise."""


def tolerance_of(asked: Mapping[str, Any]) -> float:
    """The tolerance of a stored description; the usual one where it is older than the question, or is no study's."""
    tolerance_pp = asked.get("tolerance_pp")
    return float(tolerance_pp) if isinstance(tolerance_pp, int | float) else TOLERANCE_PP
