"""What each fresh process says by itself: the points that a speed-up and its interval are made of.

A reader who sees them sees why the interval is as wide as it is: the estimate rests on their fastest calls, each by
itself and all together, and the interval follows from how far each process moves it, or stretches of rounds within
them do where that is more. The same says what other hours may find, which the interval allows for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from efficiency.analysis import fastest_calls

WIDER = 1.02
"""An interval so many times as wide is wider by more than rounding."""
STILL = 0.9
"""A machine that was undisturbed for so much of the time was quiet."""
FEW = 4
"""Of three processes the interval is 4.3 standard errors to each side, of two 12.7."""


def ratios(baseline: pd.DataFrame, variant: pd.DataFrame) -> pd.DataFrame:
    """A line a process that timed both: `replicate` and `speedup`, above 1 is faster.

    Both frames are the store's samples: `replicate`, `round`, `latency_ms`.
    """
    found = fastest_calls.replicate_ratios(*(nanoseconds(samples) for samples in (baseline, variant)))
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


def why_as_wide(row: pd.Series[Any], points: pd.DataFrame, undisturbed: float | None) -> str:
    """Sentences under the chart of these points; `undisturbed` is the share of the time that the machine was."""
    said = [
        "A point is what one fresh process found by itself. The line is what their fastest calls say, process by "
        "process and all together: not in their middle where some processes met a slower machine, which then count for "
        "less. The band is its 95 % interval: the more it turns on single processes, or on stretches within them, the "
        "wider."
    ]
    if len(points) < FEW:
        said.append(f"Of {len(points)} processes little can be said: how far they lie apart may be luck.")
    if allows_for_hours(row):
        said.append(
            "What sets processes apart differs from hour to hour as well, and those of a calm hour do not show it, "
            "which the band allows for, though hardly where the variant is about as fast as the baseline: what slows "
            "the one slows the other."
        )
    if undisturbed is not None and undisturbed < STILL:
        said.append(f"The machine was undisturbed for {undisturbed:.0%} of the time.")
    return " ".join([*said, "Both axes have one scale."])


def nanoseconds(samples: pd.DataFrame) -> fastest_calls.Samples:
    """int64 [n, 3], as the engine has them."""
    columns = [samples["replicate"], samples["round"], (samples["latency_ms"] * 1e6).round()]
    return np.column_stack(columns).astype(np.int64)
