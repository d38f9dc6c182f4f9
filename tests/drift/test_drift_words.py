"""Drift in words: figures with intervals that allow for the choice, grades by their numbers."""

from __future__ import annotations

import pandas as pd
import pytest
from drift_records import made_up, older

from efficiency.analysis import drift, drift_words
from efficiency.results.drifts import DriftRecord

MEASUREMENTS = 200


def claims_a_loss(found: pd.DataFrame) -> bool:
    return any(
        "more than FP32 does at" in sentence
        for shift, own in found.groupby("shift")
        for sentence in drift_words.said(own, str(shift))
        if "cannot be told" not in sentence
    )


def test_where_nothing_is_lost_one_measurement_in_twenty_says_so_at_most() -> None:
    tables = [drift.table(made_up(seed)) for seed in range(MEASUREMENTS)]
    assert sum(map(claims_a_loss, tables)) <= 0.05 * MEASUREMENTS
    naive = 0
    for found in tables:
        moved = found.query("excess_pp.notna() and grade > 0")
        wider = (moved["excess_high_pp"] - moved["excess_pp"]) * 1.96 / drift._z(len(moved))
        naive += bool((moved["excess_pp"] + wider < 0).any())
    assert naive > 0.15 * MEASUREMENTS, "Each for itself, intervals would have claimed far more."


def test_where_much_is_lost_it_is_said() -> None:
    assert all(claims_a_loss(drift.table(made_up(seed, lost=0.25))) for seed in range(20))


def test_intervals_are_wider_the_more_figures_there_are_to_choose_from() -> None:
    assert drift.together((1.0, 0.0, 2.0), 1) == pytest.approx((1.0, 0.0, 2.0))
    assert drift.together((1.0, 0.0, 2.0), 5) == pytest.approx((1.0, 1 - 2.5758 / 1.96, 1 + 2.5758 / 1.96), abs=1e-3)


def static(
    excess: tuple[float, ...], won_back: float = float("nan"), half: float = 1.5, clipped_anew: float = float("nan")
) -> pd.DataFrame:
    """Lines of static INT8 that lost so much beyond FP32 at the grades from 1 on, each known to within `half`."""
    lines = pd.DataFrame({"grade": range(len(excess) + 1), "excess_pp": [0.0, *excess], "won_back_pp": won_back})
    for name in ("excess", "won_back"):
        lines[f"{name}_low_pp"], lines[f"{name}_high_pp"] = lines[f"{name}_pp"] - half, lines[f"{name}_pp"] + half
    alarm = (lines["excess_pp"] < -5).astype(object)
    return lines.assign(
        variant="static-int8", shift="gain", alarm=alarm, accuracy_pct=90.0, recalibrated_pct=90 + lines["won_back_pp"],
        clipped_pct=-2 * lines["excess_pp"], recalibrated_clipped_pct=clipped_anew,
        recalibrated_alarm=None if pd.isna(clipped_anew) else clipped_anew > 5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said", "anew"),
    [
        (
            static((-1.0, -3.0, -45.0, -9.0, 0.1), won_back=40.0, clipped_anew=0.01),
            "Static INT8 loses 45.00 pp (95 %: 43.50 to 46.50) more than FP32 does at grade 3 of gain, its worst "
            "grade; its ranges do not fit at grades 3 and 4.",
            "Static INT8, recalibrated: it wins back 40.00 pp (95 %: 38.50 to 41.50) at grade 3 of gain; clipping "
            "there goes from 90.00 % to 0.01 % of the worst activation's variance, and its new ranges fit.",
        ),
        (
            static((-0.4, -1.4, -0.2), won_back=0.3),
            "Static INT8: whether it loses more than FP32 does cannot be told; at grade 2 of gain, its worst, the "
            "difference is -1.40 pp (95 %: -2.90 to +0.10); its ranges fit.",
            "Static INT8, recalibrated: whether that helps at grade 2 of gain cannot be told, +0.30 pp (95 %: -1.20 to "
            "+1.80).",
        ),
        (
            static((3.0, 2.0, 4.0), won_back=-6.0, clipped_anew=9.0),
            "Static INT8 loses 2.00 pp (95 %: 0.50 to 3.50) less than FP32 does at grade 2 of gain, its worst "
            "grade; its ranges fit.",
            "Static INT8, recalibrated: it loses 6.00 pp (95 %: 4.50 to 7.50) more at grade 2 of gain; clipping there "
            "goes from 0.00 % to 9.00 % of the worst activation's variance, and its new ranges do not fit either.",
        ),
        (
            static((-1e-9,), half=1e-3).assign(alarm=None),
            "Static INT8: whether it loses more than FP32 does cannot be told; at grade 1 of gain, its worst, the "
            "difference is +0.00 pp (95 %: +0.00 to +0.00).",
            None,
        ),
    ],
)
def test_a_sentence_has_the_worst_grade_its_figure_and_interval(
    lines: pd.DataFrame, said: str, anew: str | None
) -> None:
    assert drift_words.said(lines, "Gain") == [said]
    assert drift_words.anew(lines, "Gain") == ([] if anew is None else [anew])
    (cells,) = drift_words.summary(lines)[1]
    assert cells[5].endswith(f"grade {lines['excess_pp'].iloc[1:].argmin() + 1}")
    assert len(cells) == len(drift_words.SUMMARY)


def test_harm_and_gain_at_other_grades_than_the_worst_are_said_too() -> None:
    lines = static((-0.4, 1.0, 34.0)).assign(alarm=[False, False, True, True], recalibrated_pct=80.0)
    lines["won_back_pp"] = [0.0, 0.3, -13.0, -35.0]
    lines["won_back_low_pp"], lines["won_back_high_pp"] = lines["won_back_pp"] - 2, lines["won_back_pp"] + 2
    (told,) = drift_words.said(lines, "Contrast")
    assert "; at grade 3 of contrast it keeps 34.00 pp (95 %: 32.50 to 35.50) more; its ranges no longer fit" in told
    (anew,) = drift_words.anew(lines, "Contrast")
    assert "cannot be told, +0.30 pp (95 %: -1.70 to +2.30), but it loses 35.00 pp (95 %: 33.00 to 37.00) more" in anew
    assert "more at grade 3 of contrast" in anew


def test_the_worst_of_all_shifts_is_the_answer() -> None:
    lines = pd.concat([static((-3.0, -9.0)), static((-20.0, -1.0), half=30.0).assign(shift="blur")])
    worst = drift_words.worst_of_all(lines)
    assert worst is not None
    said = drift_words.overall(lines, worst, "Gain")
    assert said.startswith("Static INT8 loses 9.00 pp (95 %: 7.50 to 10.50) more than")
    assert drift_words.worst_of_all(static((-1.0, 2.0))) is None
    assert "Under no shift" in drift_words.overall(lines, None, "")
    nothing = lines.assign(excess_pp=float("nan"))
    assert drift_words.overall(nothing, None, "") == "No variant was measured beside FP32."


@pytest.mark.parametrize(
    ("alarms", "said", "short"),
    [
        ([False, False, True, True], "its ranges no longer fit from grade 2 on", "2, 3"),
        ([False, True, False, True], "its ranges do not fit at grades 1 and 3", "1, 3"),
        ([True, True, False, True], "its ranges do not fit at grades 0, 1 and 3", "0, 1, 3"),
        ([False, True, False, False], "its ranges do not fit at grade 1", "1"),
        ([False, False, False, True], "its ranges do not fit at grade 3", "3"),
        ([True] * 4, "its ranges fit at no grade, not even the rows as they are, grade 0", "0, 1, 2, 3"),
        ([False] * 4, "its ranges fit", "none"),
        ([None, False, False, False], "its ranges fit as well as at grade 0", "none"),
        ([None, True, True, True], "its ranges no longer fit from grade 1 on", "1, 2, 3"),
    ],
)
def test_alarms_are_told_by_their_grades(alarms: list[bool | None], said: str, short: str) -> None:
    lines = static((-0.1, -0.2, -0.3)).assign(alarm=pd.Series(alarms, dtype=object))
    (sentence,) = drift_words.said(lines, "Gain")
    assert sentence.split("; ")[-1] == f"{said}."
    (cells,) = drift_words.summary(lines)[1]
    assert cells[6] == short


def test_before_and_after_are_side_by_side_at_every_grade(record: DriftRecord) -> None:
    table = drift_words.before_and_after(drift.table(record))
    assert table["Grade"].tolist() == [1, 2, 3, 4, 5]
    last = table.iloc[-1]
    assert (last["Alarm before"], last["Alarm after"]) == ("raised", "no")
    assert "pp (95 %" in last["Won back"]
    assert last["Clipping before"] != last["Clipping after"]
    unknown = drift_words.before_and_after(drift.table(older(record)))
    assert set(unknown["Alarm after"]) == set(unknown["Clipping after"]) == {""}
    assert unknown["Won back"].tolist() == table["Won back"].tolist()


def test_only_of_an_older_measurement_it_is_said_what_it_does_not_tell(record: DriftRecord) -> None:
    assert drift_words.notice(record) is None
    assert "Measuring again tells both." in str(drift_words.notice(older(record)))
