"""The rows of studies as Parquet: typed, so that nothing has to be guessed, and an unknown is null."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import select

from efficiency.results import frames
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.results.tables import ROWS

TYPES = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64(), "flag": pa.bool_()}


def to_parquet(store: Store, ids: Sequence[str]) -> bytes:
    """The rows of these studies, exactly the CSV's columns in their order; raises `UnknownName`."""
    found = []
    with store.reading() as connection:
        for id in dict.fromkeys(ids):
            store.study_on(connection, id)
            query = select(*frames.columns_of_row()).where(ROWS.c.study_id == id).order_by(ROWS.c.position)
            found += list(connection.execute(query).all())
    values = zip(*found, strict=True) if found else [()] * len(COLUMNS)
    columns = {
        name: pa.array(column, TYPES[kind]) for (name, kind), column in zip(COLUMNS.items(), values, strict=True)
    }
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()
