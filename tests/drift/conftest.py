"""A measurement that the files of this folder share."""

from __future__ import annotations

import once
import pytest
from drift_records import WORKLOAD, asked_of, kept, measured

from efficiency.results.drifts import DriftRecord


@pytest.fixture(scope="package")
def record(tmp_path_factory: pytest.TempPathFactory) -> DriftRecord:
    """FP32 and static INT8 of the small CNN under gain, on few rows: through the probe and the store."""
    folder = tmp_path_factory.mktemp("drift")
    asked = asked_of(WORKLOAD, "glyphs", ["gain"])
    cells = once.made("drift", lambda: measured(asked, (), folder) + measured(asked, ("static-int8",), folder))
    cells.append({"variant": "dynamic-int8", "reason": "It reaches Linear layers only."})
    return kept(folder, asked, cells)
