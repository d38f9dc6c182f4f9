"""Panels: the rows that may stand in one chart, their Pareto fronts and their best findings.

Studies may come from different machines. So everything that compares rows with each other is told of each study
by itself, also where several stand in one chart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from efficiency.analysis import views
from efficiency.study import BASELINE, CONTROL


@dataclass(frozen=True)
class Measure:
    """One axis: its column, what it is called, and where its interval is."""

    column: str
    title: str
    lower_is_better: bool
    log: bool = False
    low: str | None = None
    high: str | None = None
    timed: bool = False
    """Whether it is measured in time, so that the noise floor bounds what can be told from the baseline."""


MEASURES: dict[str, Measure] = {
    "Latency": Measure(
        "latency_ms_p50", "Latency p50 [ms a call]", True, True, "latency_low_ms", "latency_high_ms", timed=True
    ),
    "Accuracy": Measure("accuracy_pct", "Accuracy [%]", False, False, "accuracy_low_pct", "accuracy_high_pct"),
    "Size": Measure("size_mb", "Size [MB]", True, True),
    "Peak memory": Measure("peak_memory_mb", "Peak memory [MB]", True),
    "Speed-up": Measure("speedup", "Speed-up", False, True, "speedup_ci_low", "speedup_ci_high", timed=True),
    "Throughput": Measure(
        "throughput_per_s", "Throughput [examples/s]", False, True, "throughput_low_per_s", "throughput_high_per_s",
        timed=True,
    ),
    # Of the few slowest calls the noise floor, which is that of speed-ups, says nothing.
    "Latency p99": Measure(
        "latency_ms_p99", "Latency p99 [ms a call]", True, True, "latency_ms_p99_ci_low", "latency_ms_p99_ci_high"
    ),
}  # fmt: skip

DRAWN = list(
    dict.fromkeys([
        "row_id", "study_id", "study_name", "variant", "variant_label", "workload_label", "condition", "relative",
        "speed_verdict", "took_effect", "on_front", "noise_pct", "warnings",
        *(name for m in MEASURES.values() for name in (m.column, m.low, m.high) if name),
    ])
)  # fmt: skip
"""Columns of `views.prepared` that a chart needs."""


SAID = [
    "row_id", "study_id", "study_name", "status", "variant", "variant_label", *views.PANEL, "workload_label",
    "speedup", "speedup_ci_low", "speedup_ci_high", "speed_verdict", "accuracy_delta_pp", "accuracy_delta_ci_low_pp",
    "accuracy_delta_ci_high_pp", "accuracy_verdict", "size_ratio", "took_effect", "noise_pct", "warnings",
]  # fmt: skip
"""Columns of `views.prepared` that a headline needs."""


def titles(done: pd.DataFrame) -> pd.Series:
    """For each row its panel's title, which says only what differs between panels of one workload."""
    differs = [c for c in ("dataset", "condition") if (done.groupby("workload")[c].nunique() > 1).any()]
    called = done["workload_label"].astype(str)
    for column in differs:
        called = called + " · " + done[column].astype(str)
    return called


def panels(frame: pd.DataFrame, limit: int | None = None) -> tuple[list[tuple[str, pd.DataFrame]], int]:
    """The measured rows split into charts with a title each, the first `limit` of them, and how many there are.

    They hold only what charts draw: the fewer columns, the faster a filter redraws.
    """
    done = views.measured(frame[[*dict.fromkeys([*DRAWN, *views.PANEL, "status"])]])
    called = titles(done)
    names = list(called.unique())
    kept = called.isin(names[:limit])
    drawn, called = _control_in_place(done[kept])[DRAWN], called[kept]
    return [(title, drawn[called == title]) for title in names[:limit]], len(names)


def _control_in_place(done: pd.DataFrame) -> pd.DataFrame:
    """The control, which is only timed, with the accuracy and size of its baseline: it is the same model."""
    columns = ["accuracy_pct", "accuracy_low_pct", "accuracy_high_pct", "size_mb", "peak_memory_mb"]
    together = [*views.PANEL, "study_id"]
    of_baseline = done[["variant", *together, *columns]]
    of_baseline = of_baseline[of_baseline["variant"] == BASELINE].drop_duplicates(together).drop(columns="variant")
    control = done.loc[done["variant"] == CONTROL, together].merge(of_baseline, on=together, how="left")
    filled = done.copy()
    filled.loc[filled["variant"] == CONTROL, columns] = control[columns].to_numpy()
    return filled


def by_study(panel: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The studies in a panel, in order of appearance: id and rows."""
    for id, rows in panel.groupby("study_id", sort=False):
        yield str(id), rows


def variants(panel: pd.DataFrame) -> pd.DataFrame:
    """The rows that a technique was applied in: neither baseline nor control."""
    return panel[~panel["variant"].isin([BASELINE, CONTROL])]


def front(rows: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Rows of one study on its recorded Pareto front that nothing on it beats in these two measures, sorted by x.

    Which rows are on the front is decided where they are recorded (`analysis.pareto`), with the intervals; this is
    its projection onto two measures, so that the line through it never turns back.
    """
    across, up = MEASURES[x], MEASURES[y]
    found = rows[rows["on_front"]].dropna(subset=[across.column, up.column])
    points = np.column_stack([
        found[m.column].to_numpy(float) * (-1 if m.lower_is_better else 1) for m in (across, up)
    ])  # fmt: skip
    kept = [not bool(((points >= own).all(axis=1) & (points > own).any(axis=1)).any()) for own in points]
    return found[np.array(kept, dtype=bool)].sort_values(across.column)


FOUND = ("kept", "unresolved", "lost", "none")
"""What a headline rests on, best first: surely faster with the accuracy kept; with it neither kept nor lost for
sure; only with it lost; not surely faster at all."""
NAMELESS = {
    "lost": "whatever is surely faster loses accuracy",
    "none": "none is surely faster",
}
"""Why no variant is named, where none is."""


def headlines(frame: pd.DataFrame, limit: int | None = None) -> pd.DataFrame:
    """The best finding of each panel and study, the first `limit` of them: the fastest that keeps the accuracy.

    Where there is none, the fastest whose accuracy is unresolved; where there is none either, `variant` is empty.
    The panel's title is in `panel`, how many variants were timed in `timed`, what was found in `found` (see `FOUND`),
    and in `faster_unsettled` the name and the speed-up of a still faster one whose accuracy is unresolved, if any.
    """
    done = views.measured(frame[SAID])
    own = variants(done.assign(panel=titles(done)))
    group = own.groupby(["panel", "study_id"], sort=False).ngroup()
    if limit is not None:
        own, group = own[group < limit], group[group < limit]
    accuracy = own["accuracy_verdict"].map({"kept": 0, "lost": 2}).fillna(1)
    # What changed nothing that could be seen is fast by luck alone.
    counts = (own["speed_verdict"] == "faster") & (own["took_effect"] != "no")
    rank = accuracy.where(counts, 3).astype(int)
    ordered = own.assign(rank=rank, group=group).sort_values(
        ["group", "rank", "speedup"], ascending=[True, True, False], kind="stable"
    )
    best = ordered.drop_duplicates("group")
    nameless = best["rank"] >= FOUND.index("lost")
    best = best.assign(
        found=[FOUND[place] for place in best["rank"]], timed=best["group"].map(own.groupby(group).size())
    )
    best.loc[nameless, ["variant", "variant_label"]] = ""
    second = ordered[ordered["rank"] == FOUND.index("unresolved")].drop_duplicates("group")
    unsettled = {row["group"]: row for row in views.records(second)}
    best["faster_unsettled"] = [
        _faster(unsettled.get(row["group"]), row) if row["rank"] == 0 else "" for row in views.records(best)
    ]
    return best.drop(columns=["rank", "group"])


def _faster(row: dict[str, Any] | None, best: dict[str, Any]) -> str:
    """Speed-up and name of a row that is surely faster than the best of those that keep the accuracy."""
    if row is None or row["speedup_ci_low"] <= best["speedup"]:
        return ""
    return f"{row['speedup']:.1f}x with {row['variant_label']}"
