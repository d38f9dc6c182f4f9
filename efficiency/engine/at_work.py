"""Which variant a replicate is at, told in one byte that outlives it: if it dies, that one is the suspect.

A byte of shared memory is written before every visit, since a message would wake the parent beside what is timed.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

NOBODY = 255


def marker(file: Path) -> Callable[[int], None]:
    """In the child: a function that notes the place of the variant in the heat, or `NOBODY`."""
    file.write_bytes(bytes([NOBODY]))
    with file.open("r+b") as opened:
        byte = mmap.mmap(opened.fileno(), 1)

    def mark(place: int) -> None:
        byte[0] = min(place, NOBODY)

    return mark


def read(file: Path) -> int | None:
    """In the parent: the place that was noted last, or None."""
    try:
        place = file.read_bytes()[0]
    except (OSError, IndexError):
        return None
    return None if place == NOBODY else place
