"""What one row was made of: the latencies of its calls, and what each process found."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from efficiency import axes, palette
from efficiency.analysis import panels, views
from efficiency.study import BASELINE, CONTROL


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
        named = (
            ("Baseline", palette.NEUTRAL, 0.55),
            (escape(views.variant_label(variant)), palette.colour(variant), 0.8),
        )
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
