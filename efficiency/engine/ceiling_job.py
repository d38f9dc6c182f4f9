"""Measuring what the machine can do, in the background, for the pages. No torch, no waiting."""

from __future__ import annotations

import os
import subprocess
import sys

from efficiency import ceiling, paths
from efficiency.machine import this_machine

_started: list[tuple[subprocess.Popen[bytes], str | None]] = []
"""The last process of this server, with the time of what was known before it; at most one."""


def _measured_at() -> str | None:
    found = ceiling.known(this_machine().key)
    return None if found is None else found.measured_at


def start() -> None:
    """Start `python -m efficiency machine`, unless it runs already."""
    if running():
        return
    folder = paths.home() / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    search = os.pathsep.join(filter(None, (str(paths.PROJECT), os.environ.get("PYTHONPATH"))))
    with (folder / "machine.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "efficiency", "machine", "--json", "-"],
            env=os.environ | {"PYTHONPATH": search},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    _started[:] = [(process, _measured_at())]


def running() -> bool:
    """Whether it is being measured now, by a click on any session of this server."""
    return bool(_started) and _started[0][0].poll() is None


def failure() -> str | None:
    """Why the last try came to nothing, in a sentence; None where it did not."""
    if not _started or running() or _measured_at() != _started[0][1]:
        return None
    try:
        lines = (paths.home() / "jobs" / "machine.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    said = lines[-1].removeprefix("Error: ") if lines else "Its process ended without a word; try again."
    return f"It could not be measured. {said[:300]}"
