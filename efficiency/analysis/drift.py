"""Drift: what a shift of the data costs a variant beyond what it costs FP32, and whether its calibration still fits.

The same rows are answered by all variants at all grades, so every question is one of a mean of paired differences over
rows, with its normal interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from efficiency.analysis import views
from efficiency.drift.shifts import GRADES
from efficiency.engine.arrays import from_text
from efficiency.results.drifts import DriftRecord
from efficiency.study import BASELINE

NONE = "none"
"""The shift of grade 0, which all shifts share."""
ALARM_PCT = 5.0
"""How much noise clipping may newly add to an activation, in percent of its variance, until calibration no longer fits.
On the built-in models no shift below it cost INT8 a point more than FP32 (docs/log.md, 2026-11-25)."""

COLUMNS = (
    "variant", "shift", "grade", "rows", "accuracy_pct", "accuracy_low_pct", "accuracy_high_pct",
    "excess_pp", "excess_low_pp", "excess_high_pp", "recalibrated_pct", "won_back_pp", "won_back_low_pp",
    "won_back_high_pp", "clipped_pct", "clipped_layer", "range_ratio", "alarm",
)  # fmt: skip


def table(record: DriftRecord) -> pd.DataFrame:
    """A line a variant, shift and grade; grade 0 stands in every shift.

    `excess_pp` is what the variant lost since grade 0 beyond what FP32 lost (negative: more); `won_back_pp` what
    calibrating anew gains at this grade; `clipped_pct` the most that the squared error of clipping at the
    calibrated range grew since grade 0, in percent of an activation's variance, at `clipped_layer`; `alarm` where that
    is beyond `ALARM_PCT`.
    """
    cells = {(c["variant"], c["shift"], c["grade"]): c for c in record.cells if "shift" in c}
    lines = []
    for variant in dict.fromkeys(variant for variant, _, _ in cells):
        start, reference = cells[variant, NONE, 0], cells[BASELINE, NONE, 0]
        for shift in record.asked["shifts"]:
            for grade in range(6):
                key = (shift, grade) if grade else (NONE, 0)
                own, theirs = cells.get((variant, *key)), cells.get((BASELINE, *key))
                if own is not None and theirs is not None:
                    line = _line(own, theirs, start, reference)
                    lines.append({"variant": variant, "shift": shift, "grade": grade} | line)
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _line(own: Any, theirs: Any, start: Any, reference: Any) -> dict[str, Any]:
    rows = from_text(own["rows"])
    right, right_theirs = _right(own), _right(theirs)
    line: dict[str, Any] = {"rows": len(rows)}
    line["accuracy_pct"], line["accuracy_low_pct"], line["accuracy_high_pct"] = _mean(right)
    if own["variant"] != BASELINE:
        excess = (right - right_theirs) - (_right(start)[rows] - _right(reference)[rows])
        line["excess_pp"], line["excess_low_pp"], line["excess_high_pp"] = _mean(excess)
    if "recalibrated_correct" in own:
        anew = from_text(own["recalibrated_correct"]).astype(float)
        line["recalibrated_pct"] = 100 * float(anew.mean())
        line["won_back_pp"], line["won_back_low_pp"], line["won_back_high_pp"] = _mean(anew - right)
    if own["ranges"]:
        line |= clipping(own["ranges"], start["ranges"])
    return line


def _right(cell: Mapping[str, Any]) -> NDArray[np.float64]:
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


Cells = dict[tuple[str, int], Mapping[str, Any]]
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
    half = 100 * 1.96 * float(np.hypot(values.std(), 0.5 / np.sqrt(len(values)))) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def clipping(now: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The layer whose activations leave their calibrated range furthest, since `before`; needs no labels."""
    grown = {name: 100 * (found["clipped_share"] - before[name]["clipped_share"]) for name, found in now.items()}
    worst = max(grown, key=lambda name: grown[name])
    return {
        "clipped_pct": grown[worst],
        "clipped_layer": worst,
        "range_ratio": max(found["range_ratio"] for found in now.values()),
        "alarm": grown[worst] > ALARM_PCT,
    }


def reasons(record: DriftRecord) -> dict[str, str]:
    """Why a variant has no figures, by its key."""
    return {cell["variant"]: cell["reason"] for cell in record.cells if "reason" in cell}


def said(own: pd.DataFrame, shift: str) -> list[str]:
    """Sentences on one shift: what each variant lost beyond FP32, whether an alarm was raised, what was won back."""
    found = []
    for variant, lines in own[own["variant"] != BASELINE].groupby("variant", sort=False):
        worst = _worst(lines)
        told = _beyond(worst, f"grade {worst['grade']} of {shift.lower()}")
        parts = [told.format(views.variant_label(str(variant))), _fit(lines), _anew(worst)]
        found.append("; ".join(filter(None, parts)) + ".")
    return found


def _worst(lines: pd.DataFrame) -> pd.Series[Any]:
    """Of a variant under a shift the grade at which it lost most beyond FP32: at the last, both may merely guess."""
    return lines[lines["grade"] > 0].sort_values("excess_pp", kind="stable").iloc[0]


def _beyond(worst: pd.Series[Any], place: str) -> str:
    mean, low, high = _interval(worst, "excess")
    if high < 0:
        return f"{{}} loses {_figure(-mean, -high, -low)} more than FP32 does at {place}, where that is most"
    if low > 0:
        return f"{{}} loses {_figure(mean, low, high)} less than FP32 does at {place}, where that is least"
    return (
        f"{{}}: whether it loses more than FP32 does cannot be told; at {place}, its worst, the difference is "
        f"{_figure(mean, low, high, '+')}"
    )


def _fit(lines: pd.DataFrame) -> str:
    """Whether its calibrated ranges still fit; empty where it has none."""
    if lines["alarm"].isna().all():
        return ""
    raised = _raised(lines)
    return f"its ranges no longer fit from grade {raised.min()} on" if len(raised) else "its ranges fit"


def _raised(lines: pd.DataFrame) -> pd.Series[Any]:
    """The grades at which the alarm was raised."""
    return lines.loc[lines["alarm"].eq(True), "grade"]


def _anew(worst: pd.Series[Any]) -> str:
    """What calibrating anew changes at that grade; empty where it was not tried."""
    mean, low, high = _interval(worst, "won_back")
    if pd.isna(mean):
        return ""
    if low > 0:
        return f"calibrated anew it wins back {_figure(mean, low, high)} there"
    if high < 0:
        return f"calibrated anew it loses {_figure(-mean, -high, -low)} more there"
    return f"whether calibrating anew helps there cannot be told, {_figure(mean, low, high, '+')}"


def _interval(line: pd.Series[Any], name: str) -> Interval:
    return line[f"{name}_pp"], line[f"{name}_low_pp"], line[f"{name}_high_pp"]


def _figure(mean: float, low: float, high: float, sign: str = "") -> str:
    """`11.60 pp (95 %: 9.40 to 13.80)`; with a sign of `+`, `-1.40 pp (95 %: -2.90 to +0.10)`."""
    mean, low, high = (round(value, 2) + 0.0 for value in (mean, low, high))  # adding 0 makes of -0.00 a 0.00
    return f"{mean:{sign}.2f} pp (95 %: {low:{sign}.2f} to {high:{sign}.2f})"


def summary(found: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heading and lines for the terminal: every variant under every shift, at grades 0, 3 and 5."""
    heading = (
        "shift",
        "variant",
        "grade 0",
        "grade 3",
        "grade 5",
        "at worst beyond FP32 [95 %]",
        "alarm from",
        "calibrated anew",
    )
    lines = []
    for (shift, variant), own in found.groupby(["shift", "variant"], sort=False):
        by_grade = own.set_index("grade")
        last, raised = by_grade.loc[by_grade.index.max()], _raised(own)
        lines.append((
            str(shift),
            str(variant),
            *(f"{by_grade['accuracy_pct'].get(grade, float('nan')):.1f} %" for grade in (0, 3, 5)),
            "" if variant == BASELINE else _short(_worst(own)),
            "" if own["alarm"].isna().all() else f"grade {raised.min()}" if len(raised) else "never",
            "" if pd.isna(last["recalibrated_pct"]) else f"{last['recalibrated_pct']:.1f} %",
        ))  # fmt: skip
    return heading, lines


def _short(worst: pd.Series[Any]) -> str:
    mean, low, high = _interval(worst, "excess")
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}] pp, grade {worst['grade']}"
