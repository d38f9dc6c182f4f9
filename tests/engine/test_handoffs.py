"""What the studies of a machine know of its handoffs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from efficiency.engine import handoffs
from efficiency.results.store import Store
from efficiency.results.tables import STUDIES

NEAR, FAR = 7_000, 10_000
"""Nanoseconds of a handoff, as seen on a shared machine in two states that lasted for minutes."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as opened:
        yield opened


def pulse(ns: int, **others: Any) -> dict[str, Any]:
    rounds = list(range(40))
    return {"replicate": [0] * 40, "round": rounds, "handoff_ns": [ns] * 40, "best_ns": 1.0} | others


def study(store: Store, felt: Any, *, key: str = "mine", **columns: Any) -> str:
    id = store.add_study({}, name="", machine={"key": key}, command="", status="done")
    row = {"variant": "baseline", "device": "cpu", "threads": 2, "status": "done"} | columns
    store.put_row(id, 0, row, {"pulse": felt})
    return id


def test_the_least_of_any_study_with_as_many_threads(store: Store) -> None:
    assert handoffs.undisturbed_ns(store, "mine") == {}
    study(store, pulse(FAR))
    assert handoffs.undisturbed_ns(store, "mine") == {2: FAR}, "Not what it knew from others, which is `best_ns`."
    study(store, pulse(NEAR))
    study(store, pulse(FAR), threads=1)
    assert handoffs.undisturbed_ns(store, "mine") == {1: FAR, 2: NEAR}


def test_a_stroke_of_luck_is_not_what_it_takes(store: Store) -> None:
    study(store, pulse(0, handoff_ns=[NEAR // 7] + [NEAR] * 39))
    assert handoffs.undisturbed_ns(store, "mine") == {2: NEAR}


@pytest.mark.parametrize(
    ("felt", "others"),
    [
        (pulse(NEAR), {"key": "another"}),
        (pulse(NEAR), {"variant": "dynamic-int8"}),
        (pulse(NEAR), {"device": "cuda"}),
        (pulse(0), {}),
        (pulse(NEAR, handoff_ns=[]), {}),
        (pulse(NEAR, handoff_ns="soon"), {}),
        (pulse(NEAR, handoff_ns=[[NEAR, NEAR]] * 40), {}),
        (pulse(NEAR, round=None), {}),
        (None, {}),
    ],
)
def test_what_says_nothing_of_this_machine(store: Store, felt: Any, others: dict[str, Any]) -> None:
    study(store, felt, **others)
    assert handoffs.undisturbed_ns(store, "mine") == {}


def test_what_was_is_forgotten_after_a_day(store: Store) -> None:
    """Else a guest that was moved to a slower host would be called disturbed for ever."""
    old = study(store, pulse(NEAR))
    study(store, pulse(FAR))
    for hours, known in ((23, NEAR), (25, FAR)):
        at = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="seconds")
        with store.writing() as connection:
            connection.execute(update(STUDIES).where(STUDIES.c.id == old).values(recorded_at=at))
        assert handoffs.undisturbed_ns(store, "mine") == {2: known}
