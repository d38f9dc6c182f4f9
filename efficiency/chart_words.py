"""A chart in a sentence, for those who do not see it: what all of them say alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from efficiency.analysis import panels, views

NAMED = 12
"""Variants that a sentence names."""


def count(frame: pd.DataFrame) -> str:
    count = len(panels.variants(frame))
    return f"{count} variant{'' if count == 1 else 's'}"


def studies(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each study's rows, with its name where there are several."""
    found = [(str(rows["study_name"].iloc[0]), rows) for _, rows in panels.by_study(frame)]
    return [("", frame)] if len(found) < 2 else found


def listed(rows: pd.DataFrame, say: Callable[[Mapping[str, Any]], str] | None = None) -> str:
    told = [f"{row['variant_label']}: {say(row) if say else row['relative']}" for row in views.records(rows)]
    return "; ".join(told[:NAMED]) + (f"; and {len(told) - NAMED} more" if len(told) > NAMED else "") or "none"
