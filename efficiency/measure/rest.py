"""Threads at rest: none of this process computes, or spins in wait for more work, but the one that asks.

An engine's threads spin for a while after a call, so that the next one finds them awake: PyTorch's OpenMP for some ten
milliseconds, which is a whole visit. A variant that computes with the same threads is not held up by that; one that has
threads of its own would have to share the cores with them. Linux alone tells what a thread does.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

PATIENCE_S = 0.25
"""Threads that are busy for longer do not spin: they have work."""
UNTOLD_S = 0.02
"""What is waited where no system tells of threads: as long as GNU's OpenMP spins."""
_TASKS = Path("/proc/self/task")
_TOLD = _TASKS.is_dir()


def wait() -> None:
    """Return when all other threads of this process rest, or after `PATIENCE_S`; awake all the while, to stay fast."""
    own, started = str(threading.get_native_id()), time.monotonic()
    while time.monotonic() - started < (PATIENCE_S if _TOLD else UNTOLD_S):
        if _TOLD and not any(_runs(task) for task in os.listdir(_TASKS) if task != own):
            break


def _runs(task: str) -> bool:
    """Whether the thread is on a core, or waits for one."""
    try:
        told = (_TASKS / task / "stat").read_bytes()
    except OSError:  # it has ended meanwhile
        return False
    return told[told.rindex(b")") + 2 :].startswith(b"R")  # the state is what follows the name, which is in brackets
