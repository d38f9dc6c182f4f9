"""A verb of the command line in the background, for the pages: started, looked at, its last words told. No torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from efficiency import paths


class Background:
    """One process at a time of this server; its last words go to `jobs/<name>.log` under the home."""

    def __init__(self, name: str) -> None:
        self._log = f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str]) -> None:
        """Start `python -m efficiency` with these arguments, unless it runs already."""
        if self.running():
            return
        folder = paths.home() / "jobs"
        folder.mkdir(parents=True, exist_ok=True)
        search = os.pathsep.join(filter(None, (str(paths.PROJECT), os.environ.get("PYTHONPATH"))))
        with (folder / self._log).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "efficiency", *arguments],
                env=os.environ | {"PYTHONPATH": search},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

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
