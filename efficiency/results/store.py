"""The store: studies, their rows, and the raw samples and answers the rows are derived from.

Several processes use it at once: a job writes while the pages read. So every method is a transaction of its
own, short, and `version` counts the writes of all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike
from sqlalchemy import Connection, Engine, delete, literal, select, update

from efficiency.errors import UnknownName
from efficiency.results import database, frames, records
from efficiency.results.tables import ANSWERS, META, ROWS, SAMPLES, STUDIES, STUDY_STATUSES
from efficiency.results.values import text


@dataclass(frozen=True)
class StudyRecord:
    """A study as it is kept: what was asked, where, and how it stands."""

    id: str
    name: str
    recorded_at: str
    """When it was asked, ISO 8601 in UTC."""
    status: str
    """`queued`, `running`, `done`, `failed`, `cancelled` or `interrupted`."""
    message: str
    """A sentence for people where the status needs one."""
    asked: dict[str, Any]
    """`Study.as_dict()`."""
    machine: dict[str, Any]
    """`Machine.as_dict()` of the machine it ran on."""
    torch_version: str
    version: str
    """Of this program, when the study was asked."""
    command: str
    example: bool
    """Shipped with the program, not measured here."""


class Store:
    """All studies of one database. Open it with `Store.open`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str | None = None) -> Store:
        """The store at an SQLAlchemy URL; by default `EFFICIENCY_DB`, else a file under `EFFICIENCY_HOME`.

        Makes the folder and the tables where there are none. Raises `StoreError` where that cannot be done.
        """
        return cls(database.open_engine(database.address(url)))

    def close(self) -> None:
        """Lets go of the database's files."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; on SQLite all that is read on it is of one moment."""
        with database.sentences(self._engine.url), self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # which Python's driver leaves out before a SELECT
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or, where anything is raised inside, none."""
        with database.sentences(self._engine.url), self._engine.begin() as connection:
            # First, so that SQLite takes its write lock now: taken after a read, it could be refused at once.
            connection.execute(update(META).where(META.c.key == "writes").values(value=META.c.value + 1))
            yield connection

    def version(self) -> int:
        """Grows with every write of any process: a key for caches."""
        with self.reading() as connection:
            return int(connection.execute(select(META.c.value).where(META.c.key == "writes")).scalar_one())

    # Studies

    def add_study(
        self,
        asked: Mapping[str, Any],
        *,
        name: str,
        machine: Mapping[str, Any],
        command: str,
        status: str = "queued",
    ) -> str:
        """Keeps a new study and returns its id."""
        values = records.new_study(asked, name=name, machine=machine, command=command, status=status)
        with self.writing() as connection:
            return records.insert_study(connection, values)

    def study(self, id: str) -> StudyRecord:
        """The study of that id; raises `UnknownName`."""
        with self.reading() as connection:
            return self.study_on(connection, id)

    def study_on(self, connection: Connection, id: str) -> StudyRecord:
        """As `study`, together with what else is read on this connection."""
        query = select(*(STUDIES.c[name] for name in StudyRecord.__dataclass_fields__))
        found = connection.execute(query.where(STUDIES.c.id == text(str(id)))).one_or_none()
        if found is None:
            raise self._unknown(connection, id)
        return StudyRecord(**found._mapping)

    def studies(self) -> pd.DataFrame:
        """One line a study, newest first; `rows` counts those that are done."""
        with self.reading() as connection:
            return frames.studies(connection)

    def tried(self) -> dict[tuple[str, str], frozenset[str]]:
        """By (study, workload) which variants of it are done, under whatever condition."""
        with self.reading() as connection:
            return frames.tried(connection)

    def timed(self, id: str, columns: Sequence[str]) -> set[tuple[Any, ...]]:
        """What these columns hold in a study's rows that are done and have a speed-up, each once; unknown is None."""
        with self.reading() as connection:
            return frames.timed(connection, text(str(id)), columns)

    def repeated(self, row_id: int) -> pd.DataFrame:
        """What other studies of the same machine, by the same version of this program, found of what this row measured,
        the newest first: `row_id`, `study_id`, `speedup`, `warnings` and `replicates` of a row each."""
        with self.reading() as connection:
            return frames.repeated(connection, int(row_id))

    def earlier(self, id: str, other: str) -> pd.DataFrame:
        """What studies of the same machine, by the same version of this program, had found of the same as the rows `of`
        a study before either of these two was recorded; columns as `repeated` has them."""
        with self.reading() as connection:
            return frames.earlier(connection, text(str(id)), text(str(other)))

    def set_status(self, id: str, status: str, message: str = "") -> None:
        """Says how a study stands."""
        if status not in STUDY_STATUSES:
            raise ValueError(f"A study's status is one of {', '.join(STUDY_STATUSES)}, not {status!r}.")
        self._change(id, status=status, message=text(message))

    def rename(self, id: str, name: str) -> None:
        """Gives a study another name; its id stays."""
        self._change(id, name=text(name).strip())

    def delete(self, id: str) -> None:
        """Removes a study with its rows, samples and answers."""
        with self.writing() as connection:
            if not connection.execute(delete(STUDIES).where(STUDIES.c.id == text(str(id)))).rowcount:
                raise self._unknown(connection, id)

    def _change(self, id: str, **values: str) -> None:
        with self.writing() as connection:
            changed = connection.execute(update(STUDIES).where(STUDIES.c.id == text(str(id))).values(**values))
            if not changed.rowcount:
                raise self._unknown(connection, id)

    def _unknown(self, connection: Connection, id: str) -> UnknownName:
        known = list(connection.execute(select(STUDIES.c.id).order_by(*frames.NEWEST_FIRST).limit(5)).scalars())
        shown = ascii(str(id)[:60])[1:-1] + ("…" if len(str(id)) > 60 else "")
        return UnknownName("study", shown, known or ["(none yet)"])

    # Rows

    def put_row(self, study_id: str, position: int, row: Mapping[str, Any], details: Mapping[str, Any]) -> int:
        """Keeps the row at a position of its study, in place of the one that was there; returns the row's id.

        Columns that `row` does not name, and NaN, are unknown. Samples and answers stay. Raises `ValueError`
        for a column that `COLUMNS` does not have or a value of another type.
        """
        values = records.row_values(study_id, position, row, details)
        with self.writing() as connection:
            if not connection.execute(select(literal(1)).where(STUDIES.c.id == values["study_id"])).scalar():
                raise self._unknown(connection, study_id)  # deleted while it ran
            return records.upsert_row(connection, values)

    def put_samples(self, row_id: int, samples: ArrayLike) -> None:
        """Keeps a row's raw latencies, int64 [calls, 3]: replicate, round, nanoseconds."""
        values = {"columns": records.pack_samples(samples)}
        with self.writing() as connection:
            records.replace(connection, SAMPLES, row_id, values)

    def put_answers(self, row_id: int, predicted: ArrayLike, labels: ArrayLike) -> None:
        """Keeps what the model answered and what is right, class numbers [test rows] each."""
        values = records.pack_answers(predicted, labels)
        with self.writing() as connection:
            records.replace(connection, ANSWERS, row_id, values)

    def rows(self, ids: Sequence[str] | None = None) -> pd.DataFrame:
        """The rows of these studies in the order of `ids`, or of all studies, oldest first.

        `row_id`, `study_id` and `position`, then the CSV's columns. Unknown is NaN or NA; a study that is
        not there (any more) has no rows.
        """
        with self.reading() as connection:
            return frames.rows(connection, ids)

    def details(self, row_id: int) -> dict[str, Any]:
        """What the columns have no place for: evidence, warnings, seconds spent."""
        with self.reading() as connection:
            found = connection.execute(select(ROWS.c.details).where(ROWS.c.id == int(row_id))).scalar_one_or_none()
            if found is None:
                raise records.no_such_row(row_id)
            return dict(found)

    def samples(self, row_id: int) -> pd.DataFrame:
        """Every timed call of a row: `replicate`, `round`, `latency_ms`; empty where none is kept."""
        with self.reading() as connection:
            return frames.samples(connection, int(row_id))

    def answers(self, row_id: int) -> pd.DataFrame:
        """For every test row what the model `predicted` and its `label`; empty where none is kept."""
        with self.reading() as connection:
            return frames.answers(connection, int(row_id))
