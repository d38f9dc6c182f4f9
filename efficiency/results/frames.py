"""Reading the tables into data frames.

Tuples go straight into typed columns: ten thousand rows take a fraction of a second, which as objects they
would not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from efficiency.results import records
from efficiency.results.columns import COLUMNS, Kind
from efficiency.results.tables import ANSWERS, ROWS, SAMPLES, STUDIES

DTYPES: dict[Kind, Any] = {"text": "str", "number": "float64", "whole": "Int64", "flag": "boolean"}
"""Each of them can hold an unknown."""

SAME = (
    "workload", "dataset", "variant", "device", "batch_size", "threads", "length", "padding_pct", "phase",
    "torch_version", "code_digest",
)  # fmt: skip
"""Columns in which rows of several studies agree that measured the same."""
FOUND = ("study_id", "speedup", "warnings", "replicates")
"""Columns of such a row: of which study it is, what that found, and by what a disturbance is known."""
NEWEST_FIRST = (STUDIES.c.recorded_at.desc(), STUDIES.c.number.desc())

_STUDY_COLUMNS = (
    "id", "name", "recorded_at", "status", "message", "preset", "machine", "machine_key", "workloads", "rows",
    "example", "phase", "confirms",
)  # fmt: skip


def columns_of_row() -> list[Any]:
    """What to select so that a row has the contract's columns; `study` is the study's id."""
    return [ROWS.c.study_id.label("study") if name == "study" else ROWS.c[name] for name in COLUMNS]


def rows(connection: Connection, ids: Sequence[str] | None) -> pd.DataFrame:
    """The rows of these studies, or of all; see `Store.rows`."""
    query = select(ROWS.c.id, ROWS.c.study_id, ROWS.c.position, *columns_of_row()).join(
        STUDIES, ROWS.c.study_id == STUDIES.c.id
    )
    query = query.order_by(STUDIES.c.recorded_at, STUDIES.c.number, ROWS.c.position)
    if ids is None:
        found = list(connection.execute(query).all())
    else:
        found = [row for id in dict.fromkeys(ids) for row in connection.execute(query.where(STUDIES.c.id == id))]
    kinds: dict[str, Kind] = {"row_id": "whole", "study_id": "text", "position": "whole", **COLUMNS}
    values = list(zip(*found, strict=True)) if found else [()] * len(kinds)
    frame = pd.DataFrame(
        {name: pd.Series(column, dtype=DTYPES[kinds[name]]) for name, column in zip(kinds, values, strict=True)}
    )
    return frame.astype({"row_id": "int64", "position": "int64"})  # these are never unknown


def _phase(asked: Mapping[str, Any]) -> str:
    """What was asked to be measured; `inference` where the description does not say."""
    conditions = asked.get("conditions")
    first = conditions[0] if isinstance(conditions, list) and conditions else None
    return str(first.get("phase") or "inference") if isinstance(first, Mapping) else "inference"


def tried(connection: Connection) -> dict[tuple[str, str], frozenset[str]]:
    """Which variants of a workload are done, by study and workload; see `Store.tried`."""
    query = select(ROWS.c.study_id, ROWS.c.workload, ROWS.c.variant).where(ROWS.c.status == "done").distinct()
    found: dict[tuple[str, str], set[str]] = {}
    for id, workload, variant in connection.execute(query):
        found.setdefault((str(id), str(workload)), set()).add(str(variant))
    return {one: frozenset(variants) for one, variants in found.items()}


def timed(connection: Connection, id: str, columns: Sequence[str]) -> set[tuple[Any, ...]]:
    """What these columns hold in the rows of a study that have a speed-up; see `Store.timed`."""
    query = select(*(ROWS.c[name] for name in columns)).where(ROWS.c.study_id == id)
    query = query.where(ROWS.c.status == "done", ROWS.c.speedup.is_not(None))
    return {tuple(row) for row in connection.execute(query)}


def _alike(connection: Connection, id: str) -> dict[str, tuple[str, int]]:
    """When the studies of the same machine by the same version of this program were recorded, this one's included."""
    columns = (STUDIES.c[name] for name in ("id", "machine", "version", "recorded_at", "number"))
    found = {study.id: study for study in connection.execute(select(*columns))}
    own = found.get(id)
    key = own.machine.get("key") if own else None
    if not own or not key:
        return {}
    alike = (one for one in found.values() if (one.machine.get("key"), one.version) == (key, own.version))
    return {study.id: (study.recorded_at, study.number) for study in alike}


def repeated(connection: Connection, row_id: int) -> pd.DataFrame:
    """Rows of the same in other studies of the same machine; see `Store.repeated`."""
    kept = select(ROWS.c.id, *(ROWS.c[name] for name in (*FOUND, *SAME)))
    own = connection.execute(kept.where(ROWS.c.id == row_id)).one_or_none()
    if own is None:
        raise records.no_such_row(row_id)
    alike = _alike(connection, own.study_id)
    same = [ROWS.c[name].is_not_distinct_from(getattr(own, name)) for name in SAME]
    timed = (ROWS.c.status == "done", ROWS.c.speedup > 0, ROWS.c.study_id != own.study_id)
    found = [row for row in connection.execute(kept.where(*same, *timed)) if row.study_id in alike]
    newest_first = sorted(found, key=lambda row: alike[row.study_id], reverse=True)
    return pd.DataFrame(newest_first, columns=["row_id", *FOUND, *SAME])[["row_id", *FOUND]]


def earlier(connection: Connection, id: str, other: str) -> pd.DataFrame:
    """Rows of the same in studies before a study and another; see `Store.earlier`."""
    both = select(STUDIES.c.recorded_at, STUDIES.c.number).where(STUDIES.c.id.in_([id, other]))
    first = min((tuple(at) for at in connection.execute(both)), default=("", 0))
    before = [one for one, at in _alike(connection, id).items() if at < first]
    if not before:
        return pd.DataFrame(columns=["of", "row_id", *FOUND])
    query = select(ROWS.c.id, *(ROWS.c[name] for name in (*FOUND, *SAME)))
    query = query.where(ROWS.c.status == "done", ROWS.c.speedup > 0, ROWS.c.study_id.in_([id, *before]))
    found = pd.DataFrame(connection.execute(query).all(), columns=["row_id", *FOUND, *SAME])
    own, others = found[found["study_id"] == id], found[found["study_id"] != id]
    same = own[["row_id", *SAME]].rename(columns={"row_id": "of"}).merge(others, on=list(SAME))
    return same[["of", "row_id", *FOUND]]


def studies(connection: Connection) -> pd.DataFrame:
    """One line a study, newest first; see `Store.studies`."""
    measured: dict[str, list[str]] = {}
    done: dict[str, int] = {}
    counted = select(
        ROWS.c.study_id,
        ROWS.c.workload,
        func.sum((ROWS.c.status == "done").cast(ROWS.c.position.type)),
    ).group_by(ROWS.c.study_id, ROWS.c.workload)
    for id, workload, count in connection.execute(counted.order_by(func.min(ROWS.c.position))):
        if workload is not None:
            measured.setdefault(id, []).append(workload)
        done[id] = done.get(id, 0) + int(count or 0)
    lines = []
    for study in connection.execute(select(STUDIES).order_by(*NEWEST_FIRST)).mappings():
        asked, machine = study["asked"], study["machine"]
        # A study that waits has no rows yet, but it is known what was asked.
        planned = asked.get("workloads")
        workloads = measured.get(study["id"]) or (list(map(str, planned)) if isinstance(planned, list) else [])
        derived = {
            "preset": str(asked.get("preset") or ""),
            "machine": str(machine.get("label") or ""),
            "machine_key": str(machine.get("key") or ""),
            "workloads": ", ".join(dict.fromkeys(workloads)),
            "rows": done.get(study["id"], 0),
            "phase": _phase(asked),
            "confirms": str(asked.get("confirms") or ""),
        }
        lines.append([{**study, **derived}[name] for name in _STUDY_COLUMNS])
    types = dict.fromkeys(_STUDY_COLUMNS, "str") | {"rows": "int64", "example": "bool"}
    return pd.DataFrame(lines, columns=list(_STUDY_COLUMNS)).astype(types)


def raw_samples(connection: Connection, row_id: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]] | None:
    """int64 [3, calls]: replicates, rounds, nanoseconds a call."""
    packed = connection.execute(select(SAMPLES.c.columns).where(SAMPLES.c.row_id == row_id)).scalar_one_or_none()
    return None if packed is None else packed.reshape(3, -1)


def samples(connection: Connection, row_id: int) -> pd.DataFrame:
    """Every timed call; see `Store.samples`."""
    raw = raw_samples(connection, row_id)
    replicate, round_, latency_ns = np.empty((3, 0), np.int64) if raw is None else raw
    return pd.DataFrame({"replicate": replicate, "round": round_, "latency_ms": latency_ns / 1e6})


def raw_answers(connection: Connection, row_id: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """Predictions and labels, uint16 [test rows] each."""
    query = select(ANSWERS.c.predicted, ANSWERS.c.labels).where(ANSWERS.c.row_id == row_id)
    found = connection.execute(query).one_or_none()
    return None if found is None else (found[0], found[1])


def answers(connection: Connection, row_id: int) -> pd.DataFrame:
    """The answer to every test row; see `Store.answers`."""
    predicted, labels = raw_answers(connection, row_id) or (np.empty(0, np.uint16), np.empty(0, np.uint16))
    return pd.DataFrame({"predicted": predicted, "label": labels})
