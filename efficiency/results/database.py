"""Opening the database, and putting its failures in sentences.

SQLite is run in WAL mode: one process writes while others read, which is what a running study and an open
page do. Foreign keys are off in SQLite unless every connection asks for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from efficiency import paths
from efficiency.errors import StoreError
from efficiency.results.tables import FORMAT, LATER, META, ROWS, Base

BUSY_S = 10
"""How long a write waits for another process's write."""

ELSEWHERE = "set EFFICIENCY_DB to another file, for example sqlite:////tmp/efficiency.db"


def address(url: str | None) -> URL:
    """The URL given, or `EFFICIENCY_DB`, or SQLite under `EFFICIENCY_HOME`."""
    given = url or os.environ.get("EFFICIENCY_DB")
    if not given:
        return URL.create("sqlite", database=str(paths.home() / "efficiency.db"))
    try:
        parsed = make_url(given)
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database.startswith("~"):
            return parsed.set(database=os.path.expanduser(parsed.database))  # SQLite would make a folder "~"
        return parsed
    except (SQLAlchemyError, ValueError) as error:
        # The text is not repeated: it may hold a password.
        raise StoreError(
            "EFFICIENCY_DB is not a database URL; write it like sqlite:////absolute/path.db or unset it."
        ) from error


def open_engine(url: URL) -> Engine:
    """An engine whose database is there, is ours, is of our format and can be written; else `StoreError`."""
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
    try:
        engine = create_engine(url, json_serializer=partial(json.dumps, allow_nan=False))
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        raise StoreError(
            f"EFFICIENCY_DB asks for '{url.drivername}', which cannot be used here; install its driver or "
            "write the URL like sqlite:////absolute/path.db."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        with sentences(url):
            _make_or_check_tables(engine, url)
    except StoreError:
        engine.dispose()
        raise
    except (ImportError, ValueError, TypeError) as error:  # a driver that does not take the URL's options
        engine.dispose()
        raise StoreError(_sentence(error, url)) from error
    return engine


def _make_folder(url: URL) -> None:
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise StoreError(
            "EFFICIENCY_DB names a database in memory, which a study's processes cannot share; "
            "write it like sqlite:////absolute/path.db."
        )
    if url.database.startswith("file:"):
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"The folder {folder} cannot be made; set EFFICIENCY_HOME to a folder that you may write to."
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _make_or_check_tables(engine: Engine, url: URL) -> None:
    sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        if sqlite:
            # The write lock, before looking: two processes may be opening a new file at once.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = set(inspect(connection).get_table_names())
        if not found:
            Base.metadata.create_all(connection)
            connection.execute(insert(META), [{"key": "format", "value": FORMAT}, {"key": "writes", "value": 0}])
        else:
            _check(connection, found, url)
            Base.metadata.create_all(connection)  # those that came later
            _add_new_columns(connection)
            # A write that changes nothing: a read-only database is told now, not an hour into a study.
            connection.execute(update(META).where(META.c.key == "").values(value=0))
    if sqlite:
        _write_ahead(engine)


def _write_ahead(engine: Engine) -> None:
    """Sets WAL mode, which is a property of the file.

    The switch needs the file for itself and does not wait for it: waiting while another process that opens the
    file waits too would hold up both for `BUSY_S`. Where it never gets it, the other process has switched.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        for _ in range(20):
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                break
            except OperationalError:
                time.sleep(0.02)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_S * 1000}")


def _check(connection: Connection, found: set[str], url: URL) -> None:
    form = None
    if "meta" in found and {"key", "value"} <= {c["name"] for c in inspect(connection).get_columns("meta")}:
        form = connection.execute(select(META.c.value).where(META.c.key == "format")).scalar()
    if isinstance(form, int) and form > FORMAT:
        raise StoreError(
            f"{place(url)} was written by a newer version of this program (format {form}, this one reads "
            f"{FORMAT}); update the program or {ELSEWHERE}."
        )
    if form != FORMAT or not set(Base.metadata.tables) - LATER <= found:
        raise StoreError(f"{place(url)} is another program's database; {ELSEWHERE}.")


def _add_new_columns(connection: Connection) -> None:
    """Gives `rows` the result columns that came after the database was made; what it holds has them unknown.

    The format stays: an older program names the columns that it reads and writes, and misses none of its own.
    """
    there = {column["name"] for column in inspect(connection).get_columns(ROWS.name)}
    for column in ROWS.columns:
        if column.name not in there and column.nullable:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            table = connection.dialect.identifier_preparer.format_table(ROWS)
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {definition}")


def place(url: URL) -> str:
    """The database for people: a file's path, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return f"The database {url.database}"
    return f"The database {url.render_as_string(hide_password=True)}"


@contextlib.contextmanager
def sentences(url: URL) -> Iterator[None]:
    """Turns whatever the database raises into a `StoreError` that says what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(_sentence(error, url)) from error


def _sentence(error: Exception, url: URL) -> str:
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = said[0] if said else type(error).__name__
    where = place(url)
    known = {
        "is full": f"The disk under {where[0].lower()}{where[1:]} is full; free some space and try again.",
        "readonly": f"{where} is read-only; make it writable or {ELSEWHERE}.",
        "not a database": f"{where} is not an SQLite database; move it away or {ELSEWHERE}.",
        "malformed": f"{where} is damaged; move it away, and import its studies from exported files.",
        "unable to open": f"{where} cannot be opened; make its folder writable or {ELSEWHERE}.",
        "locked": f"{where} was kept busy by another process for {BUSY_S} s; close that one or try again.",
    }
    for words, sentence in known.items():
        if words in reason.lower():
            return sentence
    return f"{where} cannot be used ({reason[:200].rstrip('.')}); mend it or {ELSEWHERE}."
