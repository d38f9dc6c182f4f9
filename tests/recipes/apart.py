"""Runs recipes where this project cannot be imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRIVER = """
import importlib.util, os, pathlib, runpy, sys, traceback, warnings
warnings.simplefilter("ignore")
assert importlib.util.find_spec("efficiency") is None
import torch.ao.quantization.quantize_fx, torch._inductor.compile_fx, safetensors.torch
for script in sys.argv[1:]:
    error = pathlib.Path(script).with_name("error.txt")
    if not (child := os.fork()):
        sys.stdout = pathlib.Path(script).with_name("said.txt").open("w")
        try:
            runpy.run_path(script, run_name="__main__")
        except BaseException:
            error.write_text(traceback.format_exc())
        finally:
            sys.stdout.flush()
            os._exit(0)
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        error.write_text(f"Its process ended with {code}.")
"""
"""What a script prints is in `said.txt` beside it. Each has a process of its own, so that no switch that one sets is
another's. They are forked from one that has imported what nearly all of them import, which takes seconds, and has
called nothing of it: PyTorch has no threads yet.
"""


@contextmanager
def running(scripts: list[str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process that runs them, one after the other; `error.txt` beside a script that failed says why."""
    # Each would start a pool of compilers, which imports torch anew.
    environment = {**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", DRIVER, *scripts],
            cwd=said.parent,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # and the script that it waits for
        process.wait()


def well_formed(folder: Path) -> None:
    """The scripts in it are formatted, and nothing in them is unused."""
    options = ["--isolated", "--no-cache", "--line-length", "120", "--target-version", "py311"]
    for command in (["check", "--select", "E,F,W,I,UP,B,SIM,PT,C4,PIE"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options, str(folder)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:]
