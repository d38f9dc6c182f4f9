"""What children are told to do in the tests of `Child`; a module, so that a child can import it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

from efficiency.engine.child import Message, Send
from efficiency.errors import DataUnavailable


def answers(asked: Message, send: Send) -> None:
    send({"doing": "adding"})
    send({"sum": sum(asked["numbers"])})


def answers_at_length(asked: Message, send: Send) -> None:
    send({"text": "x" * asked["length"]})


def prints(asked: Message, send: Send) -> None:
    os.write(1, b"said by C\n")
    print("said by Python", flush=True)
    send({"ok": True})


def raises(asked: Message, send: Send) -> None:
    raise ValueError("The first line.\nThe second.")


def raises_without_a_word(asked: Message, send: Send) -> None:
    raise RuntimeError


def refuses(asked: Message, send: Send) -> None:
    raise DataUnavailable("The data are not here; bring them.")


def leaves(asked: Message, send: Send) -> None:
    os._exit(3)


def aborts(asked: Message, send: Send) -> None:
    send({"doing": "something dangerous"})
    os.abort()


def is_killed(asked: Message, send: Send) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wants_memory(asked: Message, send: Send) -> None:
    raise MemoryError


def hangs(asked: Message, send: Send) -> None:
    send({"pid": os.getpid()})
    time.sleep(3600)


def works_for_long(asked: Message, send: Send) -> None:
    for _ in range(asked["seconds"] * 2):
        send({"alive": True})
        time.sleep(0.5)
    send({"done": True})


def has_children(asked: Message, send: Send) -> None:
    """As a user's `load` may, with a pool or a DataLoader."""
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,))
    worker.start()
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    send({"pids": [worker.pid, program.pid]})
    time.sleep(3600)


def hears_an_interrupt(asked: Message, send: Send) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    send({"ok": True})


def imports(asked: Message, send: Send) -> None:
    send({"torch": "torch" in sys.modules})


def tells_of_its_server(asked: Message, send: Send) -> None:
    """The process that it was forked from, and where a library of torch lies in memory."""
    import torch

    send({"server": os.getppid(), "torch_at": id(torch.Tensor)})


def tells_of_the_program(asked: Message, send: Send) -> None:
    send({"main": getattr(sys.modules.get("__mp_main__"), "__file__", None)})
