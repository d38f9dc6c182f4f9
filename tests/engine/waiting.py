"""Waiting for something another process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(happened: Callable[[], object], timeout_s: float = 120.0) -> bool:
    """Whether it happens in time; generous, since it only decides how long a failure takes."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
