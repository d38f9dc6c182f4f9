"""Measuring what the machine can do, in the background, for the pages."""

from __future__ import annotations

from efficiency import ceiling
from efficiency.engine.background import Background
from efficiency.machine import this_machine

JOB = Background("machine")
_before: list[str | None] = [None]
"""When what was known before the last start was measured."""


def _measured_at() -> str | None:
    found = ceiling.known(this_machine().key)
    return None if found is None else found.measured_at


def start() -> None:
    """Start `python -m efficiency machine`, unless it runs already."""
    if not JOB.running():
        _before[0] = _measured_at()
        JOB.start(["machine", "--json", "-"])


def running() -> bool:
    """Whether it is being measured now."""
    return JOB.running()


def failure() -> str | None:
    """Why the last try came to nothing, in a sentence; None where it did not."""
    if JOB.ended() is None or _measured_at() != _before[0]:
        return None
    return f"It could not be measured. {JOB.last_words()}"
