"""Child processes, spoken to in JSON over a pipe; whatever happens to one becomes a sentence.

They come from a fork server that has torch loaded (0.1 s each). Processes forked from one server share where
its libraries lie in memory, and with it part of their bias in timing, so the server is renewed now and then.
The parent sleeps on the pipe while a child works: it never polls beside a process that is timed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any

from efficiency import workloads
from efficiency.errors import EfficiencyError, VariantFailed, line_in

Message = dict[str, Any]
Send = Callable[[Message], None]
Work = Callable[[Message, Send], None]
"""Runs in the child: takes what was asked, sends messages, returns."""

SERVER_S = 120.0
"""A fork server that is not ready by then never will be."""
_SIGKILL_HINT = "it was killed, most likely for want of memory"


def forks() -> bool:
    """Whether children are forked from a server; only on Linux may a forked process use the system's own libraries."""
    return sys.platform == "linux"


def _context() -> multiprocessing.context.BaseContext:
    if forks():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["efficiency.engine.preloaded"])
        return context
    return multiprocessing.get_context("spawn")


def renew(log: Path) -> None:
    """Let the children to come be forked from a new server, whose memory is laid out anew; none may be at work now.

    Returns when the server is ready, so that what its start costs is no child's. Raises `VariantFailed` where it
    cannot be started.
    """
    if forks():
        let_go()
        ask(_nothing, {}, log=log, silence_s=SERVER_S)


def let_go() -> None:
    """End the fork server, where there is one, with the memory that it holds; none of its children may be at work."""
    from multiprocessing import forkserver

    # The standard library has no public way to end its fork server; this is what its own tests do. Left to end by
    # itself, it takes apart all that it imported first.
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


def _nothing(asked: Message, send: Send) -> None:
    """A child that has nothing to do."""


@contextmanager
def _no_program() -> Iterator[None]:
    """While a child is started, no program: multiprocessing would run this one's imports in it once more.

    Nothing that a child does is defined there, and the command line alone costs it half a second.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


@contextmanager
def _short_paths() -> Iterator[None]:
    """The fork server's socket lies with the temporary files, and its path may have 107 characters."""
    try:
        yield
    except OSError as error:
        if "AF_UNIX" not in str(error):
            raise
        raise EfficiencyError(
            f"The path of the folder for temporary files is too long for a socket: {tempfile.gettempdir()}; "
            "set TMPDIR to a shorter one, such as /tmp."
        ) from error


def _leave_with_parent() -> None:
    """End this process when its parent is gone: nobody is left to read what it measures."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _main(work: Work, asked: Message, pipe: Connection, log: str) -> None:
    """First function of the child, which leads a process group: what it starts ends with it."""
    os.setsid()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    warnings.simplefilter("ignore")  # Deprecations are told on the cards.

    def send(message: Message) -> None:
        pipe.send_bytes(json.dumps(message).encode())

    try:
        work(asked, send)
        send({"end": True})
    except EfficiencyError as error:
        send({"error": str(error)})
    except MemoryError:
        send({"error": "It ran out of memory."})
    except Exception as error:
        traceback.print_exc()
        text = next(iter(str(error).strip().splitlines()), "no message").rstrip(".")
        send({"error": f"{type(error).__name__}: {text}{_line(error, asked)}."})


def _line(error: Exception, asked: Message) -> str:
    """Which line of the user's file it came from, where the workload is one."""
    name = str(asked.get("workload", ""))
    with suppress(EfficiencyError):  # it may be gone by now
        return line_in(error, workloads.file_and_function(name)[0]) if workloads.is_file(name) else ""
    return ""


class Child:
    """A process at work. Use as a context manager: on leaving, it is ended if it still runs."""

    def __init__(self, work: Work, asked: Message, *, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        context = _context()
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(  # type: ignore[attr-defined]
            # Not a daemon: those may have no children, and a user's `load` may use a DataLoader with workers.
            target=_main,
            args=(work, asked, theirs, str(log)),
            daemon=False,
        )
        with _no_program(), _short_paths():
            self._process.start()
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()  # where it had not yet come to lead a group
        self._process.join()
        self._pipe.close()

    def messages(self, silence_s: float) -> Iterator[Message]:
        """What the child sends until its end; raises `VariantFailed` with the reason it gave or left.

        A child that says nothing for `silence_s` hangs. How long it takes in all is no matter: a model may be slow.
        """
        while True:
            if not wait([self._pipe], timeout=silence_s):
                raise VariantFailed(f"It gave no sign of life for {silence_s:.0f} s and was stopped.")
            try:
                message: Message = json.loads(self._pipe.recv_bytes())
            except (EOFError, OSError):
                raise VariantFailed(f"Its process ended without a result: {self._ending()}.") from None
            if "error" in message:
                raise VariantFailed(message["error"])
            if "end" in message:
                return
            yield message

    def _ending(self) -> str:
        self._process.join(timeout=10)
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return _SIGKILL_HINT if name == "SIGKILL" else f"it crashed with {name}"
        return f"exit code {code}"


def ask(
    work: Work,
    asked: Message,
    *,
    log: Path,
    silence_s: float,
    doing: Callable[[str], None] = lambda what: None,
) -> Message:
    """Run a child to its answer, its last message; `doing` hears what it says of its work before.

    Raises `VariantFailed`.
    """
    answer: Message = {}
    with Child(work, asked, log=log) as child:
        for message in child.messages(silence_s):
            if what := message.get("doing"):
                doing(what)
            answer = message
    return answer
