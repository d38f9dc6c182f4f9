"""A verb of the command line in the background, for the pages: started, looked at, its last words told. No torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from efficiency import paths
from efficiency.errors import EfficiencyError


def started(
    arguments: Sequence[str], log: Path, *, anew: bool = True, stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """`python -m efficiency` with these arguments, in a session of its own: what ends this process does not end it.

    It stays in this folder, since EFFICIENCY_HOME and a user's own file may be named relative to it. Standard error
    goes to the log, which is begun `anew` or gone on with, and so does standard output unless it goes elsewhere.
    Raises `EfficiencyError` where it cannot be started.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb" if anew else "ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "efficiency", *arguments],
                env=paths.environment() | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file if stdout is None else stdout,
                stderr=file,
                start_new_session=True,
            )
    except OSError as error:
        raise EfficiencyError(
            f"Nothing can be started: {error.strerror or error} ({log.parent}); make room there and see to it that it "
            "can be written."
        ) from error


class Background:
    """One process at a time of this server; its last words go to `jobs/<name>.log` under the home."""

    def __init__(self, name: str) -> None:
        self._log = f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.arguments: tuple[str, ...] = ()
        """Of the last one, the verb first."""

    def start(self, arguments: Sequence[str]) -> None:
        """Start `python -m efficiency` with these arguments, unless it runs already; raises `EfficiencyError`."""
        if self.running():
            return
        self._process = started(arguments, paths.home() / "jobs" / self._log, stdout=subprocess.DEVNULL)
        self.arguments = tuple(arguments)

    def running(self) -> bool:
        """Whether it is at work now, by a click on any session of this server."""
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout_s: float) -> None:
        """Until it has ended; raises `subprocess.TimeoutExpired`."""
        if self._process is not None:
            self._process.wait(timeout_s)

    def ended(self) -> int | None:
        """The exit code of the last one; None where none has ended."""
        return None if self._process is None else self._process.poll()

    def last_words(self) -> str:
        """The last line that it wrote to standard error, which is a sentence where it failed."""
        try:
            lines = (paths.home() / "jobs" / self._log).read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1].removeprefix("Error: ")[:300] if lines else "Its process ended without a word; try again."

    def forget(self) -> None:
        """As if none had been started."""
        self._process = None
