"""A plan as frames: which variant runs on which workload, and why some do not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from efficiency.analysis import views
from efficiency.study import Entry


def to_measure(entries: Sequence[Entry]) -> int:
    """Rows that will be measured, baseline and control included."""
    return sum(entry.why_not is None for entry in entries)


def matrix(entries: Sequence[Entry]) -> pd.DataFrame:
    """Variants down, workloads across: `runs`, `not applicable`, or in how many conditions it runs."""
    frame = pd.DataFrame(
        [(entry.variant.label, views.workload_label(entry.workload), entry.why_not is None) for entry in entries],
        columns=["Variant", "Workload", "runs"],
    )
    grouped = frame.groupby(["Variant", "Workload"], sort=False)["runs"].agg(["sum", "count"])
    words = [
        "–" if runs == 0 else "runs" if runs == count else f"runs in {runs} of {count}"
        for runs, count in zip(grouped["sum"], grouped["count"], strict=True)
    ]
    table = pd.Series(words, index=grouped.index).unstack("Workload")
    rows, columns = dict.fromkeys(frame["Variant"]), dict.fromkeys(frame["Workload"])
    return table.loc[list(rows), list(columns)].rename_axis(columns=None).reset_index()


def reasons(entries: Sequence[Entry]) -> pd.DataFrame:
    """Why some do not run, each reason once a variant and workload."""
    told = [
        (entry.variant.label, views.workload_label(entry.workload), entry.why_not) for entry in entries if entry.why_not
    ]
    return pd.DataFrame(list(dict.fromkeys(told)), columns=["Variant", "Workload", "Why not"])
