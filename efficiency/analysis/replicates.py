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

WIDER = 1.02
"""An interval so many times as wide is wider by more than rounding."""
FEW = 4
"""Of three processes the interval is 4.3 standard errors to each side, of two 12.7."""


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


def allows_for_hours(row: pd.Series[Any]) -> bool:
    """Whether the row's interval is wider than its own minutes make it."""
    low, high, precision_pct = row["speedup_ci_low"], row["speedup_ci_high"], row["speedup_precision_pct"]
    return bool(np.sqrt(high / low) - 1 > WIDER * precision_pct / 100)


def why_as_wide(row: pd.Series[Any], points: pd.DataFrame, still: Stillness) -> str:
    """Sentences under the chart of these points."""
    said = [
        "A point is what one fresh process found by itself. The line is their mean and the band its 95 % interval: the "
        "further the points lie apart, or the rounds within them, the wider."
    ]
    if len(points) < FEW:
        said.append(f"Of {len(points)} processes little can be said: how far they lie apart may be luck.")
    if allows_for_hours(row):
        said.append(
            "They lie further apart than the control's, so what this variant leans on differs from hour to hour as "
            "well, which the band allows for."
        )
    if still.set_aside:
        said.append(f"{still.set_aside:.0%} of the rounds are set aside: others had the cores then.")
    return " ".join([*said, "Both axes have one scale."])


def nanoseconds(samples: pd.DataFrame) -> speed.Samples:
    """int64 [n, 3], as the engine has them."""
    columns = [samples["replicate"], samples["round"], (samples["latency_ms"] * 1e6).round()]
    return np.column_stack(columns).astype(np.int64)
