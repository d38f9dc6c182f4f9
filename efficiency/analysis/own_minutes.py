"""A row's interval as its own minutes alone make it: what more processes narrow, and what other figures of the same
minutes are held against. The rest of the interval is what it allows for other hours (`analysis.speed`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from efficiency.analysis.kept import number_of


def told(row: Mapping[Any, Any], side: str = "") -> bool:
    """Whether the row tells the two apart; not in studies from before hours were allowed for, nor in those
    of the version after it that had no control. Names of columns may end by a `side`."""
    return number_of(row.get("speedup_precision_pct" + side)) is not None


def half(row: Mapping[Any, Any], side: str = "") -> float:
    """Half of that interval, as a share of the speed-up: of the whole interval where the row tells no more; NaN where
    there is none."""
    percent = number_of(row.get("speedup_precision_pct" + side))
    if percent is not None:
        return percent / 100
    low, high = (number_of(row.get(f"speedup_ci_{end}{side}")) or 0.0 for end in ("low", "high"))
    return math.sqrt(high / low) - 1 if 0 < low <= high else math.nan
