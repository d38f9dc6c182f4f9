"""What `trust.py` makes of its runs: shares, when a study stops, and how far runs lie apart."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from efficiency import paths
from efficiency.measure.latency import LEAST_ROUNDS

sys.path.insert(0, str(paths.PROJECT / "benchmarks"))
import judged
import methods
import processes_apart
import trust_figures

CELL, INT8 = "lstm-classifier/2", "dynamic-int8"


def raw_of(rng: np.random.Generator, level: float) -> methods.Raw:
    """A run of ten replicates whose FP32 takes about this long."""
    found: methods.Raw = {}
    for key, share in (("baseline", 1.0), ("control", 1.0), ("copy", 1.0), (INT8, 0.4)):
        parts = []
        for replicate in range(10):
            own = 1e6 * share * level * np.exp(rng.normal(0, 0.002, (LEAST_ROUNDS, 4)))
            rounds = np.repeat(np.arange(LEAST_ROUNDS), 4)
            parts.append(np.column_stack([np.full(len(rounds), replicate), rounds, own.ravel()]))
        found[f"{CELL}/{key}"] = np.concatenate(parts).astype(np.int64)
    felt = [(replicate, number, 5_000) for replicate in range(10) for number in range(LEAST_ROUNDS + 1)]
    return found | {f"{CELL}/{methods.PULSE}": np.array(felt, dtype=np.int64)}


def test_what_earlier_runs_foretell_is_held_against_each_that_follows() -> None:
    runs = [
        {"speedup": [value, value / 1.04, 1.04 * value], "precision_pct": 2.0, "replicates": 8, "disturbed": False}
        for value in (2.4, 2.42, 2.38, 4.0, 2.4)
    ]
    assert trust_figures._foretold(runs[:1]) == [0, 0]
    assert trust_figures._foretold(runs) == [3, 4]
    assert trust_figures._minutes_hold(runs[0], 2.44)
    assert not trust_figures._minutes_hold(runs[0], 2.46), "Its stated interval would."


def test_a_run_is_marked_by_what_it_and_those_before_it_felt() -> None:
    raw = raw_of(np.random.default_rng(0), 4.0)
    assert not judged.cells(raw, {})[CELL]["disturbed"]
    assert not judged.cells(raw, {2: 4_500.0, 1: 1_000.0})[CELL]["disturbed"]
    assert judged.cells(raw, {2: 3_000.0})[CELL]["disturbed"]
    elsewhere = {key.replace("lstm-classifier", "transformer-encoder"): own for key, own in raw.items()}
    calm = raw_of(np.random.default_rng(1), 4.0)
    calm[f"{CELL}/{methods.PULSE}"][:, 2] = 3_000
    found = judged.cells(calm | elsewhere, {})
    assert [found[cell]["disturbed"] for cell in (CELL, "transformer-encoder/2")] == [False, True]


def test_runs_that_are_marked_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    raws = [raw_of(rng, 4.0) for _ in range(4)]
    raws[-1][f"{CELL}/{INT8}"][:, 2] //= 2
    raws[-1][f"{CELL}/{methods.PULSE}"][:, 2] = 9_000
    runs = [
        {"cells": judged.cells(raw, {2: 5_000.0}), "theirs": {CELL: theirs}}
        for raw, theirs in zip(raws, (2.4, 2.6, 2.5, 2.5), strict=True)
    ]
    found = trust_figures.of_cell(runs, raws, CELL)
    assert found["ours"]["runs"] == 4
    assert found["ours"]["cv_pct"] > 20
    assert found["held_the_mean"] == 0, "It lies between them all."
    assert found["undisturbed"]["runs"] == found["undisturbed"]["held_the_mean"] == 3
    assert found["undisturbed"]["ours"]["cv_pct"] < 1
    for run, raw in zip(runs, raws, strict=True):
        run["cells"] = judged.cells(raw, {2: 1_000.0})
    found = trust_figures.of_cell(runs, raws, CELL)
    assert found["undisturbed"] == {"runs": 0}
    assert found["between_hours"]["processes_pct"] is None


def test_one_undisturbed_run_is_not_held_against_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_figures, "SIMULATED", 10)
    raw = raw_of(np.random.default_rng(0), 4.0)
    runs = [
        {"cells": judged.cells(raw, {2: known_ns}), "theirs": {CELL: theirs}, "noisy": noisy, "seconds": 60.0}
        for noisy in (False, True)
        for known_ns, theirs in ((5_000.0, 2.4), (1_000.0, 2.6))
    ]
    for run, speedup in zip(runs, (2.4, 2.5, 2.6, 2.5), strict=True):
        run["cells"][CELL]["speedup"] = [speedup, 0.9 * speedup, 1.1 * speedup]
    found = trust_figures.report(runs, [raw] * 4)
    assert [cell["undisturbed"] for cell in found["cells"].values()] == [{"runs": 1}] * 2
    assert found["coverage_of_the_mean"]["called"] == 4
    assert found["undisturbed_coverage_of_their_mean"] == {"called": 0, "of": 0, "share": None, "interval": None}


def test_what_no_run_knows_is_told_from_how_far_its_processes_lie_apart() -> None:
    rng, raws = np.random.default_rng(0), []
    for hour in rng.normal(0, 0.03, 60):
        raw = raw_of(rng, 4.0)
        factors = np.exp(hour + rng.normal(0, 0.02, 10))
        samples = raw[f"{CELL}/{INT8}"]
        samples[:, 2] = 0.4 * raw[f"{CELL}/baseline"][:, 2] * factors[samples[:, 0]]
        raws.append(raw)
    found = processes_apart.report(raws, CELL, INT8)
    assert 2 <= found["processes_pct"] <= 4, "The fastest calls of all turn on few of them."
    assert found["runs_beyond_pct"] == pytest.approx(3.0, rel=0.3)
    assert 0.6 < found["share_of_processes"] < 2, "Hours lie 3 % apart, and processes 2 to 4."
    assert found["share_of_the_speed_up"] == pytest.approx(0.03 / np.log(2.5), rel=0.3)
    assert processes_apart.report(raws[:1], CELL, INT8)["processes_pct"] is None


def test_a_run_is_judged_by_what_the_clock_said() -> None:
    cell = judged.cells(raw_of(np.random.default_rng(0), 4.0), {})[CELL]
    assert cell["verdicts"] == {"control": "same", "copy": "same", "slower-3": "slower", "slower-5": "slower"}
    estimate, low, high = cell["speedup"]
    assert estimate == pytest.approx(2.5, rel=0.01)
    assert low < estimate < high
    assert cell["replicates"] == 10
    assert cell["precision_pct"] < 100 * (high / estimate - 1)


def test_a_simulated_study_stops_when_it_is_as_sure_as_asked() -> None:
    rng, effort = np.random.default_rng(0), methods.default()

    def study(noise: float) -> list[Any]:
        places = np.array([(r, n) for r in range(effort.most_replicates) for n in range(LEAST_ROUNDS)])
        return [
            np.column_stack([places, 1e6 * np.exp(rng.normal(0, noise, len(places)))]).astype(np.int64)
            for _ in range(3)
        ]

    assert [ratio.replicates for ratio in trust_figures._stopped(study(0.001))] == [effort.replicates] * 2
    assert [ratio.replicates for ratio in trust_figures._stopped(study(0.5))] == [effort.most_replicates] * 2
