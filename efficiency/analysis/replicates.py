"""What each fresh process says by itself: the points that a speed-up and its interval are made of.

A reader who sees them sees why the interval is as wide as it is: the estimate is their mean (of logarithms), and
the interval follows from how far they lie apart, or from how far stretches of rounds within them do where that is more,
and from how much further apart they lie than the control's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from efficiency.analysis import speed
from efficiency.analysis.stillness import ALL, Stillness


def ratios(baseline: pd.DataFrame, variant: pd.DataFrame, still: Stillness = ALL) -> pd.DataFrame:
    """A line a process that timed both: `replicate` and `speedup`, above 1 is faster.

    Both frames are the store's samples: `replicate`, `round`, `latency_ms`; `still` says which of their rounds count.
    """
    found = speed.replicate_ratios(*(still.of(nanoseconds(samples)) for samples in (baseline, variant)))
    points = pd.DataFrame({"replicate": list(found), "speedup": list(found.values())})
    return points.astype({"replicate": "int64", "speedup": float})


def said(row: pd.Series[Any], points: pd.DataFrame) -> str:
    """A sentence in place of the chart."""
    lowest, highest = points["speedup"].min(), points["speedup"].max()
    return f"{row['variant_label']}: {len(points)} processes, from {lowest:.3g}x to {highest:.3g}x."


def nanoseconds(samples: pd.DataFrame) -> speed.Samples:
    """int64 [n, 3], as the engine has them."""
    columns = [samples["replicate"], samples["round"], (samples["latency_ms"] * 1e6).round()]
    return np.column_stack(columns).astype(np.int64)
