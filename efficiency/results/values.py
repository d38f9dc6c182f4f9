"""Values on their way into the database: NumPy's and Python's become plain ones, and unknown becomes None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from efficiency.results.columns import COLUMNS, STATUSES, Kind

LONGEST_NAME = 200
"""Characters of a study's name."""
LARGEST = 2**63 - 1
"""Whole numbers beyond this fit no database."""


def text(value: str) -> str:
    """Text that UTF-8 can hold: a path may carry bytes that it cannot."""
    return value.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """The value as strict JSON can hold it; NaN and infinity become None, since JSON has neither."""
    if isinstance(value, Mapping):
        return {text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | int):
        return value
    return text(str(value))


def _is_unknown(value: Any) -> bool:
    # pandas.NA and NaT are neither equal to anything nor floats, but both are told by their type.
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def cell(name: str, value: Any) -> str | float | int | bool | None:
    """The value of one column, typed as `COLUMNS` has it; raises `ValueError` where it is of another type."""
    kind: Kind = COLUMNS[name]
    value = value.item() if isinstance(value, np.generic) else value
    if _is_unknown(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if kind == "text" and isinstance(value, str):
        return text(value)
    if kind == "flag" and isinstance(value, bool):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if kind == "number":
            return float(value)
        if kind == "whole" and value == int(value) and abs(value) <= LARGEST:
            return int(value)
    raise ValueError(f"The column '{name}' holds a {kind}, not {value!r}.")


def cells(row: Mapping[str, Any], study_id: str) -> dict[str, str | float | int | bool | None]:
    """Every column of a row except `study`, which is derived; what the row does not name is None."""
    if unknown := sorted(set(row) - set(COLUMNS)):
        raise ValueError(f"A row has no column '{unknown[0]}'.")
    if row.get("study") not in (None, study_id):
        raise ValueError(f"The row says that it is of study '{row['study']}', not '{study_id}'.")
    if row.get("status") not in (None, *STATUSES):
        raise ValueError(f"A row's status is one of {', '.join(STATUSES)}, not {row['status']!r}.")
    return {name: cell(name, row.get(name)) for name in COLUMNS if name != "study"}
