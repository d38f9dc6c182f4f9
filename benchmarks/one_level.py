"""What is left of the spread from run to run where FP32 is as fast in every run: how much of it memory makes.

A model that streams its weights runs at the pace at which others leave the memory, for minutes on end. Its replicates'
speed-ups follow FP32's own latency, so they can be stated for one latency: each run's regression, read off where all
runs together lie. That takes all runs, so no single study can do it; here it tells what no interval within a run holds.
"""

from __future__ import annotations

import copies
import methods
import numpy as np
from numpy.typing import NDArray

from efficiency.analysis import speed
from efficiency.study import BASELINE, CONTROL

Logs = NDArray[np.float64]


def speed_ups(raws: list[methods.Raw], cell: str, int8: str) -> list[float]:
    """Of each run with three undisturbed replicates or more: INT8's speed-up at the mean latency of FP32 in all."""
    runs = [found for raw in raws if len(found := _replicates(raw, cell, int8)) > 2]
    if not runs:
        return []
    level = float(np.mean([run[:, 0].mean() for run in runs]))
    return [float(np.exp(np.polyval(np.polyfit(run[:, 0] - level, run[:, 1], 1), 0.0))) for run in runs]


def _replicates(raw: methods.Raw, cell: str, int8: str) -> Logs:
    """[replicates, 2], logarithms: FP32's latency and the speed-up; of undisturbed rounds, none where they are too few.

    The latency is that of two other copies than the one that the speed-up is of, whose own noise would be in both.
    """
    still = methods.stillness_of(raw, cell)
    if still.disturbed:
        return np.empty((0, 2))
    baseline, *others, variant = (still.of(raw[f"{cell}/{key}"]) for key in (BASELINE, CONTROL, copies.COPY, int8))
    found = []
    for replicate, ratio in speed.replicate_ratios(baseline, variant).items():
        own = [np.log(one[one[:, 0] == replicate, 2]) for one in others]
        found.append((np.mean([np.quantile(logs, speed.FASTER / 2) for logs in own]), np.log(ratio)))
    return np.array(found).reshape(-1, 2)
