"""How far a speed-up can be trusted: the same question asked again and again, of two methods, side by side.

    python benchmarks/trust.py [--quick] [--runs N] [--minutes M] [--keep FOLDER]

How much faster is INT8 than FP32? Asked of the small CNN, the LSTM and the transformer, on 1 and 2 threads, with the
machine left alone and with a noisy neighbour: twelve cells. A run of our method times the six heats of a study, as a
study does: with the quick preset's processes and seconds, and its rule of when to stop. A run of the usual one
(`torch.utils.benchmark`, one after the other) gets the same seconds a cell. Runs of the two alternate. Beside INT8,
every heat of ours has a copy of the baseline, and copies that are slower by 3 and by 5 %.

Each run knows what those of the day before it found a handoff between threads to take, as a study does. What one finds
on a machine that was disturbed all the while is marked; figures are told with such rows and without.

`--keep` writes each run to a folder, with all that the clock said, and goes on from what is in it. A pair of runs takes
five to ten minutes, the longer the more others disturb the machine; as many are made as fit into 90 minutes (`--quick`:
two pairs), during which nothing else may run, and `--keep` makes up for the others another time. The last line is one
JSON document; ratios are baseline / variant, shares are of 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import measured
import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

import judged  # noqa: E402
import methods  # noqa: E402
import trust_figures  # noqa: E402

from efficiency.machine import this_machine  # noqa: E402
from efficiency.measure import latency  # noqa: E402
from efficiency.results.store import Store  # noqa: E402

RUNS, QUICK_RUNS = 20, 2
MINUTES = 86.0
"""After which no pair of runs begins that would not end in time; what follows the runs takes up to four minutes."""
STOPS_BY = "fastest calls, two readings, handoffs known"
"""What says when a study's intervals are narrow enough: kept runs that stopped by something else are not mixed with
these. What a study says of its samples is worked out anew."""
LEAST_RUNS = 2
"""Of each kind, whatever the time: of one run no spread can be told."""
MUST_REACH = {
    "cv_pct": {"1 thread, quiet": 1.0, "otherwise": 2.0},
    "times_tighter": {"quiet": 3.0, "noisy": 5.0},
    "false_alarms_upper_95": 0.08,
    "slower_5_called": 0.9,
    "slower_3_called": 0.6,
    "coverage": 0.9,
    "recording_us": 1.0,
}


@contextmanager
def neighbour(noisy: bool, seed: int) -> Iterator[None]:
    """With or without a program that burns a core in random bursts."""
    if not noisy:
        yield
        return
    burning = subprocess.Popen([sys.executable, str(PROJECT / "benchmarks" / "neighbour.py"), str(seed)])
    try:
        yield
    finally:
        burning.kill()
        burning.wait()


# One run of each method


def theirs_once(ours: methods.Ours, seconds: float) -> dict[str, float]:
    """What the usual method says of each cell, with these seconds for each."""
    return {
        f"{workload}/{threads}": methods.theirs(ours, workload, threads, seconds)
        for workload in methods.INT8
        for threads in methods.THREADS
    }


def one_run(ours: methods.Ours, number: int, noisy: bool, seconds: float | None) -> tuple[dict[str, Any], methods.Raw]:
    """Both methods, the one that begins changing from run to run."""
    with neighbour(noisy, number):
        first = theirs_once(ours, seconds) if seconds and number % 2 else None
        started = time.perf_counter()
        handoffs_ns, raw = ours.run(2 * number + noisy)
        own_s = time.perf_counter() - started
        usual = first or theirs_once(ours, own_s / methods.CELLS)
    told = {"stops_by": STOPS_BY, "number": number, "noisy": noisy, "seconds": own_s, "theirs": usual}
    return told | {"handoffs_ns": handoffs_ns}, raw


def recording_us() -> float:
    """What noting a call costs beside the call itself, in microseconds: the least of several tries."""

    def call(sample: Any) -> Any:
        return None

    calls, timed = 20_000, latency.Timed(call, ())
    one_call = latency._stopwatch(timed, None, "cpu")  # type: ignore[arg-type]
    noted, bare = [], []
    for _ in range(9):
        started = time.perf_counter()
        latency._visit(timed, one_call, calls)
        noted.append(time.perf_counter() - started)
        started = time.perf_counter()
        for _ in range(calls):
            call(None)
        bare.append(time.perf_counter() - started)
    return 1e6 * (min(noted) - min(bare)) / calls


def lstm_study() -> dict[str, Any]:
    """Seconds of a whole study of the LSTM from nothing until every row is within ±2 %, and where they went."""
    options = ("--preset", "quick", "--workload", "lstm-classifier", "--budget", "600")
    document, wall_s = measured.study(*options)
    rows = measured.columns(document)
    widest_pct = max(row["speedup_precision_pct"] for row in rows)
    details = [row["details"] for row in document["rows"]]
    replicates = [one for detail in details for one in detail.get("replicate_seconds", ())]
    spent = {
        "prepare": measured.prepared_s(document),
        "evaluate": sum(detail.get("evaluate_s", 0.0) for detail in details),
        "cold_starts": sum(detail.get("cold_s", 0.0) for detail in details),
        "replicates_start": sum(one["whole"] - one["load"] - one["timed"] for one in replicates),
        "replicates_load": sum(one["load"] for one in replicates),
        "timed_calls": sum(sum(row["samples"]["ns"]) for row in document["rows"] if row["samples"]) / 1e9,
    }
    spent["replicates_rest"] = sum(one["timed"] for one in replicates) - spent["timed_calls"]
    spent["rest"] = wall_s - sum(spent.values())
    return {
        "seconds": round(wall_s, 1),
        "widest_half_interval_pct": round(widest_pct, 2),
        "within_2_pct": widest_pct <= 2,
        "replicates": len(replicates),
        "share_of_it": {name: round(seconds / wall_s, 3) for name, seconds in spent.items()},
    }


def all_runs(wanted: int, minutes: float, folder: Path, keep: Path) -> tuple[list[dict[str, Any]], list[methods.Raw]]:
    """Runs quiet and noisy in turn, as many as wanted or as these minutes hold, and what the clock said in each.

    What the clock said in those that are in `keep` is judged anew. Its store knows what the runs before found the
    machine to be.
    """
    began, longest_s = time.monotonic(), 0.0
    keep.mkdir(parents=True, exist_ok=True)
    files = {
        (number, noisy): keep / f"run-{number}-{'noisy' if noisy else 'quiet'}.json"
        for number in range(wanted)
        for noisy in (False, True)
    }
    there = [_told(file) for file in files.values() if file.exists()]  # before anything is measured
    ours: methods.Ours | None = None
    if len(there) < len(files):
        ours = methods.Ours(folder, Store.open(f"sqlite:///{keep / 'studies.db'}"), methods.default())
    seconds: dict[bool, float] = {}
    """A cell of the last run of each kind."""
    runs: list[dict[str, Any]] = []
    raws: list[methods.Raw] = []
    for number in range(wanted):
        pair_began = time.monotonic()
        if number >= LEAST_RUNS and pair_began + longest_s > began + 60 * minutes:
            print(f"{number} runs of {wanted} fit into {minutes:g} minutes", flush=True)
            break
        for noisy in (False, True):
            file = files[number, noisy]
            if ours is not None and not file.exists():
                run, raw = one_run(ours, number, noisy, seconds.get(noisy))
                np.savez_compressed(file.with_suffix(".npz"), **raw)  # type: ignore[arg-type]
                file.write_text(json.dumps(run))
            run, raw = _told(file), dict(np.load(file.with_suffix(".npz")))
            handoffs_ns = {int(threads): known_ns for threads, known_ns in run["handoffs_ns"].items()}
            runs.append(run | {"cells": judged.cells(raw, handoffs_ns)})
            raws.append(raw)
            seconds[noisy] = run["seconds"] / methods.CELLS
            print(f"{file.stem} of {wanted}: {seconds[noisy]:.1f} s a cell", flush=True)
        longest_s = max(longest_s, time.monotonic() - pair_began)
    return runs, raws


def _told(file: Path) -> dict[str, Any]:
    """What was kept of a run."""
    run: dict[str, Any] = json.loads(file.read_text())
    if run.get("stops_by") != STOPS_BY:
        raise SystemExit(f"{file} is of another version of this benchmark: name another folder, or remove it.")
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description="How far a speed-up can be trusted.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs a cell in place of {RUNS}")
    parser.add_argument("--runs", type=int, help="runs a cell")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all runs; as many are made as fit in")
    parser.add_argument("--keep", type=Path, help="a folder of runs: go on from it, and add to it")
    options = parser.parse_args()
    wanted = (QUICK_RUNS if options.quick else RUNS) if options.runs is None else options.runs
    if wanted < LEAST_RUNS:
        parser.error(f"--runs: of fewer than {LEAST_RUNS} no spread can be told.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        runs, raws = all_runs(wanted, options.minutes, Path(folder), options.keep or Path(folder))
    document = {
        "benchmark": "trust",
        "machine": this_machine().label,
        **trust_figures.report(runs, raws),
        "recording_us": round(recording_us(), 3),
        "lstm_study": lstm_study(),
        "must_reach": MUST_REACH,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
