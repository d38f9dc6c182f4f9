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

CANNOT_TELL = "cannot be told from the baseline"
"""What *unresolved* is in words, in the legend and in what shows when a point is pointed at."""
VERDICTS = {"unresolved": f"Speed {CANNOT_TELL}", "same": "As fast as the baseline"}
MAX_POINTS = 600
"""Points of one chart: more are neither told apart nor drawn quickly."""
FADED = 0.15
"""Opacity of what does not keep to the limits."""
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
        "width": 3,
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
    for row in views.records(rows[panels.DRAWN]):
        lines = [f"<b>{escape(str(row['variant_label']))}</b>", escape(str(row["relative"]))]
        if row["variant"] != BASELINE:
            lines.append(VERDICTS.get(row["speed_verdict"], ""))
        lines += [_value(name, measure, row) for name, measure in panels.MEASURES.items()]
        lines.append(f"Noise floor: {wording.noise(row['noise_pct'])}" if pd.notna(row["noise_pct"]) else "")
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


def trade_off(
    frame: pd.DataFrame,
    x: str = "Latency",
    y: str = "Accuracy",
    size: str = "Size",
    studies: Sequence[str] = (),
    height: int = 420,
    heading: str = "",
    inside: pd.Series | None = None,
) -> go.Figure:
    """One panel: two measures against each other, a third as the area of the marker.

    Where `inside` says for each row whether it keeps to some limits, those that do not fade, and none is on the front.

    On an axis of time a band as wide as the noise floor lies around each baseline. `studies` are the ids that have
    a symbol each, in this order; each has a Pareto front of its own. A point carries its row's id in `customdata`,
    which a selection gives back.
    """
    across, up = panels.MEASURES[x], panels.MEASURES[y]
    rows = frame.dropna(subset=[across.column, up.column]).head(MAX_POINTS)
    # Large markers first, control and baseline last, so that none is hidden.
    diameters = pd.Series(palette.diameters(rows, size), index=rows.index)
    turns = diameters.mask(rows["variant"] == CONTROL, 1).mask(rows["variant"] == BASELINE, 0)
    order = turns.sort_values(ascending=False, kind="stable").index
    rows, diameters = rows.loc[order], diameters.loc[order]
    dashed = {"color": palette.GUIDE, "dash": "dash", "width": 1}
    reference = rows.loc[rows["variant"] == BASELINE, [across.column, up.column]].to_numpy(float)
    guides = [guide for place, level in reference for guide in (axes.line(dashed, x=place), axes.line(dashed, y=level))]
    order_of = {study: place for place, study in enumerate(palette.in_order(rows, studies))}
    fronts = [
        _front(panels.front(own, x, y), across, up, diameters, palette.DASHES[order_of[study] % len(palette.DASHES)])
        for study, own in panels.by_study(rows if inside is None else rows[inside.reindex(rows.index)])
    ]
    kept = pd.Series(True, index=rows.index) if inside is None else inside.reindex(rows.index)
    clouds = [
        _points(
            own,
            {
                "x": own[across.column],
                "error_x": _errors(own, across),
                "y": own[up.column],
                "error_y": _errors(own, up),
                "opacity": opacity,
            },
            palette.markers(own, palette.in_order(rows, studies), list(diameters.loc[own.index])),
            "Variants",
        )
        for own, opacity in ((rows[~kept], FADED), (rows[kept], 1.0))
        if opacity == 1.0 or len(own)
    ]
    bands = [*_noise(rows, across, "x"), *_noise(rows, up, "y")]
    return axes.figure(
        [*fronts, *clouds],
        height,
        x={
            "title": {"text": across.title + axes.small(_noise_said(rows) if bands else ""), "standoff": 14},
            **_axis(rows, across),
        },
        y=_axis(rows, up),
        title=up.title,
        heading=heading,
        shapes=[*bands, *guides],
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
        x={"title": {"text": "Latency [ms a call]", "standoff": 14}, "type": "log", **ticks},
        y={},
        title="Share of calls [%]",
        shapes=medians,
        barmode="overlay",
        bargap=0,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def speedup_bars(frame: pd.DataFrame, studies: Sequence[str] = (), heading: str = "") -> go.Figure:
    """A line a variant: its speed-up as a dot with its interval; a line at 1 and the noise floor as a band around it.

    The control has the lowest line. Where several studies are drawn, the band is the widest of theirs.
    """
    own = panels.variants(frame).dropna(subset=["speedup"])
    own = own.sort_values("speedup", kind="stable").tail(MAX_POINTS)
    own = pd.concat([frame[frame["variant"] == CONTROL].dropna(subset=["speedup"]), own]).tail(MAX_POINTS)
    ends = ["speedup_ci_low", "speedup_ci_high"]
    measure = panels.MEASURES["Speed-up"]
    guides = [*_noise(frame, measure, "x"), axes.line({"color": palette.GUIDE, "dash": "dash", "width": 1.2}, x=1.0)]
    errors = _errors(own, measure) or {}
    points = _points(
        own,
        {
            "x": own["speedup"],
            "error_x": errors | {"thickness": 1.8, "width": 5},
            "y": own["variant_label"].map(escape),
        },
        palette.markers(own, studies, 11),
        "Speed-up",
    )
    ticks = axes.log_ticks(np.append(own[["speedup", *ends]].to_numpy(float).ravel(), 1.0))
    title = "← slower · speed-up, 1 is the baseline · faster →" + axes.small(_noise_said(frame))
    return axes.figure(
        [points],
        110 + 30 * max(1, own["variant_label"].nunique()),
        x={"title": {"text": title, "standoff": 14}, "type": "log", **ticks},
        y={"showgrid": True, "automargin": True},
        heading=heading,
        shapes=guides,
    )


def replicate_ratios(found: Sequence[tuple[pd.Series[Any], pd.DataFrame]]) -> go.Figure:
    """Side by side for each row (the variant, its control): every process's own speed-up as a point.

    `found` holds a row and what `replicates.ratios` gives of it. The line is the row's estimate and the band its
    interval. All axes span the same proportion, so that the spreads can be compared.
    """
    measure = panels.MEASURES["Speed-up"]
    columns = ("speedup", "speedup_ci_low", "speedup_ci_high")
    values = [np.append(points["speedup"], [row[name] for name in columns]) for row, points in found]
    centres = [float(np.sqrt(each.min() * each.max())) for each in values]
    reach = max(float(each.max()) / centre for each, centre in zip(values, centres, strict=True)) * 1.01
    last = max(len(points) for _, points in found)
    gap, wide = 0.08, 1 / len(found)
    traces, shapes = [], []
    layout: dict[str, Any] = {}
    for place, ((row, points), centre) in enumerate(zip(found, centres, strict=True)):
        number = str(place + 1) if place else ""
        hue = palette.colour(str(row["variant"]))
        if row["variant"] not in (BASELINE, CONTROL) and row["speed_verdict"] in ("unresolved", "same"):
            hue = palette.NEUTRAL
        ends = np.array([centre / reach, centre * reach])
        shapes.append(axes.band(row["speedup_ci_low"], row["speedup_ci_high"], f"x{number}", hue, 0.25))
        shapes.append(axes.line({"color": hue, "width": 2}, x=row["speedup"]) | {"xref": f"x{number}"})
        traces.append({
            "type": "scatter",
            "mode": "markers",
            "x": points["speedup"],
            "y": np.arange(len(points)) + 1,
            "xaxis": f"x{number}",
            "marker": {"symbol": "circle-open", "size": 9, "color": hue, "line": {"width": 2}},
            "hovertemplate": "Process %{y}: %{x:.4g}x<extra></extra>",
            "name": str(row["variant_label"]),
        })  # fmt: skip
        said = f"{measure.title}: {escape(str(row['variant_label']))}"
        domain = [place * wide + gap / 2 * (place > 0), (place + 1) * wide - gap / 2 * (place + 1 < len(found))]
        layout[f"xaxis{number}"] = {
            "title": {"text": said, "standoff": 14}, "range": list(ends), "nticks": 5, "domain": domain,
            "gridcolor": palette.GRID, "zeroline": False,
        }  # fmt: skip
    return axes.figure(
        traces,
        130 + 18 * last,
        x=layout.pop("xaxis"),
        y={"dtick": 1, "range": [last + 0.6, 0.4]},
        title="Process",
        shapes=shapes,
        **layout,
    )


def _noise(frame: pd.DataFrame, measure: panels.Measure, across: str) -> list[Part]:
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


def _noise_said(frame: pd.DataFrame) -> str:
    """The band in words; of several studies the widest, and whose it is."""
    known = frame.dropna(subset=["noise_pct"])
    if known.empty:
        return ""
    widest = known.iloc[int(known["noise_pct"].to_numpy(float).argmax())]
    text = f"grey band: noise floor {wording.noise(widest['noise_pct'])}"
    if frame["study_id"].nunique() > 1:
        whose = str(widest["study_name"])
        text += f" at most, of {escape(whose if len(whose) <= 24 else whose[:23] + '…')}"
    return text


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
