"""Drift in words: what each variant lost, whether its calibration fits, what calibrating anew changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from efficiency.analysis import drift_alarm, views
from efficiency.analysis.drift import Interval
from efficiency.results.drifts import DriftRecord
from efficiency.study import BASELINE

INTERVALS = (
    "Intervals of what was lost and won back hold for all grades, shifts and variants at once with 95 %, since a "
    "sentence picks the worst of them."
)
IN_THE_CHART = "Those of accuracy, which the chart draws, hold each for itself."


def worst_of_all(lines: pd.DataFrame) -> pd.Series[Any] | None:
    """Of a whole measurement the line of the variant, shift and grade that surely lost most beyond FP32."""
    surely = lines[lines["excess_high_pp"] < 0].sort_values("excess_pp", kind="stable")
    return None if surely.empty else surely.iloc[0]


def overall(lines: pd.DataFrame, worst: pd.Series[Any] | None, shift: str) -> str:
    """The answer in a sentence, from `worst_of_all` of these lines; `shift` is its shift's label."""
    if lines["excess_pp"].isna().all():
        return "No variant was measured beside FP32."
    if worst is None:
        return "Under no shift does any variant surely lose more accuracy than FP32 does."
    told = _beyond(worst, _place(worst, shift)).format(views.variant_label(str(worst["variant"])))
    return f"{told}. Nothing that was tried costs more."


def said(own: pd.DataFrame, shift: str) -> list[str]:
    """Sentences on one shift: what each variant lost beyond FP32, and whether an alarm was raised."""
    found = []
    for variant, lines in own[own["variant"] != BASELINE].groupby("variant", sort=False):
        worst = _worst(lines)
        told = _beyond(worst, _place(worst, shift)).format(views.variant_label(str(variant)))
        found.append("; ".join(filter(None, (told, _ahead(lines, worst, shift), _fit(lines)))) + ".")
    return found


def _ahead(lines: pd.DataFrame, worst: pd.Series[Any], shift: str) -> str:
    """Where it keeps more than FP32 does, though not at every grade; empty where that is nowhere, or everywhere."""
    best = _shifted(lines).sort_values("excess_pp", kind="stable").iloc[-1]
    mean, low, high = _interval(best, "excess")
    if low <= 0 or worst["excess_low_pp"] > 0:
        return ""
    return f"at {_place(best, shift)} it keeps {_figure(mean, low, high)} more"


def anew(own: pd.DataFrame, shift: str) -> list[str]:
    """What calibrating anew did for each variant that can be: where it had lost most, and where it does harm."""
    found = []
    for variant, lines in own[own["recalibrated_pct"].notna()].groupby("variant", sort=False):
        worst, harmed = _worst(lines), _harmed(lines)
        told = f"{views.variant_label(str(variant))}, recalibrated: {_won_back(worst, _place(worst, shift))}"
        if harmed is not None and harmed["won_back_pp"] < worst["won_back_pp"]:
            also = "and" if worst["won_back_high_pp"] < 0 else "but"
            told += f", {also} {_won_back(harmed, _place(harmed, shift))}"
        found.append("; ".join(filter(None, (told, _fits_anew(worst)))) + ".")
    return found


def _harmed(lines: pd.DataFrame) -> pd.Series[Any] | None:
    """The grade at which calibrating anew surely costs accuracy, and most of it."""
    surely = _shifted(lines[lines["won_back_high_pp"] < 0]).sort_values("won_back_pp", kind="stable")
    return None if surely.empty else surely.iloc[0]


def before_and_after(own: pd.DataFrame) -> pd.DataFrame:
    """A line a grade of each variant that was calibrated anew, every cell in words."""
    lines = []
    for _, line in own[own["recalibrated_pct"].notna()].iterrows():
        lines.append({
            "Variant": views.variant_label(str(line["variant"])),
            "Grade": int(line["grade"]),
            "Accuracy before": f"{line['accuracy_pct']:.1f} %",
            "Accuracy after": f"{line['recalibrated_pct']:.1f} %",
            "Won back": _figure(*_interval(line, "won_back"), "+"),
            "Clipping before": _clipping(line["clipped_pct"]),
            "Clipping after": _clipping(line["recalibrated_clipped_pct"]),
            "Alarm before": _alarm(line["alarm"]),
            "Alarm after": _alarm(line["recalibrated_alarm"]),
        })  # fmt: skip
    return pd.DataFrame(lines)


def notice(record: DriftRecord) -> str | None:
    """What an older measurement does not tell; None of one that tells all."""
    if not drift_alarm.older(record):
        return None
    return (
        "This measurement is from before the rows of the calibration were kept as a yardstick: clipping is compared "
        "with grade 0, so whether the calibration fits there is not judged, and clipping after recalibrating is not "
        "known. Measuring again tells both."
    )


def _place(worst: pd.Series[Any], shift: str) -> str:
    return f"grade {worst['grade']} of {shift.lower()}"


def _worst(lines: pd.DataFrame) -> pd.Series[Any]:
    """Of a variant under a shift the grade at which it lost most beyond FP32: at the last, both may merely guess."""
    return _shifted(lines).sort_values("excess_pp", kind="stable").iloc[0]


def _shifted(lines: pd.DataFrame) -> pd.DataFrame:
    return lines[lines["grade"] > 0]


def _beyond(worst: pd.Series[Any], place: str) -> str:
    mean, low, high = _interval(worst, "excess")
    if high < 0:
        return f"{{}} loses {_figure(-mean, -high, -low)} more than FP32 does at {place}, its worst grade"
    if low > 0:
        return f"{{}} loses {_figure(mean, low, high)} less than FP32 does at {place}, its worst grade"
    return (
        f"{{}}: whether it loses more than FP32 does cannot be told; at {place}, its worst, the difference is "
        f"{_figure(mean, low, high, '+')}"
    )


def _fit(lines: pd.DataFrame) -> str:
    """Whether its calibrated ranges fit, and where they do not; empty where it has none."""
    judged = lines[lines["alarm"].notna()]
    if judged.empty:
        return ""
    grades, raised = list(judged["grade"]), _raised(lines)
    if not raised:
        return "its ranges fit" if 0 in grades else "its ranges fit as well as at grade 0"
    if raised == grades and 0 in grades:
        return "its ranges fit at no grade, not even the rows as they are, grade 0"
    if len(raised) > 1 and raised == grades[-len(raised) :]:
        return f"its ranges no longer fit from grade {raised[0]} on"
    return f"its ranges do not fit at {_listed(raised)}"


def _raised(lines: pd.DataFrame) -> list[int]:
    """The grades at which the alarm was raised."""
    return [int(grade) for grade in lines.loc[lines["alarm"].eq(True), "grade"]]


def _listed(grades: Sequence[int]) -> str:
    """`grade 3`, `grades 2 and 4`, `grades 0, 2 and 4`."""
    *first, last = map(str, grades)
    return f"grades {', '.join(first)} and {last}" if first else f"grade {last}"


def _won_back(worst: pd.Series[Any], place: str) -> str:
    mean, low, high = _interval(worst, "won_back")
    if low > 0:
        return f"it wins back {_figure(mean, low, high)} at {place}"
    if high < 0:
        return f"it loses {_figure(-mean, -high, -low)} more at {place}"
    return f"whether that helps at {place} cannot be told, {_figure(mean, low, high, '+')}"


def _fits_anew(worst: pd.Series[Any]) -> str:
    """What became of clipping at that grade; empty where it was not kept."""
    if pd.isna(worst["recalibrated_alarm"]):
        return ""
    before, after = (_clipping(worst[name]) for name in ("clipped_pct", "recalibrated_clipped_pct"))
    fits = "its new ranges do not fit either" if worst["recalibrated_alarm"] else "its new ranges fit"
    return f"clipping there goes from {before} to {after} of the worst activation's variance, and {fits}"


def _clipping(percent: float) -> str:
    """Less than on the rows of the calibration is none."""
    return "" if pd.isna(percent) else f"{max(0.0, percent):.2f} %"


def _alarm(raised: bool | None) -> str:
    return "" if pd.isna(raised) else "raised" if raised else "no"


def _interval(line: pd.Series[Any], name: str) -> Interval:
    return line[f"{name}_pp"], line[f"{name}_low_pp"], line[f"{name}_high_pp"]


def _figure(mean: float, low: float, high: float, sign: str = "") -> str:
    """`11.60 pp (95 %: 9.40 to 13.80)`; with a sign of `+`, `-1.40 pp (95 %: -2.90 to +0.10)`."""
    mean, low, high = (round(value, 2) + 0.0 for value in (mean, low, high))  # adding 0 makes of -0.00 a 0.00
    return f"{mean:{sign}.2f} pp (95 %: {low:{sign}.2f} to {high:{sign}.2f})"


SUMMARY = (
    "shift", "variant", "grade 0", "grade 3", "grade 5", "at worst beyond FP32 [95 %, all at once]", "alarm at grades",
    "calibrated anew, grade 5",
)  # fmt: skip


def summary(found: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heading and lines for the terminal: every variant under every shift, at grades 0, 3 and 5."""
    lines = []
    for (shift, variant), own in found.groupby(["shift", "variant"], sort=False):
        by_grade = own.set_index("grade")
        last, raised = by_grade.loc[by_grade.index.max()], _raised(own)
        lines.append((
            str(shift),
            str(variant),
            *(f"{by_grade['accuracy_pct'].get(grade, float('nan')):.1f} %" for grade in (0, 3, 5)),
            "" if variant == BASELINE else _short(_worst(own)),
            "" if own["alarm"].isna().all() else ", ".join(map(str, raised)) or "none",
            "" if pd.isna(last["recalibrated_pct"]) else f"{last['recalibrated_pct']:.1f} %",
        ))  # fmt: skip
    return SUMMARY, lines


def _short(worst: pd.Series[Any]) -> str:
    mean, low, high = _interval(worst, "excess")
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}] pp, grade {worst['grade']}"
