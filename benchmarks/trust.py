"""How far a speed-up can be trusted: the same question asked again and again, of two methods, side by side.

    python benchmarks/trust.py [--quick] [--runs N] [--keep FILE]

How much faster is INT8 than FP32? Asked of the small CNN, the LSTM and the transformer, on 1 and 2 threads, with the
machine left alone and with a noisy neighbour: twelve cells. A run of our method times the six heats of a study, as a
study does, with the quick preset's processes and seconds. A run of the usual one (`torch.utils.benchmark`, one after
the other) gets the same seconds a cell. Runs of the two alternate. Beside INT8, every heat of ours has a copy of the
baseline, and copies that are slower by 3 and by 5 %.

`--keep` writes each run to a file and goes on from what is in it. Takes about 75 minutes, or 10 with `--quick`, during
which nothing else may run. The last line is one JSON document; ratios are baseline / variant, shares are of 1.
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
from scipy import stats

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

import copies  # noqa: E402
import methods  # noqa: E402
import simulated  # noqa: E402

from efficiency.analysis import speed, views  # noqa: E402
from efficiency.machine import this_machine  # noqa: E402
from efficiency.measure import latency  # noqa: E402
from efficiency.study import PRESETS, Effort  # noqa: E402

RUNS, QUICK_RUNS = 20, 2
SIMULATED = 2_000
MUST_REACH = {
    "cv_pct": {"1 thread, quiet": 1.0, "otherwise": 2.0},
    "times_tighter": {"quiet": 3.0, "noisy": 5.0},
    "false_alarms_upper_95": 0.08,
    "slower_5_called": 0.9,
    "slower_3_called": 0.6,
    "coverage": 0.9,
    "recording_us": 1.0,
}


def planned() -> Effort:
    """The default budget: what the quick preset plans for every heat; none for precision, but those it replaces."""
    quick = PRESETS["quick"][1]
    most = 2 * quick.replicates
    return Effort(200, 256, 512, quick.replicates, quick.seconds_per_replicate, most, precision=float("inf"))


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


def ours_once(ours: methods.Ours, number: int) -> dict[str, Any]:
    """What a study says of each cell, and how long it took."""
    started = time.perf_counter()
    rows, raw = ours.run(number)
    seconds = time.perf_counter() - started
    cells: dict[str, Any] = {}
    for row in views.records(rows):
        cell = cells.setdefault(f"{row['workload']}/{row['threads']}", {"verdicts": {}, "estimates": {}})
        cell["replicates"] = row["replicates"]
        if row["variant"] == methods.INT8[row["workload"]]:
            cell["speedup"] = [row["speedup"], row["speedup_ci_low"], row["speedup_ci_high"]]
        elif row["variant"] != "baseline":
            cell["verdicts"][row["variant"]] = row["speed_verdict"]
            cell["estimates"][row["variant"]] = row["speedup"]
    return {"seconds": seconds, "cells": cells, "raw": raw}


def theirs_once(ours: methods.Ours, seconds: float) -> dict[str, float]:
    """What the usual method says of each cell, with these seconds for each."""
    return {
        f"{workload}/{threads}": methods.theirs(ours, workload, threads, seconds)
        for workload in methods.INT8
        for threads in methods.THREADS
    }


def one_run(ours: methods.Ours, number: int, noisy: bool, seconds: float | None) -> tuple[dict[str, Any], Any]:
    """Both methods, the one that begins changing from run to run."""
    with neighbour(noisy, number):
        first = theirs_once(ours, seconds) if seconds and number % 2 else None
        own = ours_once(ours, 2 * number + noisy)
        usual = first or theirs_once(ours, own["seconds"] / len(own["cells"]))
    raw = own.pop("raw")
    return {"number": number, "noisy": noisy, "ours": own, "theirs": usual}, raw


# What the runs come to


def spread(values: list[float]) -> dict[str, Any]:
    """Coefficient of variation of some speed-ups, in percent, with its 95 % interval (chi-square)."""
    logs = np.log(values)
    df = len(logs) - 1
    deviation = float(np.std(logs, ddof=1))
    low, high = (deviation * np.sqrt(df / stats.chi2.ppf(share, df)) for share in (0.975, 0.025))
    return {
        "cv_pct": round(100 * deviation, 2),
        "interval_pct": [round(100 * float(low), 2), round(100 * float(high), 2)],
        "mean": round(float(np.exp(logs.mean())), 3),
        "runs": len(logs),
    }


def of_cell(runs: list[dict[str, Any]], cell: str) -> dict[str, Any]:
    """Both methods on one cell, and how often our interval holds the mean of all runs."""
    found = [run["ours"]["cells"][cell]["speedup"] for run in runs]
    ours, theirs = spread([one[0] for one in found]), spread([run["theirs"][cell] for run in runs])
    centre = float(np.exp(np.mean([np.log(one[0]) for one in found])))
    df = len(runs) - 1
    ratio = theirs["cv_pct"] / ours["cv_pct"]
    f = np.sqrt([stats.f.ppf(share, df, df) for share in (0.025, 0.975)])
    return {
        "ours": ours,
        "one_after_the_other": theirs,
        "times_tighter": round(ratio, 1),
        "times_tighter_interval": [round(float(ratio / f[1]), 1), round(float(ratio / f[0]), 1)],
        "held_the_mean": sum(one[1] <= centre <= one[2] for one in found),
    }


def share(called: int, of: int) -> dict[str, Any]:
    """A share with its 95 % interval (Clopper and Pearson)."""
    interval = stats.binomtest(called, of).proportion_ci(0.95, method="exact")
    return {
        "called": called,
        "of": of,
        "share": round(called / of, 3),
        "interval": [round(float(interval.low), 3), round(float(interval.high), 3)],
    }


def called(runs: list[dict[str, Any]], variant: str, *words: str) -> dict[str, Any]:
    """How often a variant had one of these verdicts, over all cells and runs."""
    verdicts = [cell["verdicts"][variant] for run in runs for cell in run["ours"]["cells"].values()]
    return share(sum(verdict in words for verdict in verdicts), len(verdicts))


def simulations(raws: list[dict[tuple[str, int], list[Any]]]) -> dict[str, Any]:
    """Controls and copies simulated with the noise that was just seen, cell by cell, and judged as a study does."""
    rng, replicates = np.random.default_rng(0), planned().replicates
    alarms = covered = total = 0
    cells = sorted(raws[0])
    noises = [simulated.fit(*_joined(raws, cell)[1:]) for cell in cells]
    for number in range(SIMULATED):
        noise = noises[number % len(noises)]
        baseline, control, copy = simulated.study(rng, noise, [1.0, 1.0], replicates)
        floor, ratio = speed.noise_floor(speed.speed_up(baseline, control)), speed.speed_up(baseline, copy)
        assert ratio is not None
        alarms += speed.verdict(ratio, floor) in ("faster", "slower")
        covered += ratio.low <= 1 <= ratio.high
        total += 1
    return {"false_alarms": share(alarms, total), "coverage": share(covered, total)}


def _joined(raws: list[dict[tuple[str, int], list[Any]]], cell: tuple[str, int]) -> list[Any]:
    """The raw samples of a cell's three copies over all runs; each run's replicates get numbers of their own."""
    found = []
    for place in range(3):
        parts = []
        for number, raw in enumerate(raws):
            frame = raw[cell][place]
            nanoseconds = np.rint(1e6 * frame["latency_ms"])
            parts.append(np.column_stack([1_000 * number + frame["replicate"], frame["round"], nanoseconds]))
        found.append(np.concatenate(parts).astype(np.int64))
    return found


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
    halves = [
        float(np.sqrt(row["speedup_ci_high"] / row["speedup_ci_low"])) - 1
        for row in rows
        if row["variant"] != "baseline"
    ]
    details = [row["details"] for row in document["rows"]]
    replicates = [one for detail in details for one in detail.get("replicate_seconds", ())]
    spent = {
        "prepare": sum(row.get("prepare_s") or 0.0 for row in rows),
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
        "widest_half_interval_pct": round(100 * max(halves), 2),
        "within_2_pct": max(halves) <= 0.02,
        "replicates": len(replicates),
        "share_of_it": {name: round(seconds / wall_s, 3) for name, seconds in spent.items()},
    }


def report(runs: list[dict[str, Any]], raws: list[Any]) -> dict[str, Any]:
    """All figures of these runs."""
    cells = {}
    for noisy in (False, True):
        own = [run for run in runs if run["noisy"] == noisy]
        for cell in own[0]["theirs"]:
            cells[f"{cell}/{'noisy' if noisy else 'quiet'}"] = of_cell(own, cell)
    found: dict[str, Any] = {
        "cells": cells,
        "coverage_of_the_mean": share(
            sum(cell["held_the_mean"] for cell in cells.values()), sum(cell["ours"]["runs"] for cell in cells.values())
        ),
        "false_alarms": {key: called(runs, key, "faster", "slower") for key in ("control", copies.COPY)},
        "called_slower": {
            key: {
                "all": called(runs, key, "slower"),
                "quiet": called([run for run in runs if not run["noisy"]], key, "slower"),
                "noisy": called([run for run in runs if run["noisy"]], key, "slower"),
            }
            for key in copies.SLOWER
        },
        "seconds_a_cell": round(float(np.mean([run["ours"]["seconds"] for run in runs])) / len(runs[0]["theirs"]), 1),
    }
    if raws:
        found["simulated"] = simulations(raws)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="How far a speed-up can be trusted.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs a cell in place of {RUNS}")
    parser.add_argument("--runs", type=int, help="runs a cell")
    parser.add_argument("--keep", type=Path, help="a file of runs: go on from it, and add to it")
    options = parser.parse_args()
    wanted = options.runs or (QUICK_RUNS if options.quick else RUNS)
    kept = options.keep.read_text().splitlines() if options.keep and options.keep.exists() else []
    runs: list[dict[str, Any]] = [json.loads(line) for line in kept]
    raws: list[Any] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ours = methods.Ours(Path(folder), planned())
        seconds = None
        for number in range(max((run["number"] + 1 for run in runs), default=0), wanted):
            for noisy in (False, True):
                run, raw = one_run(ours, number, noisy, seconds)
                seconds = run["ours"]["seconds"] / len(run["theirs"])
                runs.append(run)
                if not noisy:
                    raws.append(raw)
                if options.keep:
                    with options.keep.open("a") as file:
                        file.write(json.dumps(run) + "\n")
                print(
                    f"run {number + 1} of {wanted}, {'noisy' if noisy else 'quiet'}: {seconds:.1f} s a cell", flush=True
                )
    document = {
        "benchmark": "trust",
        "machine": this_machine().label,
        **report(runs, raws),
        "recording_us": round(recording_us(), 3),
        "lstm_study": lstm_study(),
        "must_reach": MUST_REACH,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
