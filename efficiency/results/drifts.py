"""Measurements of drift in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from efficiency.results.store import Store
from efficiency.results.tables import DRIFTS


@dataclass(frozen=True)
class DriftRecord:
    """One measurement: every variant of a workload under every shift and grade."""

    number: int
    recorded_at: str
    """ISO 8601 in UTC."""
    workload: str
    dataset: str
    machine: dict[str, Any]
    torch_version: str
    asked: dict[str, Any]
    cells: list[dict[str, Any]]
    """As the probes sent them, with the `variant` they are of; or with the `reason` why a variant has none."""

    @property
    def test_rows(self) -> int:
        return int(self.asked["test_rows"])


_FIELDS = tuple(DRIFTS.c[name] for name in DriftRecord.__dataclass_fields__)


def keep(
    store: Store,
    *,
    workload: str,
    dataset: str,
    machine: Mapping[str, Any],
    asked: Mapping[str, Any],
    cells: Sequence[Mapping[str, Any]],
) -> int:
    """Keeps a measurement and returns its number."""
    with store.writing() as connection:
        done = connection.execute(
            insert(DRIFTS).values(
                recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
                workload=workload,
                dataset=dataset,
                machine=dict(machine),
                torch_version=str(machine["torch_version"]),
                asked=dict(asked),
                cells=[dict(cell) for cell in cells],
            )
        )
        return int(done.inserted_primary_key[0])  # type: ignore[index]


def get(store: Store, number: int) -> DriftRecord:
    """The measurement of that number, which `keep` gave."""
    with store.reading() as connection:
        line = connection.execute(select(*_FIELDS).where(DRIFTS.c.number == number)).one()
    return DriftRecord(**line._mapping)


def known(store: Store, workload: str | None = None, machine_key: str | None = None) -> list[DriftRecord]:
    """The measurement of most test rows of each workload and data set, the newest where several are; newest first.

    So a short one does not stand in place of a thorough one. Of one workload or machine where named.
    """
    query = select(*_FIELDS).order_by(DRIFTS.c.number.desc())
    if workload is not None:
        query = query.where(DRIFTS.c.workload == workload)
    found: dict[tuple[object, ...], DriftRecord] = {}
    with store.reading() as connection:
        for line in connection.execute(query):
            if machine_key in (None, line.machine.get("key")):
                record = DriftRecord(**line._mapping)
                place = (record.workload, record.dataset, record.machine.get("key"), record.torch_version)
                if place not in found or found[place].test_rows < record.test_rows:
                    found[place] = record
    return sorted(found.values(), key=lambda record: record.number, reverse=True)
