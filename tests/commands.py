"""The command line as a user has it: real processes, their exit codes and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficiency import paths


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document, the last line of standard output."""
        assert self.code == 0, self.err
        return json.loads(self.out.splitlines()[-1])

    @property
    def sentence(self) -> str:
        """Why it was refused, without the frame that usage errors come in."""
        words = [word for word in self.err.split() if not set(word) <= set("│╭╮╰╯─")]
        return " ".join(words)


def efficiency(*arguments: str, environment: Mapping[str, str] = os.environ) -> Said:
    """In an interpreter of its own, which takes seconds to start: each command once, where nothing else needs one."""
    done = subprocess.run(
        [sys.executable, "-m", "efficiency", *arguments],
        cwd=paths.PROJECT,
        env={**environment, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class Forked:
    """Called as `efficiency` is; each command is a process that `forked_cli.py` forks, so that the program is imported
    once for all. What a command forgets to import this does not show."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - for as long as there are commands
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked_cli"],
            cwd=paths.PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __call__(self, *arguments: str, environment: Mapping[str, str] = os.environ) -> Said:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            command = {"arguments": arguments, "environment": {**environment, "COLUMNS": "200"}}
            self._process.stdin.write(json.dumps(command | {"out": str(out), "err": str(err)}) + "\n")
            self._process.stdin.flush()
            code = self._process.stdout.readline()
            if not code:
                self._log.seek(0)
                raise RuntimeError(f"The process that forks them has ended:\n{self._log.read()}")
            return Said(int(code), out.read_text(), err.read_text())

    def close(self) -> None:
        self._process.communicate(timeout=60)
        self._log.close()


def surroundings(folder: Path, **changed: str) -> dict[str, str]:
    """An environment with a home, and so a database and a turn at the machine, of its own."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EFFICIENCY_DB")}
    return inherited | {"EFFICIENCY_HOME": str(folder / "home"), "TMPDIR": str(folder)} | changed
