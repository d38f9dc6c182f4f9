"""The app as a real server, in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from efficiency import paths


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Server]:
    """The app on a free port, in this home, which the environment has to name by now; ended at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / f"server-{port}.log"
    arguments = [sys.executable, "-m", "streamlit", "run", "app.py"]
    arguments += ["--server.port", str(port), "--server.headless", "true"]
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, cwd=paths.PROJECT, stdout=output, stderr=output)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        if not _answers(server):
            raise RuntimeError(f"The app did not start:\n{log.read_text()}")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        _end_studies_of(home)


def _answers(server: Server) -> bool:
    """Whether it does so in a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def _end_studies_of(home: Path) -> None:
    """A study outlives its page: one that a failed test leaves behind would take the next one's time."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = any(part.startswith("efficiency") or "efficiency.engine" in part for part in process.cmdline())
            if ours and process.environ().get("EFFICIENCY_HOME") == str(home):
                process.kill()
