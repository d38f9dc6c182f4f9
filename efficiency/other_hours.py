"""What a row's speed-up should be at another hour, from what other studies of the same machine found of the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from efficiency.analysis import any_hour
from efficiency.results.store import Store


def said(store: Store, row: Mapping[Any, Any]) -> str:
    """In a sentence; empty where it is not known."""
    confirms = store.study(str(row["study_id"])).asked.get("confirms")
    others = any_hour.telling(store.repeated(int(row["row_id"])), confirms, store.details)
    return any_hour.said(row, others["speedup"].to_list())
