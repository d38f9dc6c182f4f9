"""One study at a time on a machine."""

from __future__ import annotations

from pathlib import Path

import moody_workload
import pytest

from efficiency.engine import child, train_job, turn
from efficiency.machine import this_machine


class _EnoughOfWaiting(Exception):
    pass


def test_it_is_told_whose_turn_it_is_and_freed_afterwards():
    def waiting(holder: str | None) -> None:
        raise _EnoughOfWaiting(holder)

    assert turn.holder() is None
    with turn.taken("first", waiting):
        assert turn.holder() == "first"
        with pytest.raises(_EnoughOfWaiting, match="first"), turn.taken("second", waiting):
            pass
    assert turn.holder() is None
    with turn.taken("second", waiting):
        assert turn.holder() == "second"


def test_it_is_freed_by_an_error():
    with pytest.raises(ValueError, match="broken"), turn.taken("first", print):
        raise ValueError("broken")
    with turn.taken("second", lambda holder: pytest.fail("still taken")):
        pass


def test_training_waits_until_no_study_runs(home: Path) -> None:
    def waiting(what: str, share: float) -> None:
        raise _EnoughOfWaiting(what)

    child.let_go()  # those forked from an earlier server have another home
    untrained = f"{moody_workload.__file__}:untrained"
    with turn.taken("a-study", pytest.fail), pytest.raises(_EnoughOfWaiting, match="Waiting for the study a-study"):
        train_job.train(untrained, this_machine(), tell=waiting)
    assert not (home / "trained").exists()
    holders: list[str | None] = []
    card = train_job.train(untrained, this_machine(), tell=lambda *told: holders.append(turn.holder()))
    assert set(holders) == {"training of Steady mlp"}
    assert card["accuracy_pct"] > 25
