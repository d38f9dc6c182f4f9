"""What the runs of `trust.py` come to: spreads, how often the truth was told, and simulations with the noise seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import copies
import methods
import numpy as np
import processes_apart
import simulated
from numpy.typing import NDArray
from scipy import stats

from efficiency.analysis import any_hour, speed
from efficiency.study import CONTROL

SIMULATED = 2_000


def _deviation(values: list[float]) -> float:
    """Coefficient of variation of some speed-ups: the standard deviation of their logarithms."""
    return float(np.std(np.log(values), ddof=1))


def spread(values: list[float]) -> dict[str, Any]:
    """Coefficient of variation of some speed-ups, in percent, with its 95 % interval (chi-square)."""
    deviation, df = _deviation(values), len(values) - 1
    low, high = (deviation * np.sqrt(df / stats.chi2.ppf(share, df)) for share in (0.975, 0.025))
    return {
        "cv_pct": round(100 * deviation, 2),
        "interval_pct": [round(100 * float(low), 2), round(100 * float(high), 2)],
        "mean": round(float(np.exp(np.mean(np.log(values)))), 3),
        "runs": len(values),
    }


def of_cell(runs: list[dict[str, Any]], raws: list[methods.Raw], cell: str) -> dict[str, Any]:
    """Both methods on one cell, and how often our interval holds the mean of all runs; of those that were not marked as
    disturbed also by themselves."""
    int8 = methods.INT8[cell.rsplit("/", 1)[0]]
    cells = [run["cells"][cell] for run in runs]
    undisturbed = [place for place, one in enumerate(cells) if not one["disturbed"]]
    ours, theirs = _speed_ups(cells), [run["theirs"][cell] for run in runs]
    centre = _mean(cells)
    df = len(runs) - 1
    ratio = _deviation(theirs) / _deviation(ours)
    f = np.sqrt([stats.f.ppf(share, df, df) for share in (0.025, 0.975)])
    return {
        "ours": spread(ours),
        "one_after_the_other": spread(theirs),
        "times_tighter": round(ratio, 1),
        "times_tighter_interval": [round(float(ratio / f[1]), 1), round(float(ratio / f[0]), 1)],
        "held_the_mean": _held(cells),
        "undisturbed": _of_undisturbed([cells[place] for place in undisturbed]),
        "its_minutes_held_the_mean": sum(_minutes_hold(one, centre) for one in cells),
        "foretold": _foretold(cells),
        "between_hours": processes_apart.report([raws[place] for place in undisturbed], cell, int8),
    }


def _speed_ups(cells: list[dict[str, Any]]) -> list[float]:
    return [cell["speedup"][0] for cell in cells]


def _mean(cells: list[dict[str, Any]]) -> float:
    return float(np.exp(np.mean(np.log(_speed_ups(cells)))))


def _held(cells: list[dict[str, Any]]) -> int:
    """How many of these runs' intervals hold the mean of them all."""
    centre = _mean(cells)
    return sum(low <= centre <= high for _, low, high in (cell["speedup"] for cell in cells))


def _of_undisturbed(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The same of those runs alone; no more than their number where there are fewer than two."""
    found: dict[str, Any] = {"runs": len(cells)}
    return found if len(cells) < 2 else found | {"ours": spread(_speed_ups(cells)), "held_the_mean": _held(cells)}


def _minutes_hold(cell: dict[str, Any], centre: float) -> bool:
    """Whether the interval of a run's own minutes, without what hours differ by, holds the mean of all runs."""
    return abs(float(np.log(cell["speedup"][0] / centre))) <= float(np.log1p(cell["precision_pct"] / 100))


def _foretelling(cell: dict[str, Any], before: Sequence[float]) -> any_hour.AnyHour:
    """What a run says of other hours, with the speed-ups of those before it."""
    estimate, low, high = cell["speedup"]
    row = {"speedup_ci_low": low, "speedup_ci_high": high, "speedup_precision_pct": cell["precision_pct"]}
    return any_hour.any_hour([estimate, *before], any_hour.known(row | {"replicates": cell["replicates"]}))


def _foretold(cells: list[dict[str, Any]]) -> list[int]:
    """How many runs lie where those before them said that one at another hour would, and of how many that was said."""
    speed_ups = _speed_ups(cells)
    told = []
    for place, cell in enumerate(cells[:-1]):
        before = [one["speedup"][0] for one in cells[:place] if not one["disturbed"]]  # as a row's details count them
        told.append((_foretelling(cell, before), speed_ups[place + 1]))
    held = [found.another_low <= one <= found.another_high for found, one in told]
    return [sum(held), len(held)]


def share(called: int, of: int) -> dict[str, Any]:
    """A share with its 95 % interval (Clopper and Pearson); None of nothing."""
    if not of:
        return {"called": 0, "of": 0, "share": None, "interval": None}
    interval = stats.binomtest(called, of).proportion_ci(0.95, method="exact")
    return {
        "called": called,
        "of": of,
        "share": round(called / of, 3),
        "interval": [round(float(interval.low), 3), round(float(interval.high), 3)],
    }


def called(runs: list[dict[str, Any]], variant: str, *words: str) -> dict[str, Any]:
    """How often a variant had one of these verdicts, over all cells and runs."""
    verdicts = [cell["verdicts"][variant] for run in runs for cell in run["cells"].values()]
    return share(sum(verdict in words for verdict in verdicts), len(verdicts))


def simulations(raws: list[methods.Raw], cells: list[str]) -> dict[str, Any]:
    """Controls and copies simulated with the noise that was just seen, cell by cell, and judged as a study does."""
    rng, effort = np.random.default_rng(0), methods.default()
    alarms = covered = 0
    noises = [simulated.fit(*(_joined(raws, f"{cell}/{key}") for key in (CONTROL, copies.COPY))) for cell in cells]
    for number in range(SIMULATED):
        control, ratio = _stopped(
            simulated.study(rng, noises[number % len(noises)], [1.0, 1.0], effort.most_replicates)
        )
        floor = speed.noise_floor(control)
        alarms += speed.verdict(ratio, floor) in ("faster", "slower")
        covered += ratio.low <= 1 <= ratio.high
    return {"false_alarms": share(alarms, SIMULATED), "coverage": share(covered, SIMULATED)}


def _stopped(samples: list[NDArray[np.int64]]) -> list[speed.SpeedUp]:
    """The speed-ups over the first of these samples when a study stops: when each is known as well as it asks."""
    effort = methods.default()
    for replicates in range(effort.replicates, effort.most_replicates + 1):
        baseline, *others = (own[own[:, 0] < replicates] for own in samples)
        ratios = [ratio for own in others if (ratio := speed.speed_up(baseline, own)) is not None]
        if all(ratio.precision <= effort.precision for ratio in ratios):
            break
    return ratios


def _joined(raws: list[methods.Raw], key: str) -> NDArray[np.int64]:
    """The samples of a variant over all runs; each run's replicates get numbers of their own."""
    return np.concatenate([raw[key] + np.array([1_000 * number, 0, 0]) for number, raw in enumerate(raws)])


def report(runs: list[dict[str, Any]], raws: list[methods.Raw]) -> dict[str, Any]:
    """All figures of these runs; `raws` are what the clock said in each."""
    cells = {}
    quiet = [raw for run, raw in zip(runs, raws, strict=True) if not run["noisy"]]
    for noisy in (False, True):
        own = [run for run in runs if run["noisy"] == noisy]
        clocks = [raw for run, raw in zip(runs, raws, strict=True) if run["noisy"] == noisy]
        for cell in own[0]["theirs"]:
            cells[f"{cell}/{'noisy' if noisy else 'quiet'}"] = of_cell(own, clocks, cell)
    undisturbed = [own for cell in cells.values() if "ours" in (own := cell["undisturbed"])]
    found: dict[str, Any] = {
        "cells": cells,
        "coverage_of_the_mean": share(
            sum(cell["held_the_mean"] for cell in cells.values()), sum(cell["ours"]["runs"] for cell in cells.values())
        ),
        "undisturbed_coverage_of_their_mean": share(
            sum(own["held_the_mean"] for own in undisturbed), sum(own["runs"] for own in undisturbed)
        ),
        "its_minutes_coverage_of_the_mean": share(
            sum(cell["its_minutes_held_the_mean"] for cell in cells.values()),
            sum(cell["ours"]["runs"] for cell in cells.values()),
        ),
        "foretold": share(*(sum(cell["foretold"][place] for cell in cells.values()) for place in (0, 1))),
        "false_alarms": {key: called(runs, key, "faster", "slower") for key in ("control", copies.COPY)},
        "called_slower": {
            key: {
                "all": called(runs, key, "slower"),
                "quiet": called([run for run in runs if not run["noisy"]], key, "slower"),
                "noisy": called([run for run in runs if run["noisy"]], key, "slower"),
            }
            for key in copies.SLOWER
        },
        "seconds_a_cell": round(float(np.mean([run["seconds"] for run in runs])) / methods.CELLS, 1),
        "simulated": simulations(quiet, sorted(runs[0]["theirs"])),
    }
    return found
