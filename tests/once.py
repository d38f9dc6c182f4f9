"""What takes long and is the same for all: the test process that asks first makes it, and the others wait for it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = "EFFICIENCY_TESTS_SHARE"
"""The variable that names the folder that all test processes of a run share; `conftest.py` sets it."""


def made(name: str, make: Callable[[], Any]) -> Any:
    """A document, as JSON gives it back."""
    folder = Path(os.environ[FOLDER])
    file = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_text(json.dumps(make()))
    return json.loads(file.read_text())
