"""Runs the command line in a home of its own and reads the study back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


def study(*options: str) -> tuple[dict[str, Any], float]:
    """The document of `python -m efficiency run OPTIONS`, and its seconds from start to end."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"EFFICIENCY_HOME": home, "EFFICIENCY_DB": ""}
        command = [sys.executable, "-m", "efficiency", "run", *options, "--json", "-"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        wall_s = time.perf_counter() - started
    document: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return document, wall_s


def prepared_s(document: dict[str, Any]) -> float:
    """What preparing the rows took. Variants that learn the same do so once, and each tells the seconds of that."""
    took_s = 0.0
    learned: set[tuple[str, float]] = set()
    for row in document["rows"]:
        if "probe_s" in row["details"]:
            learn_s = row["details"]["learn_s"]
            took_s += row["columns"]["prepare_s"] - learn_s
            learned.add((row["columns"]["workload"], learn_s))
    return took_s + sum(learn_s for _, learn_s in learned)


def columns(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The CSV's columns of every row that is done."""
    return [row["columns"] for row in document["rows"] if row["columns"]["status"] == "done"]
