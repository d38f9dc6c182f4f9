"""How far runs of a cell lie apart beyond what any of them can know, beside how far the processes within them do.

What an interval allows for other hours is a share of how much further apart a variant's processes lie than the
control's (`speed.BETWEEN_HOURS`): the share that was found here.
"""

from __future__ import annotations

from typing import Any

import methods
import numpy as np

from efficiency.analysis import speed
from efficiency.study import BASELINE, CONTROL


def report(raws: list[methods.Raw], cell: str, int8: str) -> dict[str, Any]:
    """Standard deviations of the speed-up's logarithm, in percent, and the share (`speed.BETWEEN_HOURS`) that would
    have been right here; None where too few runs were undisturbed, or copies lay as far apart."""
    ours, control = (_runs(raws, cell, variant) for variant in (int8, CONTROL))
    if len(ours) < 2:
        return dict.fromkeys(("processes", "processes_of_control", "runs_beyond", "share"))
    within, within_control = (float(np.mean([np.var(run, ddof=1) for run in runs])) for runs in (ours, control))
    known = float(np.mean([np.var(run, ddof=1) / len(run) for run in ours]))
    beyond = max(0.0, float(np.var([np.mean(run) for run in ours], ddof=1)) - known)
    found = {"processes": within, "processes_of_control": within_control, "runs_beyond": beyond}
    share = round((beyond / (within - within_control)) ** 0.5, 2) if within > within_control else None
    return {name: round(100 * variance**0.5, 2) for name, variance in found.items()} | {"share": share}


def _runs(raws: list[methods.Raw], cell: str, variant: str) -> list[list[float]]:
    """Of each run with two undisturbed processes or more: the logarithms of their speed-ups."""
    found = []
    for raw in raws:
        still = methods.stillness_of(raw, cell)
        if still.disturbed:
            continue
        baseline, own = (still.of(raw[f"{cell}/{key}"]) for key in (BASELINE, variant))
        ratios = speed.replicate_ratios(baseline, own)
        if len(ratios) > 1:
            found.append([float(np.log(ratio)) for ratio in ratios.values()])
    return found
