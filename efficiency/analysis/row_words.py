"""The figures of a row in words, each with its interval. Plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from efficiency.analysis import limits as limits_module
from efficiency.analysis import own_minutes, wording
from efficiency.analysis.limits import Limits

APART = 1.1
"""How many times the ratio of the medians may lie beyond a speed-up's interval before that is told."""
ALWAYS = ("latency_ms_p50", "accuracy_delta_pp", "size_mb")
"""Columns of figures that are told whatever is asked, beside the speed."""


def facts(row: Mapping[str, Any], limits: Limits) -> str:
    """`2.86x the baseline's speed (95 %: 2.81–2.90x), 0.354 ms a call at p50 (...), -0.25 pp of accuracy (...), 14 MB.`

    Then the figure of whatever else was limited: `, 0.41 ms of latency p99 (95 %: 0.40–0.44 ms)`.
    """
    parts = [
        f"{wording.number(row['speedup'], 'x')} the baseline's speed"
        + ends(row, "speedup_ci_low", "speedup_ci_high", "x"),
        f"{wording.number(row['latency_ms_p50'], 'ms')} a call at p50"
        + ends(row, "latency_low_ms", "latency_high_ms", "ms"),
    ]
    if pd.notna(row["accuracy_delta_pp"]):
        delta = f"{round(row['accuracy_delta_pp'], 2) + 0.0:+.2f} pp of accuracy"
        parts.append(delta + ends(row, "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", "pp"))
    if pd.notna(row["size_mb"]):
        size = wording.size(row)
        parts.append(wording.number(row["size_mb"], "MB") + (f" ({size})" if size else ""))
    for kind in (limits_module.kind_of(name, limits) for name in limits.asked):
        if kind.column not in ALWAYS:
            told = ends(row, kind.best, kind.worst, kind.unit) if kind.best and kind.worst else ""
            parts.append(f"{wording.number(row[kind.column], kind.unit)} of {kind.title.lower()}{told}")
    return ", ".join(parts) + "."


def by_medians(row: Mapping[Any, Any], baseline: Mapping[Any, Any] | None) -> str:
    """What the medians of all calls would say of the speed, where that is far from the speed-up; else empty."""
    reach = 1 + own_minutes.half(row)  # the medians are of the same minutes
    if baseline is None or row["row_id"] == baseline["row_id"] or pd.isna(reach):
        return ""
    low, high = row["speedup"] / reach, row["speedup"] * reach
    ratio = baseline["latency_ms_p50"] / row["latency_ms_p50"]
    if pd.isna(ratio) or low / APART <= ratio <= high * APART:
        return ""
    return (
        f"The medians of all calls, {wording.number(baseline['latency_ms_p50'], 'ms')} and "
        f"{wording.number(row['latency_ms_p50'], 'ms')}, would make it {wording.number(ratio, 'x')}. The speed-up "
        f"of {wording.number(row['speedup'], 'x')} is of the fastest calls, which a disturbance "
        f"reaches least: the slower calls were disturbed, and under such a load {'less' if ratio < low else 'more'} is "
        "gained."
    )


def ends(row: Mapping[str, Any], low: str, high: str, unit: str) -> str:
    """` (95 %: 2.81–2.90x)`, of an interval's two columns; empty where there is none."""
    found = wording.interval(row[low], row[high], unit)
    return f" (95 %: {found})" if found else ""
