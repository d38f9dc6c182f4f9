"""How much faster one variant is than another of its heat, where neither need be the baseline.

All variants of a heat take turns in the same processes, so any two of them are as well paired as each is with the
baseline. Dividing their two speed-ups instead would count the baseline's own noise twice.
"""

from __future__ import annotations

import pandas as pd

from efficiency.analysis import replicates, speed


def speed_up(variant: pd.DataFrame, against: pd.DataFrame, unlike: float) -> speed.SpeedUp | None:
    """Latency of `against` / latency of `variant`, above 1 where the variant is faster; None where it is not known.

    Frames are the store's samples: `replicate`, `round`, `latency_ms`; `unlike` is their `speed.how_unlike`.
    """
    return speed.speed_up(replicates.nanoseconds(against), replicates.nanoseconds(variant), unlike)
