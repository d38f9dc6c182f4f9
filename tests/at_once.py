"""A whole study into a store at once: a transaction for each part of each row takes longer than the rest of a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from efficiency.results import records
from efficiency.results.store import Store
from efficiency.results.tables import ANSWERS, SAMPLES


@dataclass(frozen=True)
class Row:
    """What `Store.put_row`, `put_samples` and `put_answers` would be given."""

    columns: Mapping[str, Any]
    details: Mapping[str, Any]
    samples: ArrayLike | None = None
    predicted: ArrayLike | None = None
    labels: ArrayLike | None = None


def keep(
    store: Store,
    asked: Mapping[str, Any],
    rows: Iterable[Row],
    *,
    name: str,
    machine: Mapping[str, Any],
    command: str,
    status: str = "done",
) -> str:
    """The study's id."""
    study = records.new_study(asked, name=name, machine=machine, command=command, status=status)
    with store.writing() as connection:
        id = records.insert_study(connection, study)
        for position, row in enumerate(rows):
            values = records.row_values(id, position, row.columns, row.details)
            row_id = records.upsert_row(connection, values)
            if row.samples is not None:
                records.replace(connection, SAMPLES, row_id, {"columns": records.pack_samples(row.samples)})
            if row.predicted is not None and row.labels is not None:
                records.replace(connection, ANSWERS, row_id, records.pack_answers(row.predicted, row.labels))
    return id
