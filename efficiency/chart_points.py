"""What charts of variants share: a point a row with its interval, and the noise floor as a band.

Text and axes follow the app's theme. Frames are those that `analysis.views.prepared` made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from itertools import zip_longest
from typing import Any

import pandas as pd

from efficiency import axes, palette
from efficiency.analysis import panels, views, wording
from efficiency.axes import Part
from efficiency.study import BASELINE

CANNOT_TELL = "cannot be told from the baseline"
"""What *unresolved* is in words, in the legend and in what shows when a point is pointed at."""
VERDICTS = {"unresolved": f"Speed {CANNOT_TELL}", "same": "As fast as the baseline"}
MAX_POINTS = 600
"""Points of one chart: more are neither told apart nor drawn quickly."""


def points(rows: pd.DataFrame, places: Part, markers: Part, name: str, also: Iterable[str] = ()) -> Part:
    """A point a row; what a selection gives back in `customdata` is the row's id. `also`: a line more for each."""
    return {
        "type": "scatter",
        "mode": "markers",
        **places,
        "marker": markers,
        "customdata": [[int(row_id)] for row_id in rows["row_id"]],
        "text": ["<br>".join(filter(None, lines)) for lines in zip_longest(_hover(rows), map(escape, also))],
        "hovertemplate": "%{text}<extra></extra>",
        "name": name,
        "unselected": {"marker": {"opacity": 0.35}},
    }


def errors(rows: pd.DataFrame, measure: panels.Measure) -> Part | None:
    if measure.low is None or measure.high is None:
        return None
    value = rows[measure.column].to_numpy(float)
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[measure.high].to_numpy(float) - value).clip(min=0),
        "arrayminus": (value - rows[measure.low].to_numpy(float)).clip(min=0),
        "thickness": 1.2,
        "width": 3,
        "color": palette.GUIDE,
    }


def _hover(rows: pd.DataFrame) -> list[str]:
    """The whole variant, a line each; unknowns are left out. Plotly reads HTML here: text is escaped."""
    several = rows["study_name"].nunique() > 1
    texts = []
    for row in views.records(rows[panels.DRAWN]):
        lines = [f"<b>{escape(str(row['variant_label']))}</b>", escape(str(row["relative"]))]
        if row["variant"] != BASELINE:
            lines.append(VERDICTS.get(row["speed_verdict"], ""))
        lines += [_value(name, measure, row) for name, measure in panels.MEASURES.items()]
        lines.append(f"Noise floor: {wording.plus_minus(row['noise_pct'])}" if pd.notna(row["noise_pct"]) else "")
        lines.append(escape(f"{row['workload_label']}, {row['condition']}"))
        if row["took_effect"] in ("no", "partly"):
            lines.append(f"Took effect: {row['took_effect']}")
        lines.append(escape(wording.warnings(row["warnings"])))
        if several:
            lines.append(escape(str(row["study_name"])))
        texts.append("<br>".join(filter(None, lines)))
    return texts


def _value(name: str, measure: panels.Measure, row: Mapping[str, Any]) -> str:
    """`Latency: 2.574 ms a call [2.41–2.73]`; empty where unknown."""
    if pd.isna(row[measure.column]):
        return ""
    unit = f" {measure.title[measure.title.index('[') :][1:-1]}" if "[" in measure.title else "x"
    ends = wording.interval(row[measure.low], row[measure.high]) if measure.low and measure.high else ""
    return f"{name}: {row[measure.column]:.4g}{unit}" + (f" [{ends}]" if ends else "")


def noise_bands(frame: pd.DataFrame, measure: panels.Measure, across: str) -> list[Part]:
    """Around each study's baseline, what its control shows where nothing differs; none for what is not timed.

    All studies' baselines are 1 on an axis of speed-ups, where the widest band holds the others.
    """
    known = frame.dropna(subset=["noise_pct"]) if measure.timed else frame.head(0)
    if known.empty:
        return []
    widest = known.groupby("study_id", sort=False)["noise_pct"].max() / 100 + 1
    if measure.column == "speedup":
        return [axes.band(1 / float(widest.max()), float(widest.max()), across)]
    centres = frame[frame["variant"] == BASELINE].dropna(subset=[measure.column])
    return [
        axes.band(float(centre / widest[study]), float(centre * widest[study]), across)
        for study, centre in centres[["study_id", measure.column]].itertuples(index=False)
        if study in widest.index
    ]


def noise_said(frame: pd.DataFrame) -> str:
    """The band in words; of several studies the widest, and whose it is."""
    known = frame.dropna(subset=["noise_pct"])
    if known.empty:
        return ""
    widest = known.iloc[int(known["noise_pct"].to_numpy(float).argmax())]
    text = f"grey band: noise floor {wording.plus_minus(widest['noise_pct'])}"
    if frame["study_id"].nunique() > 1:
        whose = str(widest["study_name"])
        text += f" at most, of {escape(whose if len(whose) <= 24 else whose[:23] + '…')}"
    return text
