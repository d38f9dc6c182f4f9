"""First come, first served, among processes that know nothing of each other: who waits has a ticket.

A ticket is a numbered file that its owner keeps locked for as long as it waits, so that it ends with its owner,
however that ends. No process is asked for by its number, which may have passed to another. A process may also be
suspended, for days: the owner touches its ticket whenever it looks, and is passed over while it does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

SUSPENDED_S = 30.0
"""Who has not looked for so long is passed over until it does; others look every second."""
LOOK_S = 5.0
"""A look takes a fraction of a millisecond. One that takes longer is of a process that was suspended in it: then the
order is given up, rather than the turn."""


@contextmanager
def drawn(folder: Path) -> Iterator[Callable[[], bool]]:
    """Wait in the queue of this folder; what is given tells whether nobody who waits was there before."""
    place = _Place(folder)
    try:
        place.first()
        yield place.first
    finally:
        place.leave()


class _Place:
    """In the queue, from the first look that succeeds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: FileLock | None = None

    def first(self) -> bool:
        try:
            with self._alone():
                ticket = self._ticket()
                with suppress(OSError):
                    os.utime(ticket)
                return not any(_waits(other) for other in _all(self._folder) if other < ticket)
        except Timeout:
            return True

    def leave(self) -> None:
        if self._own is None:
            return
        self._own.release()
        with suppress(Timeout), self._alone():  # else it goes with the next look: nobody holds it
            Path(self._own.lock_file).unlink(missing_ok=True)

    def _ticket(self) -> Path:
        """Drawn, where that was not done yet."""
        if self._own is None:
            self._own = _lock(self._folder / f"{_last(self._folder) + 1:09d}.ticket")
            self._own.acquire()
        return Path(self._own.lock_file)

    def _alone(self) -> AbstractContextManager[object]:
        """For a moment, while tickets are drawn, looked at or given back: else two could draw the same number."""
        return _lock(self._folder / "tickets.lock").acquire(timeout=LOOK_S)


def _lock(file: Path) -> FileLock:
    return FileLock(file, mode=0o666)  # other users of the machine look at it, too


def _all(folder: Path) -> list[Path]:
    """The first of them first."""
    return sorted(folder.glob("*.ticket"))


def _last(folder: Path) -> int:
    return max((int(ticket.stem) for ticket in _all(folder) if ticket.stem.isdecimal()), default=0)


def _waits(ticket: Path) -> bool:
    """Whether its owner does; a ticket that nobody holds was left by a process that has died, and is removed."""
    try:
        with _lock(ticket).acquire(timeout=0):
            pass
        ticket.unlink(missing_ok=True)
    except OSError:  # a `Timeout` is one
        with suppress(OSError):
            return abs(time.time() - ticket.stat().st_mtime) < SUSPENDED_S
    return False
