"""Why an interval is as wide as it is, as the sentences under the chart of the processes say it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from efficiency.analysis import replicates

MINUTES = pd.Series({"speedup_ci_low": 2.0 / 1.02, "speedup_ci_high": 2.0 * 1.02, "speedup_precision_pct": 2.0})
HOURS = pd.Series({"speedup_ci_low": 2.0 / 1.05, "speedup_ci_high": 2.0 * 1.05, "speedup_precision_pct": 2.0})
BEFORE = pd.Series({"speedup_ci_low": 1.9, "speedup_ci_high": 2.1, "speedup_precision_pct": np.nan})
POINTS = pd.DataFrame({"replicate": range(8), "speedup": np.linspace(1.95, 2.05, 8)})


@pytest.mark.parametrize(("row", "allowed"), [(MINUTES, False), (HOURS, True), (BEFORE, False)])
def test_other_hours_are_named_where_the_interval_allows_for_them(row: pd.Series, allowed: bool) -> None:
    assert replicates.allows_for_hours(row) is allowed
    assert ("from hour to hour" in replicates.why_as_wide(row, POINTS, None)) is allowed


def test_few_processes_and_a_disturbed_machine_are_named() -> None:
    plain = replicates.why_as_wide(MINUTES, POINTS, 0.98)
    assert "luck" not in plain
    assert "undisturbed" not in plain
    said = replicates.why_as_wide(MINUTES, POINTS.head(2), 0.34)
    assert "Of 2 processes little can be said" in said
    assert "undisturbed for 34% of the time" in said
