"""The database's tables.

    meta      numbers by name: the format, a count of writes, whether the example was imported
    studies   what was asked, on which machine, and how it stands
    rows      a variant of a workload under a condition: the CSV's columns, typed, and a JSON of details
    samples   what the clock said: replicate, round and nanoseconds of every timed call of a row
    answers   what the model said: prediction and label of every test row
    drifts    what shifts of the data did to the variants of a workload

Statistics in `rows` are derived from `samples` and `answers` and can be derived again. Deleting a study
deletes all below it. Every type is one that any SQLAlchemy database has.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from efficiency.results.columns import COLUMNS, Kind

FORMAT = 1
"""Grows when a table changes in a way that an older program would misread."""

STUDY_STATUSES = ("queued", "running", "done", "failed", "cancelled", "interrupted")


class PackedArray(TypeDecorator[NDArray[Any]]):
    """A flat array as zlib-compressed little-endian numbers: a tenth of its JSON, the same on every machine."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.dtype = dtype

    def process_bind_param(self, value: NDArray[Any] | None, dialect: Dialect) -> bytes | None:
        return None if value is None else zlib.compress(np.ascontiguousarray(value, self.dtype).tobytes(), 6)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> NDArray[Any] | None:
        return None if value is None else np.frombuffer(zlib.decompress(value), self.dtype)


class Base(DeclarativeBase):
    """All tables of the store."""


class Meta(Base):
    """A number that belongs to the database as a whole."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class StudyTable(Base):
    """A study: asked once, then changed only in name, status and message."""

    __tablename__ = "studies"
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Order of arrival: it decides between studies that were recorded in the same second."""
    id: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    machine: Mapped[dict[str, Any]] = mapped_column(JSON)
    torch_version: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    command: Mapped[str] = mapped_column(Text)
    example: Mapped[bool] = mapped_column(Boolean)


def _column(name: str, kind: Kind) -> Column[Any]:
    types: dict[Kind, TypeEngine[Any]] = {
        "text": Text(),
        "number": Float(53),
        "whole": BigInteger(),
        "flag": Boolean(),
    }
    return Column(name, types[kind], nullable=True)


class RowTable(Base):
    """A row of results. NULL is "unknown", which is not 0.

    The columns come from `columns.COLUMNS`, so that the contract stands in one place; `study` is not among
    them, since it is the study's id.
    """

    __table__ = Table(
        "rows",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("study_id", String(80), ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
        Column("position", Integer, nullable=False),
        *(_column(name, kind) for name, kind in COLUMNS.items() if name != "study"),
        Column("details", JSON, nullable=False),
        UniqueConstraint("study_id", "position"),
    )


class SamplesTable(Base):
    """Raw latency of a row: for each timed call its replicate, its round and its nanoseconds."""

    __tablename__ = "samples"
    row_id: Mapped[int] = mapped_column(ForeignKey("rows.id", ondelete="CASCADE"), primary_key=True)
    columns: Mapped[NDArray[Any]] = mapped_column(PackedArray("<i8"))
    """All replicates, then all rounds, then all nanoseconds: like beside like compresses best."""


class AnswersTable(Base):
    """Class that the model gave each test row, and the class that is right, in the order of the test set."""

    __tablename__ = "answers"
    row_id: Mapped[int] = mapped_column(ForeignKey("rows.id", ondelete="CASCADE"), primary_key=True)
    predicted: Mapped[NDArray[Any]] = mapped_column(PackedArray("<u2"))
    labels: Mapped[NDArray[Any]] = mapped_column(PackedArray("<u2"))


class DriftTable(Base):
    """What shifts of the data did to a workload's variants: a document a measurement, which no study owns."""

    __tablename__ = "drifts"
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    recorded_at: Mapped[str] = mapped_column(String(40))
    workload: Mapped[str] = mapped_column(Text)
    dataset: Mapped[str] = mapped_column(Text)
    machine: Mapped[dict[str, Any]] = mapped_column(JSON)
    torch_version: Mapped[str] = mapped_column(Text)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    cells: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


META = Base.metadata.tables["meta"]
STUDIES = Base.metadata.tables["studies"]
ROWS = Base.metadata.tables["rows"]
SAMPLES = Base.metadata.tables["samples"]
ANSWERS = Base.metadata.tables["answers"]
DRIFTS = Base.metadata.tables["drifts"]
LATER = {DRIFTS.name}
"""Tables that came after the first: a database without them gains them."""
