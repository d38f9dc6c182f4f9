"""How little two speeds may differ and still be the same for all practical purposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EQUIVALENCE_PCT = 2.0
"""Percent, unless a study says otherwise."""


def equivalence_pct_of(asked: Mapping[str, Any]) -> float:
    """The band of a stored description; the usual one where it is older than the question, or is no study's."""
    percent = asked.get("equivalence_pct")
    return float(percent) if isinstance(percent, int | float) and percent > 0 else EQUIVALENCE_PCT
