"""How far runs of a cell lie apart beyond what any of them can know, beside how far the processes within them do.

What an interval allows for other hours is a share of how much further apart a variant's processes lie than the
control's, and than rounds within them do (`speed.BETWEEN_HOURS`): the share that was found here.
"""

from __future__ import annotations

from typing import Any

import methods
import numpy as np

from efficiency.analysis import fastest_calls, speed
from efficiency.study import BASELINE, CONTROL


def report(raws: list[methods.Raw], cell: str, int8: str) -> dict[str, Any]:
    """Standard deviations of the speed-up's logarithm, in percent, and the share (`speed.BETWEEN_HOURS`) that would
    have been right here; None where too few runs were undisturbed, or copies and rounds lay as far apart."""
    raws = [raw for raw in raws if not methods.disturbed(raw, cell)]
    if len(raws) < 2:
        return dict.fromkeys(("processes", "processes_of_control", "rounds_within", "runs_beyond", "share"))
    ours, control = ([_found(raw, cell, variant) for raw in raws] for variant in (int8, CONTROL))
    found = {
        "processes": float(np.mean([run.apart for run in ours])),
        "processes_of_control": float(np.mean([run.apart for run in control])),
        "rounds_within": float(np.mean([run.inside for run in ours])),
    }
    known = float(np.mean([run.variance for run in ours]))
    found["runs_beyond"] = max(0.0, float(np.var([run.figures.mean() for run in ours], ddof=1)) - known)
    beyond = found["processes"] - max(found["processes_of_control"], found["rounds_within"])
    share = round((found["runs_beyond"] / beyond) ** 0.5, 2) if beyond > 0 else None
    return {name: round(100 * variance**0.5, 2) for name, variance in found.items()} | {"share": share}


def _found(raw: methods.Raw, cell: str, variant: str) -> speed.Combined:
    pair = fastest_calls.paired(raw[f"{cell}/{BASELINE}"], raw[f"{cell}/{variant}"])
    return speed.combined(fastest_calls.readings(pair))
