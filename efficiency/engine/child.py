"""Child processes, spoken to in JSON over a pipe; whatever happens to one becomes a sentence.

Probes come from a fork server that has torch loaded (0.1 s each); replicates are started from nothing,
since processes forked from one server share its memory layout and with it part of its timing bias.
The parent sleeps on the pipe while a child works: it never polls beside a process that is timed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal

from efficiency.errors import EfficiencyError, VariantFailed

Message = dict[str, Any]
Send = Callable[[Message], None]
Work = Callable[[Message, Send], None]
"""Runs in the child: takes what was asked, sends messages, returns."""

_SIGKILL_HINT = "it was killed, most likely for want of memory"


def _context(start: Literal["warm", "fresh"]) -> multiprocessing.context.BaseContext:
    methods = multiprocessing.get_all_start_methods()
    if start == "warm" and "forkserver" in methods and sys.platform == "linux":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["efficiency.engine.preloaded"])
        return context
    return multiprocessing.get_context("spawn")


def _leave_with_parent() -> None:
    """End this process when its parent is gone: nobody is left to read what it measures."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _main(work: Work, asked: Message, pipe: Connection, log: str) -> None:
    """First function of the child."""
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
        text = str(error).strip().splitlines()
        send({"error": f"{type(error).__name__}: {text[0] if text else 'no message'}"})


class Child:
    """A process at work. Use as a context manager: on leaving, it is ended if it still runs."""

    def __init__(self, work: Work, asked: Message, *, start: Literal["warm", "fresh"], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        context = _context(start)
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(  # type: ignore[attr-defined]
            target=_main, args=(work, asked, theirs, str(log)), daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()

    def messages(self, timeout_s: float) -> Iterator[Message]:
        """What the child sends until its end; raises `VariantFailed` with the reason it gave or left."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not wait([self._pipe], timeout=left):
                raise VariantFailed(f"It did not finish within {timeout_s:.0f} s and was stopped.")
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


def ask(work: Work, asked: Message, *, start: Literal["warm", "fresh"], log: Path, timeout_s: float) -> Message:
    """Run a child that answers once; its last message. Raises `VariantFailed`."""
    answer: Message = {}
    with Child(work, asked, start=start, log=log) as child:
        for message in child.messages(timeout_s):
            answer = message
    return answer
