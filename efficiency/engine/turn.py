"""One study at a time on a machine: two at once would measure each other. Who has waited longest is next.

The lock lies in the system's temporary folder, since databases and homes may differ and the machine is one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from efficiency.engine import tickets
from efficiency.errors import EfficiencyError

PATIENCE_S = 1.0


def _lock_file() -> Path:
    # In a folder of its own: in one that is sticky, as /tmp is, Linux refuses to open another user's file to write.
    folder = Path(tempfile.gettempdir()) / "efficiency-machine"
    try:
        folder.mkdir()
        folder.chmod(0o777)
    except OSError as error:
        if not folder.is_dir():
            raise _unusable(error) from error
    return folder / "turn.lock"


def _unusable(error: OSError) -> EfficiencyError:
    folder = tempfile.gettempdir()
    return EfficiencyError(
        f"The machine's turn cannot be taken in {folder} ({error.strerror or error}): mend that, or set TMPDIR to a "
        "folder that can be written."
    )


def _holder_file() -> Path:
    return _lock_file().with_suffix(".holder")


def holder() -> str | None:
    """Whose turn it is, if anybody's: a study's id, or what else is measured; `wording.at_work` says it."""
    try:
        return _holder_file().read_text() or None
    except OSError:
        return None


def at_work() -> str | None:
    """As `holder`, but nothing of one that ended without a word, or that has none."""
    lock = FileLock(_lock_file(), mode=0o666)
    if _acquired(lock):
        lock.release()
        return None
    return holder()


@contextmanager
def taken(who: str, waiting: Callable[[str | None], None]) -> Iterator[None]:
    """Hold the machine; while something else does, `waiting` is told what, at least every second.

    Who takes it is a study's id or, of anything else, words with a space in them: `drift of LSTM`. What `waiting`
    raises ends the wait.
    """
    lock = FileLock(_lock_file(), mode=0o666)
    try:
        with tickets.drawn(_lock_file().parent) as first:
            while not (first() and _acquired(lock)):
                waiting(holder())
                time.sleep(PATIENCE_S)
        with suppress(OSError):
            # A new file in place of what is there, which others may have made a link to a file of this user's.
            _holder_file().unlink(missing_ok=True)
            with _holder_file().open("x") as file:
                file.write(who)
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                _holder_file().unlink(missing_ok=True)
            lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise _unusable(error) from error
    return True
