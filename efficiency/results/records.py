"""Writing into the tables, inside a transaction that the caller holds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import Connection, Table, delete, insert, literal, select, update

import efficiency
from efficiency.errors import StoreError
from efficiency.results.tables import ROWS, STUDIES, STUDY_STATUSES
from efficiency.results.values import cells, plain, text

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def new_id(preset: str, now: datetime) -> str:
    """Readable, sortable and fit for a file name: `20261123-0914-quick-k3f9`."""
    word = re.sub("[^a-z0-9]+", "-", preset.lower()).strip("-")[:20] or "study"
    return f"{now:%Y%m%d-%H%M}-{word}-{''.join(secrets.choice(BASE32) for _ in range(4))}"


def new_study(
    asked: Mapping[str, Any], *, name: str, machine: Mapping[str, Any], command: str, status: str
) -> dict[str, Any]:
    """A study's columns, asked now; `insert_study` makes sure of the id."""
    if status not in STUDY_STATUSES:
        raise ValueError(f"A study's status is one of {', '.join(STUDY_STATUSES)}, not {status!r}.")
    now = datetime.now(UTC)
    return {
        "id": new_id(str(asked.get("preset") or ""), now),
        "name": text(name).strip(),
        "recorded_at": now.isoformat(timespec="seconds"),
        "status": status,
        "message": "",
        "asked": plain(asked),
        "machine": plain(machine),
        "torch_version": text(str(machine.get("torch_version") or "")),
        "version": efficiency.__version__,
        "command": text(command),
        "example": False,
    }


def insert_study(connection: Connection, values: Mapping[str, Any]) -> str:
    """Keeps a study under its id, or under a new one where that is taken; returns the id it has."""
    id = str(values["id"])
    while connection.execute(select(literal(1)).where(STUDIES.c.id == id)).scalar():
        id = new_id(str(values["asked"].get("preset") or ""), datetime.now(UTC))
    connection.execute(insert(STUDIES), {**values, "id": id})
    return id


def row_values(study_id: str, position: int, row: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    """A row's columns as the table has them; raises `ValueError` for what does not belong."""
    return {
        "study_id": study_id,
        "position": int(position),
        "details": plain(details),
        **cells(row, study_id),
    }


def upsert_row(connection: Connection, values: Mapping[str, Any]) -> int:
    """Puts a row at its position, in place of the one there, whose id it takes over."""
    here = (ROWS.c.study_id == values["study_id"]) & (ROWS.c.position == values["position"])
    row_id = connection.execute(select(ROWS.c.id).where(here)).scalar()
    if row_id is not None:
        connection.execute(update(ROWS).where(ROWS.c.id == row_id), dict(values))
        return int(row_id)
    inserted = connection.execute(insert(ROWS), dict(values)).inserted_primary_key
    assert inserted is not None  # a single insert always has one
    return int(inserted[0])


def replace(connection: Connection, table: Table, row_id: int, values: Mapping[str, Any]) -> None:
    """Puts a row's samples or answers in place of those it had."""
    if not connection.execute(select(literal(1)).where(ROWS.c.id == int(row_id))).scalar():
        raise no_such_row(row_id)
    connection.execute(delete(table).where(table.c.row_id == int(row_id)))
    connection.execute(insert(table), {"row_id": int(row_id), **values})


def no_such_row(row_id: int) -> StoreError:
    """For a row that was asked for by an id that it does not, or no longer, have."""
    return StoreError(f"The database holds no row {row_id}; its study was deleted, so reload the list of studies.")


def pack_samples(samples: ArrayLike) -> NDArray[np.int64]:
    """Samples [calls, 3] as the table keeps them, [3 × calls]."""
    array = np.asarray(samples)
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "iu":
        raise ValueError(f"Samples are whole numbers [calls, 3], not {array.dtype} {list(array.shape)}.")
    return array.astype(np.int64).T.ravel()


def pack_answers(predicted: ArrayLike, labels: ArrayLike) -> dict[str, NDArray[np.uint16]]:
    """Predictions and labels as the table keeps them; class numbers are 0 to 65,535."""
    packed = {"predicted": np.asarray(predicted), "labels": np.asarray(labels)}
    for name, array in packed.items():
        fits = array.size == 0 or (array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 65_535)
        if array.ndim != 1 or not fits:
            raise ValueError(f"'{name}' holds class numbers from 0 to 65535, one for each test row.")
    if len(packed["predicted"]) != len(packed["labels"]):
        raise ValueError(f"{len(packed['predicted'])} predictions do not go with {len(packed['labels'])} labels.")
    return {name: array.astype(np.uint16) for name, array in packed.items()}
