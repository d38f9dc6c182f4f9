"""How far runs of a cell lie apart beyond what any of them can know, beside how far the processes within them do.

An interval allows for other hours by a share of how far its processes lie apart, or 1 % where that is more, but by no
more than a share of the speed-up itself (`speed.between_hours`): here is what either share would have had to be.
"""

from __future__ import annotations

from typing import Any

import methods
import numpy as np

from efficiency.analysis import fastest_calls, speed
from efficiency.study import BASELINE


def report(raws: list[methods.Raw], cell: str, int8: str) -> dict[str, Any]:
    """Standard deviations of the speed-up's logarithm, in percent, and the two shares; None of fewer than two runs."""
    ours = [_found(raw, cell, int8) for raw in raws]
    if len(ours) < 2:
        return dict.fromkeys(("processes_pct", "runs_beyond_pct", "share_of_processes", "share_of_the_speed_up"))
    logarithms = [float(run.figures.mean()) for run in ours]
    processes = float(np.mean([run.variance * len(run.figures) for run in ours])) ** 0.5
    known = float(np.mean([run.variance for run in ours]))
    beyond = max(0.0, float(np.var(logarithms, ddof=1)) - known) ** 0.5
    return {
        "processes_pct": round(100 * processes, 2),
        "runs_beyond_pct": round(100 * beyond, 2),
        "share_of_processes": round(beyond / processes, 2),
        "share_of_the_speed_up": round(beyond / abs(float(np.mean(logarithms))), 3),
    }


def _found(raw: methods.Raw, cell: str, variant: str) -> speed.Combined:
    pair = fastest_calls.paired(raw[f"{cell}/{BASELINE}"], raw[f"{cell}/{variant}"])
    return speed.combined(fastest_calls.readings(pair))
