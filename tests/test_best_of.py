"""What `benchmarks/best_of.py` compares is what it says; timing itself is the engine's, and tested there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from efficiency import paths, techniques, workloads
from efficiency.analysis import stillness
from efficiency.engine import arrays
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.techniques import compose, matrix_table

sys.path.insert(0, str(paths.PROJECT / "benchmarks"))
import best_of
import cells
import copies
import methods

from efficiency.effort import Effort


def test_every_workload_has_candidates_that_stand_together_there() -> None:
    assert list(best_of.CANDIDATES) == list(workloads.WORKLOADS)
    for name, candidates in best_of.CANDIDATES.items():
        for keys in candidates:
            assert compose.clash(keys) is None
            assert compose.why_not(keys, workloads.get(name), cells.Condition(), matrix_table.MACHINE) is None
            in_fp32 = best_of.IN_FP32[keys]
            assert compose.arithmetic(keys) == "int8"
            assert compose.arithmetic(in_fp32) == "fp32"


@pytest.mark.parametrize("name", best_of.CANDIDATES)
def test_both_integrations_are_candidates_and_have_a_peer_that_is_none_of_ours(name: str) -> None:
    by_hand = best_of.hand_written(name)
    assert set(by_hand) <= set(best_of.CANDIDATES[name])
    assert not set(by_hand.values()) & set(techniques.TECHNIQUES)
    assert {"onnxruntime", "openvino"} == {peer.split("-")[1] for peer in by_hand.values()}


def replicate(latencies_ns: dict[str, float], seed: int) -> dict[str, object]:
    """What a replicate answers of eight rounds on a still machine."""
    rng, rounds = np.random.default_rng(seed), np.repeat(np.arange(8), 5)
    samples = {
        key: np.column_stack([rounds, rng.normal(ns, ns / 1_000, len(rounds)).astype(np.int64)])
        for key, ns in latencies_ns.items()
    }
    return {
        "samples": {key: arrays.to_text(values) for key, values in samples.items()},
        "handoff_ns": arrays.to_text(np.full(9, 5_000)),
    }


def test_a_ratio_is_the_others_latency_by_ours() -> None:
    heat = cells.Heat()
    for number in range(4):
        heat.add(number, replicate({"baseline": 8e5, "control": 8e5, "openvino-int8": 2e5, "a+b": 4e5}, number))
    assert heat.ratio((), ("openvino-int8",)).estimate == pytest.approx(4, rel=0.01)
    assert heat.ratio(("a", "b"), ("openvino-int8",)).estimate == pytest.approx(2, rel=0.01)
    assert heat.control().low <= 1 <= heat.control().high
    assert heat.timed() == [(), ("openvino-int8",), ("a", "b")]


def test_a_ratio_is_told_from_what_lies_outside_its_interval() -> None:
    ratio = cells.Ratio(1.0, 0.96, 1.04)
    assert [ratio.told_from(bound) for bound in (0.95, 0.97, 1.05)] == [True, False, True]


@pytest.fixture
def registry() -> Iterator[None]:
    """The registry of techniques, as it was once the test is over: the benchmarks put their own in."""
    before = dict(techniques.TECHNIQUES)
    yield
    techniques.TECHNIQUES.clear()
    techniques.TECHNIQUES.update(before)


@pytest.mark.usefixtures("registry")
def test_a_cell_is_prepared_and_timed_by_the_engine(tmp_path: Path) -> None:
    plan = cells.Plan(32, 16, replicates=2, most_replicates=4, seconds_a_variant=0.05)
    cell = cells.Cell("vision-small-cnn", cells.Condition(), plan, this_machine(), None, tmp_path, lambda _: None)
    ours = ("channels-last",)
    cell.prepare([(), ours])
    heat = cell.time([ours])
    assert heat.replicates == 2
    assert cell.time([ours], settled=lambda heat: heat.replicates == 3).replicates == 3
    assert cell.time([ours], settled=lambda heat: False).replicates == 4
    assert set(heat.timed()) == {(), ours}
    assert cell.lost_pp(ours) == 0
    assert cell.described(heat)["channels-last"]["latency_ms_p50"] > 0


@pytest.mark.usefixtures("registry")
def test_both_methods_of_trust_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "INT8", {"vision-small-cnn": "static-int8"})
    monkeypatch.setattr(methods, "THREADS", (1,))
    store = Store.open(f"sqlite:///{tmp_path / 'studies.db'}")
    ours = methods.Ours(tmp_path, store, Effort(16, 16, 0, 2, 0.3))
    known, raw = ours.run(0)
    assert not known
    rows = ours.store.rows(None)
    assert set(rows["status"]) == {"done"}
    assert set(copies.SLOWER) < set(rows["variant"])
    assert set(raw) == {
        f"vision-small-cnn/1/{of}" for of in ("baseline", "control", "static-int8", copies.COPY, methods.PULSE)
    }
    again, _ = ours.run(1)
    assert again == {1: stillness.undisturbed_ns(raw[f"vision-small-cnn/1/{methods.PULSE}"])}
    assert methods.theirs(ours, "vision-small-cnn", 1, 0.5) > 0
