"""Which points of a chart lie on one another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from efficiency import overlaps
from efficiency.analysis.panels import MEASURES


def told(latency_ms: list[float], accuracy_pct: list[float], studies: str | None = None) -> list[str]:
    count = len(latency_ms)
    studies = studies or "s" * count
    rows = pd.DataFrame({
        "variant_label": list("ABCDEFG"[:count]),
        "study_id": list(studies), "study_name": [f"Study {one}" for one in studies],
        "latency_ms_p50": latency_ms, "latency_low_ms": np.nan, "latency_high_ms": np.nan,
        "accuracy_pct": accuracy_pct, "accuracy_low_pct": np.nan, "accuracy_high_pct": np.nan,
    })  # fmt: skip
    return list(overlaps.told(rows, MEASURES["Latency"], MEASURES["Accuracy"]))


def test_what_is_near_on_both_axes_is_named_by_both() -> None:
    assert told([1.0, 1.01, 1.01, 10.0], [80.0, 80.1, 85.0, 90.0]) == ["Also here: B", "Also here: A", "", ""]


def test_near_is_a_share_of_the_axis_and_by_proportion_where_that_is_logarithmic() -> None:
    assert told([1.0, 1.01, 1.02], [80.0, 80.0, 80.0]) == ["", "", ""], "An axis of 2 % tells them apart."
    assert told([1.0, 1.5, 1000.0], [80.0, 80.0, 80.0]) == ["", "", ""], "0.5 of 999, but half as much again."
    assert told([100.0, 100.5, 1.0], [80.0, 80.0, 80.0])[0] == "Also here: B"


def test_many_are_named_in_part_and_of_several_studies_with_their_study() -> None:
    assert told([1.0] * 7, [80.0] * 7)[0] == "Also here: B, C, D and 3 others"
    assert told([1.0, 1.0, 9.0], [80.0, 80.0, 90.0], "xyx")[0] == "Also here: B of Study y"


def test_of_nothing_and_of_no_time_nothing_is_said() -> None:
    assert told([], []) == []
    assert told([0.0, 1.0], [80.0, 90.0]) == ["", ""]
