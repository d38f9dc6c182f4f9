"""Points of a chart that lie on one another: each names the others, since only the topmost can be pointed at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from efficiency.analysis import wording
from efficiency.analysis.panels import Measure

NEAR = 0.015
"""Centres closer than this share of an axis: a marker's radius in a chart as wide as the page."""
NAMED = 4
"""Others that are named, or all but some."""


def told(rows: pd.DataFrame, across: Measure, up: Measure) -> pd.Series:
    """For each row `Also here: B and C`, where others are drawn in the same place; else empty."""
    places = [_shares(rows, measure) for measure in (across, up)]
    near = np.logical_and(*(np.abs(place[:, None] - place[None, :]) < NEAR for place in places))
    np.fill_diagonal(near, False)
    names = rows["variant_label"].to_numpy(object)
    if rows["study_id"].nunique() > 1:
        names = (rows["variant_label"] + " of " + rows["study_name"]).to_numpy(object)
    others = [list(dict.fromkeys(names[one])) for one in near]
    said = [f"Also here: {wording.some(found, NAMED)}" if found else "" for found in others]
    return pd.Series(said, index=rows.index, dtype=object)


def _shares(rows: pd.DataFrame, measure: Measure) -> NDArray[np.float64]:
    """Where each centre lies, in lengths of the axis, which holds the intervals, too."""
    columns = [name for name in (measure.column, measure.low, measure.high) if name]
    values = rows[columns].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(values) if measure.log else values
    values = np.where(np.isfinite(values), values, np.nan)  # an interval of a time may end at 0
    known = values[~np.isnan(values)]
    length = float(np.ptp(known)) if len(known) else 0.0
    return values[:, 0] / (length or 1.0)
