"""The rows of two studies by what they are matched by, and what one of them measured and the other did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from efficiency.study import CONTROL

if TYPE_CHECKING:
    from efficiency.results.store import StudyRecord

KEY = ["workload", "dataset", "device", "batch_size", "threads", "length", "padding_pct", "phase", "variant"]
"""Rows of two studies that agree in these were measured on the same thing."""
SHOWN = ["workload_label", "condition", "variant_label"]
"""What a row is called."""
SPEEDS = ["speedup", "speedup_ci_low", "speedup_ci_high", "speedup_precision_pct"]
ACCURACIES = ["accuracy_pct", "accuracy_ci_low_pct", "accuracy_ci_high_pct"]
_KEPT = [
    "row_id", *SPEEDS, "speed_verdict", "replicates", "noise_pct", "latency_ms_p50", "latency_ms_p99", *ACCURACIES,
    "size_mb", "status", "reason", "warnings", "code_digest",
]  # fmt: skip


def matching(frame: pd.DataFrame, a: StudyRecord, b: StudyRecord) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of both, measured or not, a line each by `KEY`."""
    ours, theirs = _of(frame, a.id), _of(frame, b.id)
    return _padded(ours, theirs), _padded(theirs, ours)


def _padded(rows: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """A heat whose baseline failed never came to know its padding: it is taken for the other study's."""
    shape = [name for name in KEY if name != "padding_pct"]
    known = other.dropna(subset=["padding_pct"]).drop_duplicates(shape)
    there = rows[shape].merge(known[[*shape, "padding_pct"]], on=shape, how="left").set_index(rows.index)["padding_pct"]
    return rows.assign(padding_pct=rows["padding_pct"].fillna(there.where(rows["status"] != "done")))


def _of(frame: pd.DataFrame, id: str) -> pd.DataFrame:
    """The rows of one study by what they are matched by; the control is in the noise floor of the others."""
    rows = frame[(frame["study_id"] == id) & (frame["variant"] != CONTROL)]
    rows = rows.assign(padding_pct=rows["padding_pct"].round())
    return rows[[*KEY, *SHOWN, *_KEPT]].drop_duplicates(KEY, keep="last")


def only(ours: pd.DataFrame, theirs: pd.DataFrame, other: StudyRecord) -> pd.DataFrame:
    """What the first measured and the second, study `other`, did not: `KEY`, `SHOWN`; the other's `status` of it, empty
    where it has no such row, and in words `why`."""
    found = ours[ours["status"] == "done"].merge(
        theirs[[*KEY, "status", "reason"]], on=KEY, how="left", suffixes=("", "_other")
    )
    found = found[found["status_other"] != "done"]
    status = found["status_other"].fillna("").astype(object)
    absent = "not asked" if other.status == "done" else f"not there, and the study is {other.status}"
    why = (status + ": " + found["reason_other"]).where(status != "", absent)
    return found[[*KEY, *SHOWN]].assign(status=status, why=why.astype(object)).reset_index(drop=True)
