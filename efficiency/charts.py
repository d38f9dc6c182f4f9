"""Plotly figures from frames that `analysis.views.prepared` made. Text and axes follow the app's theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis import panels, views, wording
from efficiency.axes import Part
from efficiency.study import BASELINE, CONTROL

MAX_POINTS = 600
"""Points of one chart: more are neither told apart nor drawn quickly."""
NAMED = 12
"""Variants that the sentence in place of a chart names."""


def _errors(rows: pd.DataFrame, measure: panels.Measure) -> Part | None:
    if measure.low is None or measure.high is None:
        return None
    value = rows[measure.column].to_numpy(float)
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[measure.high].to_numpy(float) - value).clip(min=0),
        "arrayminus": (value - rows[measure.low].to_numpy(float)).clip(min=0),
        "thickness": 1.2,
        "width": 0,
        "color": palette.GUIDE,
    }


def _points(rows: pd.DataFrame, places: Part, markers: Part, name: str) -> Part:
    """A point a row; what a selection gives back in `customdata` is the row's id."""
    return {
        "type": "scatter",
        "mode": "markers",
        **places,
        "marker": markers,
        "customdata": [[int(row_id)] for row_id in rows["row_id"]],
        "text": _hover(rows),
        "hovertemplate": "%{text}<extra></extra>",
        "name": name,
        "unselected": {"marker": {"opacity": 0.35}},
    }


def _axis(rows: pd.DataFrame, measure: panels.Measure) -> Part:
    """Linear, or logarithmic with round ticks and room for the intervals."""
    if not measure.log:
        return {"type": "linear"}
    columns = [name for name in (measure.column, measure.low, measure.high) if name]
    return {"type": "log", **axes.log_ticks(rows[columns].to_numpy(float).ravel())}


def _hover(rows: pd.DataFrame) -> list[str]:
    """The whole variant, a line each; unknowns are left out. Plotly reads HTML here: text is escaped."""
    several = rows["study_name"].nunique() > 1
    texts = []
    columns = ["variant_label", "relative", "workload_label", "condition", "took_effect", "study_name"]
    for row in views.records(rows[[*columns, *(measure.column for measure in panels.MEASURES.values())]]):
        lines = [f"<b>{escape(str(row['variant_label']))}</b>", escape(str(row["relative"]))]
        lines += [
            f"{name}: {row[measure.column]:.4g}"
            + (f" {measure.title[measure.title.index('[') :][1:-1]}" if "[" in measure.title else "x")
            for name, measure in panels.MEASURES.items()
            if pd.notna(row[measure.column])
        ]
        lines.append(escape(f"{row['workload_label']}, {row['condition']}"))
        if row["took_effect"] in ("no", "partly"):
            lines.append(f"Took effect: {row['took_effect']}")
        if several:
            lines.append(escape(str(row["study_name"])))
        texts.append("<br>".join(filter(None, lines)))
    return texts


def trade_off(
    frame: pd.DataFrame,
    x: str = "Latency",
    y: str = "Accuracy",
    size: str = "Size",
    studies: Sequence[str] = (),
    height: int = 420,
    heading: str = "",
) -> go.Figure:
    """One panel: two measures against each other, a third as the area of the marker.

    `studies` are the ids that have a symbol each, in this order; each has a Pareto front of its own. A point
    carries its row's id in `customdata`, which a selection gives back.
    """
    across, up = panels.MEASURES[x], panels.MEASURES[y]
    rows = frame.dropna(subset=[across.column, up.column]).head(MAX_POINTS)
    # Large markers first and the baseline last, so that none is hidden.
    diameters = pd.Series(palette.diameters(rows, size), index=rows.index)
    order = diameters.where(rows["variant"] != BASELINE, 0).sort_values(ascending=False, kind="stable").index
    rows, diameters = rows.loc[order], diameters.loc[order]
    dashed = {"color": palette.GUIDE, "dash": "dash", "width": 1}
    reference = rows.loc[rows["variant"] == BASELINE, [across.column, up.column]].to_numpy(float)
    guides = [guide for place, level in reference for guide in (axes.line(dashed, x=place), axes.line(dashed, y=level))]
    order_of = {study: place for place, study in enumerate(palette.in_order(rows, studies))}
    fronts = [
        _front(panels.front(own, x, y), across, up, diameters, palette.DASHES[order_of[study] % len(palette.DASHES)])
        for study, own in panels.by_study(rows)
    ]
    points = _points(
        rows,
        {
            "x": rows[across.column],
            "error_x": _errors(rows, across),
            "y": rows[up.column],
            "error_y": _errors(rows, up),
        },
        palette.markers(rows, studies, list(diameters)),
        "Variants",
    )
    return axes.figure(
        [*fronts, points],
        height,
        x={"title": {"text": across.title, "standoff": 8}, **_axis(rows, across)},
        y=_axis(rows, up),
        title=up.title,
        heading=heading,
        shapes=guides,
    )


def _front(best: pd.DataFrame, x: panels.Measure, y: panels.Measure, diameters: pd.Series, dash: str) -> Part:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": best[x.column],
        "y": best[y.column],
        "line": {"color": palette.FRONT, "width": 2, "dash": dash},
        "marker": {
            "symbol": "circle-open",
            "color": palette.FRONT,
            "size": list(diameters.loc[best.index] + 8),
            "line": {"width": 2},
        },
        "hoverinfo": "skip",
        "name": "Pareto front",
    }


def latency_histogram(samples: pd.DataFrame, baseline: pd.DataFrame | None, variant: str) -> go.Figure:
    """Raw latencies of a variant over those of its baseline, on a logarithmic axis.

    Columns `replicate`, `round`, `latency_ms`. The axis ends at the 99.5th percentile: the tail is in
    the numbers, and would squeeze the rest into one bar.
    """
    shown = [samples["latency_ms"].to_numpy(float)]
    if baseline is not None and len(baseline):
        shown.append(baseline["latency_ms"].to_numpy(float))
    everything = np.concatenate(shown)
    everything = everything[everything > 0]
    bars, medians, ticks = [], [], {}
    if len(everything):
        edges = np.geomspace(everything.min(), np.percentile(everything, 99.5) * 1.001, 61)
        ticks = axes.log_ticks(everything[everything <= edges[-1]])
        named = (("Baseline", palette.NEUTRAL, 0.55), (views.variant_label(variant), palette.colour(variant), 0.8))
        for (name, hue, opacity), values in zip(named[2 - len(shown) :], shown[::-1], strict=True):
            bars.append({
                "type": "bar",
                "x": (edges[:-1] + edges[1:]) / 2,
                "width": np.diff(edges),
                "y": np.histogram(values, edges)[0] / len(values) * 100,
                "name": name,
                "marker": {"color": hue, "line": {"width": 0}},
                "opacity": opacity,
                "hovertemplate": "%{x:.3g} ms: %{y:.1f} %<extra>" + name + "</extra>",
            })  # fmt: skip
            medians.append(axes.line({"color": hue, "width": 2, "dash": "dot"}, x=float(np.median(values))))
    return axes.figure(
        bars,
        260,
        x={"title": {"text": "Latency [ms a call]", "standoff": 8}, "type": "log", **ticks},
        y={},
        title="Share of calls [%]",
        shapes=medians,
        barmode="overlay",
        bargap=0,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def speedup_bars(frame: pd.DataFrame, studies: Sequence[str] = (), heading: str = "") -> go.Figure:
    """A line a variant: its speed-up as a dot with its interval; a line at 1 and the control's noise band.

    Where several studies are drawn, the band is the widest of theirs and says whose it is.
    """
    own = panels.variants(frame).dropna(subset=["speedup"])
    own = own.sort_values("speedup", kind="stable").tail(MAX_POINTS)
    ends = ["speedup_ci_low", "speedup_ci_high"]
    guides = [axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1.2}, x=1.0)]
    band = _noise(frame)
    if band is not None:
        guides.append(band)
    measure = panels.MEASURES["Speed-up"]
    points = _points(
        own,
        {"x": own["speedup"], "error_x": _errors(own, measure), "y": own["variant_label"].map(escape)},
        palette.markers(own, studies, 13),
        "Speed-up",
    )
    ticks = axes.log_ticks(np.append(own[["speedup", *ends]].to_numpy(float).ravel(), 1.0))
    title = {"text": "Speed-up (1 is the baseline)", "standoff": 8}
    return axes.figure(
        [points],
        110 + 30 * max(1, own["variant_label"].nunique()),
        x={"title": title, "type": "log", **ticks},
        y={"showgrid": True, "automargin": True},
        heading=heading,
        shapes=guides,
    )


def _noise(frame: pd.DataFrame) -> Part | None:
    """The band within which the control, a second baseline, was: of the study where it is widest."""
    ends = ["speedup_ci_low", "speedup_ci_high"]
    control = frame[frame["variant"] == CONTROL].dropna(subset=ends)
    if control.empty:
        return None
    reaches = np.abs(np.log(control[ends].to_numpy(float))).max(axis=1)
    reach = float(np.exp(reaches.max()))
    band = {"type": "rect", "x0": 1 / reach, "x1": reach, "y0": 0, "y1": 1, "yref": "y domain", "layer": "below"}
    band |= {"fillcolor": palette.NEUTRAL, "opacity": 0.18, "line": {"width": 0}}
    if frame["study_id"].nunique() > 1:
        whose = str(control["study_name"].iloc[int(reaches.argmax())])
        text = f"noise of {escape(whose if len(whose) <= 24 else whose[:23] + '…')}"
        # Above the band, where no point is.
        place = {"textposition": "top center", "yanchor": "bottom", "font": {"size": 11, "color": palette.NEUTRAL}}
        band["label"] = {"text": text, **place}
    return band


def described(frame: pd.DataFrame, x: str = "Latency", y: str = "Accuracy") -> str:
    """A sentence in place of the trade-off chart, for those who do not see it."""
    return f"{y} against {x.lower()} of {_count(frame)}. " + " ".join(
        f"On the Pareto front{' of ' * bool(name)}{name}: {_listed(panels.front(rows, x, y))}."
        for name, rows in _studies(frame)
    )


def described_speedups(frame: pd.DataFrame) -> str:
    """The same in place of the chart of speed-ups."""
    return f"Speed-up of {_count(frame)} against the baseline. " + " ".join(
        f"{f'{name}, f' if name else 'F'}astest first: "
        f"{_listed(panels.variants(rows).sort_values('speedup', ascending=False), wording.speed)}."
        for name, rows in _studies(frame)
    )


def _count(frame: pd.DataFrame) -> str:
    count = len(panels.variants(frame))
    return f"{count} variant{'' if count == 1 else 's'}"


def _studies(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each study's rows, with its name where there are several."""
    found = [(str(rows["study_name"].iloc[0]), rows) for _, rows in panels.by_study(frame)]
    return [("", frame)] if len(found) < 2 else found


def _listed(rows: pd.DataFrame, say: Callable[[Mapping[str, Any]], str] | None = None) -> str:
    told = [f"{row['variant_label']}: {say(row) if say else row['relative']}" for row in views.records(rows)]
    return "; ".join(told[:NAMED]) + (f"; and {len(told) - NAMED} more" if len(told) > NAMED else "") or "none"
