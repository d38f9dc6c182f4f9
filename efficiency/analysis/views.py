"""What the pages show, as frames made from frames: filters, fronts, headlines, comparison tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from efficiency import techniques, workloads
from efficiency.analysis import wording
from efficiency.condition import Condition
from efficiency.results.columns import COLUMNS
from efficiency.study import BASELINE, CONTROL

PANEL = ["workload", "dataset", "condition"]
"""Rows that agree in these were measured on the same thing and may stand in one chart, a panel."""


@dataclass(frozen=True)
class Measure:
    """One axis: its column, what it is called, and where its interval is."""

    column: str
    title: str
    lower_is_better: bool
    log: bool = False
    low: str | None = None
    high: str | None = None


MEASURES: dict[str, Measure] = {
    "Latency": Measure("latency_ms_p50", "Latency p50 [ms a call]", True, True, "latency_low_ms", "latency_high_ms"),
    "Accuracy": Measure("accuracy_pct", "Accuracy [%]", False, False, "accuracy_low_pct", "accuracy_high_pct"),
    "Size": Measure("size_mb", "Size [MB]", True, True),
    "Peak memory": Measure("peak_memory_mb", "Peak memory [MB]", True),
    "Speed-up": Measure("speedup", "Speed-up", False, True, "speedup_ci_low", "speedup_ci_high"),
    "Throughput": Measure("throughput_per_s", "Throughput [examples/s]", False, True),
}


DRAWN = list(
    dict.fromkeys([
        "row_id", "study_id", "study_name", "variant", "variant_label", "workload_label", "condition", "relative",
        "speed_verdict", "took_effect", "on_pareto_front",
        *(name for m in MEASURES.values() for name in (m.column, m.low, m.high) if name),
    ])
)  # fmt: skip
"""Columns of `prepared` that a chart needs."""


def variant_label(key: str) -> str:
    """`static-int8+inference-mode` to `Static INT8 + Inference mode`; unknown keys stay as they are."""
    if key in (BASELINE, CONTROL):
        return key.capitalize()
    known = techniques.TECHNIQUES
    return " + ".join(known[part].label if part in known else part for part in key.split("+"))


def workload_label(key: str) -> str:
    """`lstm-classifier` to `LSTM`; a user's own file keeps its name."""
    return workloads.WORKLOADS[key].label if key in workloads.WORKLOADS else key.rsplit("/", 1)[-1]


def _condition_label(device: str, batch: float, threads: float, length: float, padding: float) -> str:
    return Condition(
        device="cuda" if device == "cuda" else "cpu",
        batch_size=0 if pd.isna(batch) else int(batch),
        threads=0 if pd.isna(threads) else int(threads),
        length=None if pd.isna(length) else int(length),
        padding_pct=0 if pd.isna(padding) else int(padding),
    ).label()


def prepared(rows: pd.DataFrame, names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The store's rows with what is shown beside them: labels, condition, relative wording, intervals.

    `names` gives the studies' names by id. The intervals of latency and accuracy are those of the paired
    comparison, carried over: what decides is the difference to the baseline, and that is known far better than
    the value itself, which every variant's machine load and test rows shift alike.
    """
    frame = rows.copy()
    for column, kind in COLUMNS.items():
        if kind in ("number", "whole"):
            frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
        elif kind == "text":
            frame[column] = frame[column].astype(object).where(frame[column].notna(), "")
    flag = frame["on_pareto_front"]
    frame["on_pareto_front"] = flag.astype(object).where(flag.notna(), False).astype(bool)
    frame["condition"] = _conditions(frame)
    for target, source, label in (
        ("variant_label", "variant", variant_label),
        ("workload_label", "workload", workload_label),
    ):
        frame[target] = frame[source].map({value: label(value) for value in frame[source].unique()})
    frame["study_name"] = [(names or {}).get(id) or id for id in frame["study_id"]]
    relative = (frame["latency_ms_p50"] * frame["speedup"]).where(frame["speedup"] > 0)
    frame["latency_low_ms"] = relative / frame["speedup_ci_high"]
    frame["latency_high_ms"] = relative / frame["speedup_ci_low"]
    for end in ("low", "high"):
        frame[f"accuracy_{end}_pct"] = (
            frame["accuracy_pct"] - frame["accuracy_delta_pp"] + frame[f"accuracy_delta_ci_{end}_pp"]
        )
    columns = ["variant", "speedup", "speedup_ci_low", "speedup_ci_high", "speed_verdict", "size_ratio"]
    columns += ["accuracy_delta_pp", "accuracy_verdict"]
    frame["relative"] = [wording.relative(row) for row in records(frame[columns])]
    return frame


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dictionary a row."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _conditions(frame: pd.DataFrame) -> pd.Series:
    """`CPU, batch 1, 1 thread`; length and padding only where a workload was measured at several."""
    shape = frame[["device", "batch_size", "threads", "length", "padding_pct"]].copy()
    shape["padding_pct"] = shape["padding_pct"].round()
    for column in ("length", "padding_pct"):
        shape[column] = shape[column].where(shape[column].groupby(frame["workload"]).transform("nunique") > 1)
    # In order of first appearance, both here and in the group numbers; unknown equals unknown.
    distinct = [_condition_label(*values) for values in shape.drop_duplicates().itertuples(index=False)]
    number = shape.groupby(list(shape.columns), dropna=False, sort=False).ngroup()
    return number.map(dict(enumerate(distinct))).astype(object)


def filtered(
    frame: pd.DataFrame,
    workload: Sequence[str] = (),
    technique: Sequence[str] = (),
    status: Sequence[str] = (),
    condition: Sequence[str] = (),
) -> pd.DataFrame:
    """Rows that match every filter; an empty filter matches all.

    A technique matches every variant it is part of. Baseline and control stay with the techniques: they
    are what the others are compared with.
    """
    keep = pd.Series(True, index=frame.index)
    for column, chosen in (("workload_label", workload), ("status", status), ("condition", condition)):
        if chosen:
            keep &= frame[column].isin(list(chosen))
    if technique:
        wanted = set(technique)
        matching = [
            variant
            for variant in frame["variant"].unique()
            if variant in (BASELINE, CONTROL) or wanted & set(variant_label(variant).split(" + "))
        ]
        keep &= frame["variant"].isin(matching)
    return frame[keep]


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold a measurement."""
    return frame[frame["status"] == "done"]


def left_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold none, with the reason."""
    return frame[frame["status"] != "done"]


def _titles(done: pd.DataFrame) -> pd.Series:
    """For each row its panel's title, which says only what differs between panels of one workload."""
    differs = [c for c in ("dataset", "condition") if (done.groupby("workload")[c].nunique() > 1).any()]
    titles = done["workload_label"].astype(str)
    for column in differs:
        titles = titles + " · " + done[column].astype(str)
    return titles


def panels(frame: pd.DataFrame, limit: int | None = None) -> tuple[list[tuple[str, pd.DataFrame]], int]:
    """The measured rows split into charts with a title each, the first `limit` of them, and how many there are.

    They hold only what charts draw: the fewer columns, the faster a filter redraws.
    """
    done = measured(frame)
    titles, drawn = _titles(done), _control_in_place(done)[DRAWN]
    names = list(titles.unique())
    return [(title, drawn[titles == title]) for title in names[:limit]], len(names)


def _control_in_place(done: pd.DataFrame) -> pd.DataFrame:
    """The control, which is only timed, with the accuracy and size of its baseline: it is the same model."""
    columns = ["accuracy_pct", "accuracy_low_pct", "accuracy_high_pct", "size_mb", "peak_memory_mb"]
    together = [*PANEL, "study_id"]
    of_baseline = done[["variant", *together, *columns]]
    of_baseline = of_baseline[of_baseline["variant"] == BASELINE].drop_duplicates(together).drop(columns="variant")
    control = done.loc[done["variant"] == CONTROL, together].merge(of_baseline, on=together, how="left")
    filled = done.copy()
    filled.loc[filled["variant"] == CONTROL, columns] = control[columns].to_numpy()
    return filled


def front(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Rows on the recorded Pareto front that nothing on it beats in these two measures, sorted by x."""
    across, up = MEASURES[x], MEASURES[y]
    rows = frame[frame["on_pareto_front"]].dropna(subset=[across.column, up.column])
    points = np.column_stack([
        rows[m.column].to_numpy(float) * (-1 if m.lower_is_better else 1) for m in (across, up)
    ])  # fmt: skip
    kept = [not bool(((points >= own).all(axis=1) & (points > own).any(axis=1)).any()) for own in points]
    return rows[np.array(kept, dtype=bool)].sort_values(across.column)


def headlines(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a panel: the fastest variant that is surely faster and whose accuracy is not known to be lost.

    Its title is in `panel`. Where there is none, `variant` is empty.
    """
    done = measured(frame)
    own = done.assign(panel=_titles(done))[~done["variant"].isin([BASELINE, CONTROL])]
    good = own[(own["speed_verdict"] == "faster") & (own["accuracy_verdict"] != "lost")]
    best = good.sort_values("speedup", ascending=False, kind="stable").drop_duplicates("panel")
    # No variant to name there: the row only says which panel it is.
    none = own[~own["panel"].isin(best["panel"])].drop_duplicates("panel").assign(variant="", variant_label="")
    order = {title: place for place, title in enumerate(own["panel"].unique())}
    return pd.concat([best, none]).sort_values("panel", key=lambda titles: titles.map(order), kind="stable")


def baseline_of(frame: pd.DataFrame, row: pd.Series) -> pd.Series | None:
    """The baseline that this row was measured against, if it is in the frame."""
    same = frame["study_id"] == row["study_id"]
    for column in PANEL:
        same &= frame[column] == row[column]
    found = frame[same & (frame["variant"] == BASELINE) & (frame["status"] == "done")]
    return found.iloc[0] if len(found) else None


def share(done: int, total: int) -> float:
    """Between 0 and 1, and 0 while the total is not known."""
    return min(1.0, done / total) if total > 0 else 0.0
