"""First come, first served, among processes that know nothing of each other: who waits has a ticket.

A ticket is a numbered file that its owner keeps locked for as long as it waits, so that it ends with its owner,
however that ends. No process is asked for by its number, which may have passed to another. A process may also be
suspended, for days: the owner touches its ticket whenever it looks, and is passed over while it does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

SUSPENDED_S = 30.0
"""Who has not looked for so long is passed over until it does; others look every second."""


@contextmanager
def drawn(folder: Path) -> Iterator[Callable[[], bool]]:
    """Wait in the queue of this folder; what is given tells whether nobody who waits was there before."""
    with _alone(folder):
        ticket = folder / f"{_last(folder) + 1:09d}.ticket"
        own = _lock(ticket)
        own.acquire()

    def first() -> bool:
        with _alone(folder):
            with suppress(OSError):
                os.utime(ticket)
            return not any(_waits(other) for other in _all(folder) if other < ticket)

    try:
        yield first
    finally:
        with _alone(folder):
            own.release()
            ticket.unlink(missing_ok=True)


def _alone(folder: Path) -> FileLock:
    """Held for moments, while tickets are drawn, looked at or given back: else two could draw the same number."""
    return _lock(folder / "tickets.lock")


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
            return time.time() - ticket.stat().st_mtime < SUSPENDED_S
    return False
