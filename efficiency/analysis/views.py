"""The store's rows as the pages show them: labels, conditions and wording beside the columns, and the filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from efficiency import techniques, workloads
from efficiency.analysis import wording
from efficiency.analysis.kept import is_number
from efficiency.condition import Condition
from efficiency.results.columns import COLUMNS
from efficiency.study import BASELINE, CONTROL

PANEL = ["workload", "dataset", "condition"]
"""Rows that agree in these were measured on the same thing and may stand in one chart, a panel."""

NOT_TIMED = "Prepared, but not timed."
"""The reason that the engine writes to a row until its heat is timed; a test holds that it is the engine's."""


def variant_label(key: str) -> str:
    """`static-int8+inference-mode` to `Static INT8 + Inference mode`; unknown keys stay as they are."""
    if key in (BASELINE, CONTROL):
        return key.capitalize()
    known = techniques.TECHNIQUES
    return " + ".join(known[part].label if part in known else part for part in key.split("+"))


def workload_label(key: str) -> str:
    """`lstm-classifier` to `LSTM`; a user's own file keeps its name."""
    return workloads.WORKLOADS[key].label if key in workloads.WORKLOADS else key.rsplit("/", 1)[-1]


def padding_said(percent: Any) -> str:
    """`12 % of the timed tokens are padding.`; empty where rows have no tokens."""
    return f"{percent:.0f} % of the timed tokens are padding." if is_number(percent) else ""


def _condition_label(device: str, batch: float, threads: float, length: float, padding: float, phase: str) -> str:
    return Condition(
        device="cuda" if device == "cuda" else "cpu",
        batch_size=0 if pd.isna(batch) else int(batch),
        threads=0 if pd.isna(threads) else int(threads),
        length=None if pd.isna(length) else int(length),
        padding_pct=0 if pd.isna(padding) else int(padding),
        phase="training" if phase == "training" else "inference",
    ).label()


def prepared(rows: pd.DataFrame, names: Mapping[str, str] | None = None, live: Collection[str] = ()) -> pd.DataFrame:
    """The store's rows with what is shown beside them: labels, condition, relative wording, intervals.

    `names` gives the studies' names by id; `live` are the ids of those that run, whose probed rows are not
    `cancelled` but, in the column `state`, `to be timed`. `on_front` is `on_pareto_front` with unknown as no.

    The intervals of latency and accuracy are those of the paired comparison, carried over: what decides is the
    difference to the baseline, and that is known far better than the value itself, which every variant's machine
    load and test rows shift alike. `noise_pct` is the noise floor of the comparison that a timed row belongs to.
    """
    frame = rows.copy()
    for column, kind in COLUMNS.items():
        if kind in ("number", "whole"):
            frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
        elif kind == "text":
            frame[column] = frame[column].astype(object).where(frame[column].notna(), "")
    frame["on_front"] = frame["on_pareto_front"].astype("boolean").fillna(False).astype(bool)
    waiting = (frame["reason"] == NOT_TIMED) & frame["study_id"].isin(list(live))
    frame["state"] = frame["status"].mask(waiting, "to be timed")
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
    calls = frame["throughput_per_s"] * frame["latency_ms_p50"]
    frame["throughput_low_per_s"] = calls / frame["latency_high_ms"]
    frame["throughput_high_per_s"] = calls / frame["latency_low_ms"]
    frame["noise_pct"] = _noise_pct(frame)
    for end in ("low", "high"):
        frame[f"accuracy_{end}_pct"] = (
            frame["accuracy_pct"] - frame["accuracy_delta_pp"] + frame[f"accuracy_delta_ci_{end}_pp"]
        )
    columns = ["variant", "speedup", "speedup_ci_low", "speedup_ci_high", "speed_verdict", "size_ratio"]
    columns += ["accuracy_delta_pp", "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", "accuracy_verdict"]
    frame["relative"] = [wording.relative(row) for row in records(frame[columns])]
    return frame


def _noise_pct(frame: pd.DataFrame) -> pd.Series:
    """What was recorded; of studies from before it was, how far the control's interval reaches from 1."""
    low, high = (frame[f"speedup_ci_{end}"].where(frame["variant"] == CONTROL) for end in ("low", "high"))
    reach = (pd.concat([high, 1 / low], axis=1).max(axis=1, skipna=False) - 1) * 100
    derived = reach.groupby([frame[name] for name in ("study_id", *PANEL)], dropna=False).transform("max")
    return frame["noise_floor_pct"].fillna(derived).where(frame["latency_ms_p50"].notna())


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dictionary a row."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _conditions(frame: pd.DataFrame) -> pd.Series:
    """`CPU, batch 1, 1 thread`, and `training` where it is that.

    Length and padding only where a workload was measured at several.
    """
    shape = frame[["device", "batch_size", "threads", "length", "padding_pct", "phase"]].copy()
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
    for column, chosen in (("workload_label", workload), ("state", status), ("condition", condition)):
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


def anything_measured(rows: pd.DataFrame) -> bool:
    """Whether a figure is kept; a row that was answered for and not yet timed has some, though it is not done."""
    return bool((rows["status"] == "done").any() or rows[["accuracy_pct", "size_mb"]].notna().any(axis=None))


def anything_timed(rows: pd.DataFrame) -> bool:
    """Whether a row is done; lists of studies count these alone."""
    return bool((rows["status"] == "done").any())


def left_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold none, with the reason."""
    return frame[frame["status"] != "done"]


def baseline_of(frame: pd.DataFrame, row: pd.Series) -> pd.Series | None:
    """The baseline that this row was measured against, if it is in the frame."""
    return _beside(frame, row, BASELINE)


def control_of(frame: pd.DataFrame, row: pd.Series) -> pd.Series | None:
    """The control that was timed beside this row, if it is in the frame."""
    return _beside(frame, row, CONTROL)


def beside(frame: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """The rows that were measured with this one, itself included: same study, workload, data set and condition."""
    same = (frame["study_id"] == row["study_id"]) & (frame["status"] == "done")
    for column in PANEL:
        same &= frame[column] == row[column]
    found: pd.DataFrame = frame[same]
    return found


def _beside(frame: pd.DataFrame, row: pd.Series, variant: str) -> pd.Series | None:
    found = beside(frame, row)
    found = found[found["variant"] == variant]
    return found.iloc[0] if len(found) else None


def study_labels(studies: pd.DataFrame) -> dict[str, str]:
    """How each study is called in a list: its name and when; with its id where two are called the same."""
    columns = studies[["id", "name", "recorded_at", "example"]].itertuples(index=False, name=None)
    named = {str(id): _study_label(str(name), str(day), bool(example)) for id, name, day, example in columns}
    told = Counter(named.values())
    return {id: name if told[name] == 1 else f"{name} · {id[-4:]}" for id, name in named.items()}


def _study_label(name: str, recorded_at: str, example: bool) -> str:
    return f"{'Example: ' if example else ''}{name or 'unnamed'} · {recorded_at[:16].replace('T', ' ')}"
