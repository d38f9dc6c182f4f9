"""Drift: what a shift of the data costs a variant beyond what it costs FP32, and what calibrating anew wins back.

The same rows are answered by all variants at all grades, so every question is one of a mean of paired differences over
rows, with its normal interval. Who looks for the worst of many figures finds one that is bad by luck: so the intervals
of what was lost and of what was won back are so wide that those of all grades, shifts and variants hold at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from efficiency.analysis import drift_alarm
from efficiency.analysis.drift_alarm import NONE, Cell
from efficiency.drift.shifts import GRADES
from efficiency.engine.arrays import from_text
from efficiency.results.drifts import DriftRecord
from efficiency.study import BASELINE

COLUMNS = (
    "variant", "shift", "grade", "rows", "accuracy_pct", "accuracy_low_pct", "accuracy_high_pct",
    "excess_pp", "excess_low_pp", "excess_high_pp", "recalibrated_pct", "won_back_pp", "won_back_low_pp",
    "won_back_high_pp", "clipped_pct", "clipped_layer", "range_ratio", "alarm", "recalibrated_clipped_pct",
    "recalibrated_alarm",
)  # fmt: skip


def table(record: DriftRecord) -> pd.DataFrame:
    """A line a variant, shift and grade; grade 0 stands in every shift.

    `excess_pp` is what the variant lost since grade 0 beyond what FP32 lost (negative: more); `won_back_pp` what
    calibrating anew gains at this grade. Their 95 % intervals hold for all lines at once, those of accuracy each for
    itself. `clipped_pct` is the most that clipping at the calibrated range adds to an activation beyond what it adds on
    the rows of the calibration, in percent of the variance, at `clipped_layer`; `alarm` where that is too much, unknown
    at grade 0 of older measurements (`drift_alarm`); with `recalibrated_`, the same calibrated anew.
    """
    cells = {(c["variant"], c["shift"], c["grade"]): c for c in record.cells if "shift" in c}
    looks = _looks(cells.values())
    lines = []
    for variant in dict.fromkeys(variant for variant, _, _ in cells):
        start, reference = cells[variant, NONE, 0], cells[BASELINE, NONE, 0]
        for shift in record.asked["shifts"]:
            for grade in range(6):
                key = (shift, grade) if grade else (NONE, 0)
                own, theirs = cells.get((variant, *key)), cells.get((BASELINE, *key))
                if own is not None and theirs is not None:
                    line = _line(own, theirs, start, reference, looks)
                    lines.append({"variant": variant, "shift": shift, "grade": grade} | line)
    return pd.DataFrame(lines, columns=list(COLUMNS))


@dataclass(frozen=True)
class Looks:
    """How many figures of a kind there are to pick the worst from, over all grades, shifts and variants."""

    excess: int
    won_back: int


def _looks(cells: Iterable[Cell]) -> Looks:
    moved = [cell for cell in cells if cell["grade"] and cell["variant"] != BASELINE]
    return Looks(len(moved), sum("recalibrated_correct" in cell for cell in moved))


def _line(own: Cell, theirs: Cell, start: Cell, reference: Cell, looks: Looks) -> dict[str, Any]:
    rows = from_text(own["rows"])
    right, right_theirs = _right(own), _right(theirs)
    line: dict[str, Any] = {"rows": len(rows)}
    line["accuracy_pct"], line["accuracy_low_pct"], line["accuracy_high_pct"] = _mean(right)
    if own["variant"] != BASELINE:
        excess = (right - right_theirs) - (_right(start)[rows] - _right(reference)[rows])
        line["excess_pp"], line["excess_low_pp"], line["excess_high_pp"] = together(_mean(excess), looks.excess)
    if "recalibrated_correct" in own:
        anew = from_text(own["recalibrated_correct"]).astype(float)
        line["recalibrated_pct"] = 100 * float(anew.mean())
        won = together(_mean(anew - right), looks.won_back)
        line["won_back_pp"], line["won_back_low_pp"], line["won_back_high_pp"] = won
    return line | (drift_alarm.of_cell(own, start) if own["ranges"] else {})


def _right(cell: Cell) -> NDArray[np.float64]:
    return from_text(cell["correct"]).astype(np.float64)


Interval = tuple[float, float, float]
"""A mean, and the ends of its 95 % interval."""


def kept_more(record: DriftRecord, shift: str, ours: str, theirs: str) -> Interval | None:
    """How much less of its accuracy at grade 0 one variant loses than another, in pp over all grades of a shift.

    None where one of them was not measured.
    """
    cells = _of_shift(record, shift)
    if not {(ours, 0), (theirs, 0)} <= set(cells):
        return None
    before = _right(cells[ours, 0]) - _right(cells[theirs, 0])

    def more(grade: int) -> NDArray[np.float64]:
        own = cells[ours, grade]
        more_now: NDArray[np.float64] = _right(own) - _right(cells[theirs, grade]) - before[from_text(own["rows"])]
        return more_now

    return _over_grades(cells, ours, more)


def won_back(record: DriftRecord, shift: str, variant: str) -> Interval | None:
    """What calibrating anew gains at each grade, in pp over all grades of a shift; None where it was not measured."""
    cells = _of_shift(record, shift)
    if "recalibrated_correct" not in cells.get((variant, 1), {}):
        return None

    def gained(grade: int) -> NDArray[np.float64]:
        own = cells[variant, grade]
        return from_text(own["recalibrated_correct"]).astype(np.float64) - _right(own)

    return _over_grades(cells, variant, gained)


Cells = dict[tuple[str, int], Cell]
"""By variant and grade."""


def _of_shift(record: DriftRecord, shift: str) -> Cells:
    return {(c["variant"], c["grade"]): c for c in record.cells if c.get("shift") in (shift, NONE)}


def _over_grades(cells: Cells, variant: str, change: Callable[[int], NDArray[np.float64]]) -> Interval:
    """A row answers at every grade, which are so many looks at one row and no more rows: its mean counts once."""
    total, seen = (np.zeros(len(from_text(cells[variant, 0]["rows"]))) for _ in range(2))
    for grade in GRADES:
        rows = from_text(cells[variant, grade]["rows"])
        total[rows] += change(grade)
        seen[rows] += 1
    return _mean(total[seen > 0] / seen[seen > 0])


def _mean(values: NDArray[np.float64]) -> Interval:
    """Mean in percent with its normal 95 % interval; half a row more on each side, so that it is never a point."""
    mean = 100 * float(values.mean())
    half = 100 * _z() * float(np.hypot(values.std(), 0.5 / np.sqrt(len(values)))) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def _z(among: int = 1) -> float:
    """Half the width, in standard errors, at which the 95 % intervals of so many figures hold at once (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / max(1, among))


def together(found: Interval, among: int) -> Interval:
    """The same figure with an interval so wide that those of so many hold at once with 95 %."""
    mean, low, high = found
    wider = _z(among) / _z()
    return mean, mean - wider * (mean - low), mean + wider * (high - mean)


def reasons(record: DriftRecord) -> dict[str, str]:
    """Why a variant has no figures, by its key."""
    return {cell["variant"]: cell["reason"] for cell in record.cells if "reason" in cell}
