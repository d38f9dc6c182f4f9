"""How a study stands, as a small JSON file that any process may read."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

from efficiency import paths


@dataclass(frozen=True)
class Progress:
    """`state` is queued, running, done, failed, cancelled or interrupted."""

    study_id: str
    state: str
    now: str = ""
    """What is being done, for people."""
    done: int = 0
    total: int = 0
    elapsed_s: float = 0.0
    left_s: float | None = None
    waiting_for: str | None = None
    """What is being measured meanwhile, as `turn.holder` tells it."""
    prepared: int = 0
    """Rows that are ready to be timed, or whose reason why not is known."""

    @property
    def live(self) -> bool:
        """Whether a process is still at it."""
        return self.state in {"queued", "running"}

    @property
    def counted(self) -> tuple[str, int]:
        """What can be counted now, and how much: rows are prepared one by one, then timed together."""
        return ("done", self.done) if self.prepared >= self.total else ("prepared", self.prepared)


_FIELDS = tuple(field.name for field in fields(Progress))


def folder_of(study_id: str) -> Path:
    """Where a study's processes keep logs and what they have learned."""
    return paths.home() / "jobs" / study_id


def ran_here(study_id: str) -> bool:
    """Whether this home's own processes ran it. What an imported study names is not to be run on its word."""
    return folder_of(study_id).is_dir()


def clear(study_id: str) -> None:
    """Remove what a study that has ended had learned and prepared; its logs stay."""
    for part in folder_of(study_id).glob("*"):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)


class ProgressFile:
    """The file of one study. It names its writer, so that a reader can tell a dead one."""

    def __init__(self, study_id: str) -> None:
        self._study_id = study_id
        self._path = paths.home() / "jobs" / f"{study_id}.json"

    def write(self, progress: Progress) -> None:
        """Replace the file; a full disk must not end a measurement, so a failure is let go."""
        me = psutil.Process()
        document = asdict(progress) | {"pid": me.pid, "pid_started": me.create_time()}
        partial = self._path.with_suffix(f".{os.getpid()}.part")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(document))
            partial.replace(self._path)

    def read(self) -> tuple[Progress, psutil.Process | None] | None:
        """What was written last, and the writer if it still runs; None where nothing was."""
        try:
            document = json.loads(self._path.read_text())
            pid, started = int(document.pop("pid")), float(document.pop("pid_started"))
            # Another version's may say more.
            progress = Progress(**{name: value for name, value in document.items() if name in _FIELDS})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return progress, _running(pid, started)

    def remove(self) -> None:
        """Forget the study."""
        self._path.unlink(missing_ok=True)


def _running(pid: int, started: float) -> psutil.Process | None:
    """The process, unless it is gone or its number has passed to another."""
    try:
        process = psutil.Process(pid)
        alive = abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None
    return process if alive else None
