"""What a row's speed-up should be at another hour, from what other studies of the same machine found of the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from efficiency.analysis import any_hour, disturbance
from efficiency.results.store import Store


def said(store: Store, row: Mapping[Any, Any]) -> str:
    """In a sentence; empty where it is not known. A study that was timed at a bad moment tells nothing of hours, and
    the one that a confirmation confirms named its row since it was fast there."""
    others = store.repeated(int(row["row_id"]))
    confirmed = str(store.study(str(row["study_id"])).asked.get("confirms") or "")
    others = disturbance.undisturbed(others[others["study_id"] != confirmed], store.details)
    return any_hour.said(row, others["speedup"].to_list())
