"""One study at a time on a machine."""

from __future__ import annotations

import pytest

from efficiency.engine import turn


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
