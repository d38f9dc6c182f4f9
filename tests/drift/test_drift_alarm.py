"""The alarm: raised where a calibration does not fit the rows, at grade 0 as well, and by no labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from drift_records import asked_of, kept, measured, older, users_file
from torch import nn

from efficiency.analysis import drift, drift_alarm
from efficiency.results.drifts import DriftRecord
from efficiency.techniques import compose
from efficiency.techniques.base import Data


def of_static(record: DriftRecord) -> pd.DataFrame:
    found = drift.table(record)
    return found[found["variant"] == "static-int8"].set_index("grade")


def test_the_small_cnn_fits_its_test_rows_and_no_longer_those_of_a_gain(record: DriftRecord) -> None:
    own = of_static(record)
    assert own["alarm"].tolist() == [False, False, True, True, True, True]
    assert own.loc[0, "clipped_pct"] != 0, "It is measured against other rows, and no difference from itself."
    assert abs(own.loc[0, "clipped_pct"]) < 0.5
    others = drift.table(record).query("variant == 'baseline'")
    assert others["alarm"].isna().all(), "FP32 has no ranges: unknown, not False."


@pytest.mark.parametrize(("technique", "split"), [("static-int8", "calibration"), ("qat-int8", "train")])
@pytest.mark.parametrize(("scale", "raised"), [(1.0, False), (0.2, True)])
def test_a_calibration_that_never_fitted_raises_it_on_the_rows_as_they_are(
    technique: str, split: str, scale: float, raised: bool, tmp_path: Path
) -> None:
    """The rows that ranges are learned from are a fifth as large as the test rows, or just as large."""
    asked = asked_of(users_file(tmp_path, **{split: scale}), "squares", ["blur"])
    cells = measured(asked, (), tmp_path) + measured(asked, (technique,), tmp_path)
    own = drift.table(kept(tmp_path, asked, cells)).query("variant == @technique").set_index("grade")
    assert own.loc[0, "alarm"] == raised


def test_an_activation_that_clips_no_more_than_when_it_was_calibrated_fits() -> None:
    seen = {"a": {"clipped_share": 0.30}, "b": {"clipped_share": 0.02}}
    assert drift_alarm.clipping(seen, {"a": {"clipped_share": 0.29}, "b": {"clipped_share": 0.0}}) == {
        "clipped_pct": pytest.approx(2.0), "clipped_layer": "b", "alarm": False,
    }  # fmt: skip
    assert drift_alarm.clipping(seen, {"a": {"clipped_share": 0.20}, "b": {"clipped_share": 0.0}})["alarm"]


def test_recalibrated_ranges_are_judged_by_the_rows_that_they_are_from(record: DriftRecord) -> None:
    own = of_static(record)
    assert pd.isna(own.loc[0, "recalibrated_alarm"])
    assert own.loc[1:, "recalibrated_alarm"].eq(False).all()
    assert own.loc[5, "recalibrated_clipped_pct"] < 0.1 * own.loc[5, "clipped_pct"]


def test_of_an_older_measurement_grade_0_is_not_judged_and_the_rest_is_as_before(record: DriftRecord) -> None:
    assert not drift_alarm.older(record)
    before = older(record)
    assert drift_alarm.older(before)
    own = of_static(before)
    assert pd.isna(own.loc[0, "alarm"])
    assert own.loc[1:, "alarm"].tolist() == [False, True, True, True, True]
    assert own.loc[0, "clipped_pct"] == 0
    assert own["recalibrated_clipped_pct"].isna().all()
    assert own.loc[5, "won_back_pp"] == of_static(record).loc[5, "won_back_pp"]


def test_layers_are_those_that_left_their_range_furthest(record: DriftRecord) -> None:
    none, most = (drift_alarm.layers(record, "gain", grade) for grade in (0, 5))
    assert set(most["variant"]) == {"static-int8"}
    assert len(most) == drift_alarm.MOST_LAYERS
    assert most["reach"].is_monotonic_decreasing
    assert most["reach"].min() > none["reach"].min() >= 1
    assert most["reach"].iloc[0] > 2
    assert most["clipped_pct"].max() > drift_alarm.ALARM_PCT
    seen = {layer: found["range_ratio"] for layer, found in record.cells[6 + 5]["ranges"].items()}
    ratios = drift_alarm.layers(older(record), "gain", 5).set_index("layer")["reach"].to_dict()
    assert ratios.items() <= seen.items(), "Older measurements hold no more than the ratio."


def test_ranges_count_what_lies_beyond_them() -> None:
    """A Linear layer calibrated on small values, then shown values ten times as large, and as large but elsewhere."""
    torch.manual_seed(0)
    model, rows = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4)).eval(), torch.rand(256, 16)
    learned = compose.learn(("static-int8",), model, rows[:1], Data(lambda: rows, lambda: pytest.fail("no training")))
    fits, leaves, moved = (
        compose.ranges(("static-int8",), model, rows[:1], learned, [x]) for x in (rows, 10 * rows, rows - 1)
    )
    assert max(found["clipped_share"] for found in fits.values()) < 0.02
    assert max(found["clipped_share"] for found in leaves.values()) > 0.5
    assert max(found["range_ratio"] for found in leaves.values()) > 5
    name = next(iter(fits))
    assert moved[name]["range_ratio"] == pytest.approx(1, abs=0.1), "It is as wide, and to hold it"
    assert moved[name]["reach"] == pytest.approx(2, abs=0.1), "the range would have to be twice as wide."
    assert compose.ranges(("dynamic-int8",), model, rows[:1], {}, [rows]) == {}
