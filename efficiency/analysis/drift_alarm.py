"""Whether a calibration fits the rows that are shown to it. Needs no labels, so that a service can watch it.

The measure is the squared error of cutting activations off at their calibrated ranges. The yardstick is what that error
is on the rows that the ranges were learned from: fresh rows may do a little worse, and where they do far worse the
calibration does not fit them. Test rows as they are, grade 0, are judged like any others. Ranges that are too wide for
the rows cut nothing off, and raise no alarm; what they cost shows in accuracy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from efficiency.results.drifts import DriftRecord

NONE = "none"
"""The shift of grade 0, which all shifts share."""
ALARM_PCT = 5.0
"""How much more noise clipping may add to an activation than on the rows of the calibration, in percent of its
variance, until calibration does not fit. On the built-in models no shift below it cost INT8 a point more than FP32
(docs/log.md, 2026-11-25), and test rows as they are stay below 0.1."""
MOST_LAYERS = 8

Cell = Mapping[str, Any]
Ranges = Mapping[str, Mapping[str, float]]


def judged(start: Cell) -> bool:
    """Whether grade 0 itself can be judged: a variant's measurement from before there was the yardstick cannot."""
    return "fitted" in start


def yardstick(start: Cell) -> Ranges:
    """Of a variant's cell of grade 0, what its ranges do to the rows that they were learned from.

    Measurements from before these were kept have the test rows at grade 0 in their place.
    """
    kept: Ranges = start["fitted"] if judged(start) else start["ranges"]
    return kept


def clipping(now: Ranges, before: Ranges) -> dict[str, Any]:
    """The layer to which clipping adds most noise beyond the yardstick `before`, and whether that is too much."""
    grown = {name: 100 * (found["clipped_share"] - before[name]["clipped_share"]) for name, found in now.items()}
    worst = max(grown, key=lambda name: grown[name])
    return {"clipped_pct": grown[worst], "clipped_layer": worst, "alarm": grown[worst] > ALARM_PCT}


def of_cell(own: Cell, start: Cell) -> dict[str, Any]:
    """`clipping` of a variant's cell as first calibrated; with `recalibrated_` before the names, calibrated anew."""
    line = clipping(own["ranges"], yardstick(start))
    line["range_ratio"] = max(found["range_ratio"] for found in own["ranges"].values())
    if own["grade"] == 0 and not judged(start):
        line["alarm"] = None
    if "recalibrated_ranges" in own:
        anew = clipping(own["recalibrated_ranges"], own["recalibrated_fitted"])
        line |= {"recalibrated_clipped_pct": anew["clipped_pct"], "recalibrated_alarm": anew["alarm"]}
    return line


def layers(record: DriftRecord, shift: str, grade: int) -> pd.DataFrame:
    """The layers whose activations left their calibrated range furthest at this grade, the furthest first.

    A line a variant and layer: `reach` is how wide the range would have to be to hold all values, as a multiple of what
    it is, and `clipped_pct` the squared error of cutting them off, in percent of the activation's variance.
    Measurements from before `reach` was kept have the width of what was seen, as a multiple of the range's.
    """
    place = (shift, grade) if grade else (NONE, 0)
    found = pd.DataFrame(
        [
            {
                "variant": cell["variant"],
                "layer": layer,
                "reach": seen.get("reach", seen["range_ratio"]),
                "clipped_pct": 100 * seen["clipped_share"],
            }
            for cell in record.cells
            if (cell.get("shift"), cell.get("grade")) == place
            for layer, seen in cell["ranges"].items()
        ],
        columns=["variant", "layer", "reach", "clipped_pct"],
    )
    furthest = found.groupby("layer", sort=False)["reach"].max().sort_values(ascending=False, kind="stable")
    order = {layer: place for place, layer in enumerate(furthest.index[:MOST_LAYERS])}
    shown = found[found["layer"].isin(list(order))]
    return shown.sort_values("layer", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def older(record: DriftRecord) -> bool:
    """Whether it is from before the rows of the calibration were kept as the yardstick."""
    starts = [cell for cell in record.cells if cell.get("shift") == NONE and cell["ranges"]]
    return any(not judged(start) for start in starts)
