"""Studies as documents: CSV for spreadsheets, JSON for everything, raw samples included.

What is imported comes from strangers: it is bounded while it is unpacked, checked before it is believed, and
kept in one transaction.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from sqlalchemy import Connection, insert, select

from efficiency import paths
from efficiency.errors import BadRequest, StoreError
from efficiency.results import frames, records, schema
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.results.tables import ANSWERS, META, ROWS, SAMPLES, STUDIES
from efficiency.results.values import cells

LIMIT_MB = 256
"""Of a document once unpacked: five times a `full` study, and no more than a small machine can hold."""

EXAMPLE_DONE = "example_imported"


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Six digits are more than any of these measurements has; `repr` writes no exponent below 10^16.
        return repr(float(f"{value:.6g}")).removesuffix(".0")
    return str(value)


def to_csv(store: Store, ids: Sequence[str], row_ids: Collection[int] | None = None) -> str:
    """The rows of these studies, or those of them in `row_ids`; exactly the contract's columns.

    Raises `UnknownName`.
    """
    wanted = None if row_ids is None else set(row_ids)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for id in dict.fromkeys(ids):
        store.study(id)
        query = select(ROWS.c.id, *frames.columns_of_row()).where(ROWS.c.study_id == id).order_by(ROWS.c.position)
        with store.reading() as connection:
            for row_id, *values in connection.execute(query):
                if wanted is None or row_id in wanted:
                    writer.writerow([_csv_cell(value) for value in values])
    return text.getvalue()


def to_json(store: Store, id: str) -> dict[str, Any]:
    """Everything that is kept of a study, ready for `json.dumps`; raises `UnknownName`."""
    query = select(ROWS.c.id, ROWS.c.details, *frames.columns_of_row()).where(ROWS.c.study_id == id)
    with store.reading() as connection:
        study = asdict(store.study_on(connection, id))
        del study["example"]  # says how it came into this database, not what it is
        rows = [
            {
                "columns": dict(zip(COLUMNS, values, strict=True)),
                "details": details,
                "samples": _samples(connection, row_id),
                "answers": _answers(connection, row_id),
            }
            for row_id, details, *values in connection.execute(query.order_by(ROWS.c.position)).all()
        ]
    return {"format": schema.FORMAT, "format_version": schema.FORMAT_VERSION, "study": study, "rows": rows}


def _samples(connection: Connection, row_id: int) -> dict[str, list[int]] | None:
    raw = frames.raw_samples(connection, row_id)
    return None if raw is None else dict(zip(("replicate", "round", "ns"), raw.tolist(), strict=True))


def _answers(connection: Connection, row_id: int) -> dict[str, list[int]] | None:
    raw = frames.raw_answers(connection, row_id)
    return None if raw is None else {"predicted": raw[0].tolist(), "labels": raw[1].tolist()}


def from_json(store: Store, document: Mapping[str, Any]) -> str:
    """Keeps the study of a document and returns its id, a new one where that id is taken.

    Raises `BadRequest` for a foreign, newer or broken document and for a study that is here already; nothing is kept
    of either. A study that was exported while it ran is `interrupted` here: nobody is working on it.
    """
    checked = schema.parse(document)
    with store.writing() as connection:
        if (kept := _same(connection, checked)) is not None:
            id, name = kept
            raise BadRequest(f"This study is here already, as {name or 'unnamed'} ({id}).")
        return _insert(connection, checked, example=False)


def _same(connection: Connection, document: schema.Document) -> tuple[str, str] | None:
    """Id and name of a study that was recorded as this one was, with the same rows, whatever it is called; or None."""
    study = document.study
    query = select(STUDIES.c.id, STUDIES.c.name, STUDIES.c.machine).where(
        STUDIES.c.recorded_at == study.recorded_at, STUDIES.c.command == study.command
    )
    columns = [ROWS.c[name] for name in COLUMNS if name != "study"]
    for id, name, machine in connection.execute(query).all():
        if machine.get("key") != study.machine.get("key"):
            continue
        kept = connection.execute(select(*columns).where(ROWS.c.study_id == id).order_by(ROWS.c.position)).all()
        if len(kept) != len(document.rows):
            continue
        rows = (row.columns.model_dump() | {"study": id} for row in document.rows)  # type: ignore[attr-defined]
        if all(tuple(ours) == tuple(cells(row, id).values()) for ours, row in zip(kept, rows, strict=True)):
            return str(id), str(name)
    return None


def _insert(connection: Connection, document: schema.Document, *, example: bool) -> str:
    study = document.study.model_dump() | {"example": example}
    if study["status"] in {"queued", "running"}:
        study |= {"status": "interrupted", "message": "It had not finished when it was exported."}
    id = records.insert_study(connection, study)
    for position, row in enumerate(document.rows):
        columns = row.columns.model_dump() | {"study": id}  # type: ignore[attr-defined]
        row_id = records.upsert_row(connection, records.row_values(id, position, columns, row.details))
        if row.samples is not None:
            samples = np.array([row.samples.replicate, row.samples.round, row.samples.ns], np.int64)
            records.replace(connection, SAMPLES, row_id, {"columns": records.pack_samples(samples.T)})
        if row.answers is not None:
            predicted, labels = np.array([row.answers.predicted, row.answers.labels], np.uint16)
            records.replace(connection, ANSWERS, row_id, records.pack_answers(predicted, labels))
    return id


def read_file(source: str | Path | bytes, limit_mb: float = LIMIT_MB) -> dict[str, Any]:
    """The document in a `.json` or `.json.gz` file, or in the bytes of one; raises `BadRequest`.

    Whether it is packed is told by its first bytes, and no more than `limit_mb` is ever unpacked.
    """
    limit = int(limit_mb * 1e6)
    name = "The file" if isinstance(source, bytes) else f"The file {source}"
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            content = gzip.GzipFile(fileobj=file).read(limit + 1) if packed else file.read(limit + 1)
    except FileNotFoundError as error:
        raise BadRequest(f"{name} does not exist; check its path.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadRequest(f"{name} is cut off or damaged; copy or export it again.") from error
    except (OSError, ValueError) as error:
        raise BadRequest(f"{name} cannot be read; check that it is a file and that you may read it.") from error
    if len(content) > limit:
        raise BadRequest(f"{name} holds more than {limit_mb:g} MB; a study is smaller, so choose another file.")
    try:
        document = json.loads(content, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not JSON; choose a .json or .json.gz file that an export wrote.") from error
    if not isinstance(document, dict):
        raise BadRequest(f"{name} is not a study of this program; choose a JSON file that its export wrote.")
    return document


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def open_with_example() -> Store:
    """The store by default, with the shipped example in it: for whoever shows what it holds; raises `StoreError`."""
    store = Store.open()
    ensure_example(store)
    return store


def ensure_example(store: Store) -> None:
    """Imports the shipped example the first time; a user who deletes it does not get it back."""
    asked_before = select(META.c.value).where(META.c.key == EXAMPLE_DONE)
    with store.reading() as connection:
        if connection.execute(asked_before).scalar() is not None:
            return
    if not paths.EXAMPLE.is_file():
        return
    try:
        document = schema.parse(read_file(paths.EXAMPLE))
    except BadRequest as error:
        raise StoreError(
            f"The shipped example, {paths.EXAMPLE}, is damaged: fetch it again, or remove it. {error}"
        ) from error
    with store.writing() as connection:
        # Again, now that the write lock is held: another process may have been as quick.
        if connection.execute(asked_before).scalar() is None:
            connection.execute(insert(META).values(key=EXAMPLE_DONE, value=1))
            _insert(connection, document, example=True)
