"""The best of our variants against what people would otherwise set up, in one paired run a cell.

    python benchmarks/best_of.py [--quick] [--workload W]... [--threads N]... [--batch-size N]... [--rows N]
                                 [--keep FOLDER]

A cell is a workload, a number of threads and a batch size. First every candidate of the workload is prepared and
answers the test rows; those that lose at most half a point are timed, and the fastest is the best of ours. No figure
rests on that timing, so that luck in choosing does not count. Then all are timed together as a study does it, in
fresh processes and in random order: FP32 eager and its control, the best of ours, `torch.compile`, ONNX Runtime INT8
and OpenVINO INT8 written by hand (`peers.py`), our integrations of the last two, each held against what is written by
hand with the same settings, and what the INT8 of ours is compared with to see its own gain: the same runtimes in FP32.

Processes are added until every ratio with a goal is told from it by its interval, or there are 24. Takes two to six
minutes a cell, during which nothing else may run; `--keep` goes on from what a run that was broken off left. The last
line is one JSON document; speed-ups are baseline / variant, ratios are peer / ours: above 1 ours is faster.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks")]

import peers  # noqa: E402
from cells import Cell, Heat, Plan  # noqa: E402

from efficiency.condition import Condition  # noqa: E402
from efficiency.engine import ceilings  # noqa: E402
from efficiency.machine import this_machine  # noqa: E402

Keys = tuple[str, ...]

CONVOLUTIONS: tuple[Keys, ...] = (
    ("static-int8", "optimize-for-inference"),
    ("onnxruntime-static-int8",),
    ("openvino-int8",),
)
CANDIDATES: dict[str, tuple[Keys, ...]] = {
    "vision-small-cnn": CONVOLUTIONS,
    "vision-resnet18": CONVOLUTIONS,
    "vision-mobilenet-v2": CONVOLUTIONS,
    "lstm-classifier": (
        ("dynamic-int8",),
        ("dynamic-int8", "optimize-for-inference"),
        ("int8-lstm",),
        ("onnxruntime-dynamic-int8",),
        ("openvino-int8",),
    ),
    "transformer-encoder": (
        ("dynamic-int8", "optimize-for-inference"),
        ("static-int8", "optimize-for-inference"),
        ("onnxruntime-dynamic-int8",),
        ("openvino-int8",),
    ),
}
IN_FP32: dict[Keys, Keys] = {
    ("dynamic-int8",): (),
    ("int8-lstm",): (),
    ("dynamic-int8", "optimize-for-inference"): ("optimize-for-inference",),
    ("static-int8", "optimize-for-inference"): ("optimize-for-inference",),
    ("onnxruntime-dynamic-int8",): ("onnxruntime",),
    ("onnxruntime-static-int8",): ("onnxruntime",),
    ("openvino-int8",): ("openvino",),
}
"""What runs the same way, but in FP32: the gain over it is INT8's own."""
LEAST_SPEEDUP = {
    "vision-resnet18": {1: 4.0, 8: 4.0},
    "vision-mobilenet-v2": {1: 4.0, 8: 4.0},
    "lstm-classifier": {1: 4.0, 8: 2.5},
    "transformer-encoder": {1: 2.5, 8: 2.5},
}
"""By batch size; the small CNN has none."""
SAME_SETTINGS = {peers.ONNX_RUNTIME_STATIC: peers.ONNX_RUNTIME_STATIC_PER_CHANNEL}
"""By what is written as its documentation has it: the same with the settings of ours, where they differ."""
LEAST_OF_BEST_PEER, LEAST_OF_BY_HAND, MOST_LOST_PP = 0.98, 0.97, 0.5


def hand_written(workload: str) -> dict[Keys, str]:
    """The peers that do what one of our own integrations does, by ours."""
    transformer, vision = workload == "transformer-encoder", workload.startswith("vision")
    onnx = "onnxruntime-static-int8" if vision else "onnxruntime-dynamic-int8"
    return {
        (onnx,): peers.ONNX_RUNTIME_STATIC if vision else peers.ONNX_RUNTIME_DYNAMIC,
        ("openvino-int8",): peers.OPENVINO_TRANSFORMER if transformer else peers.OPENVINO,
    }


def chosen(cell: Cell, candidates: tuple[Keys, ...]) -> Keys:
    """The fastest that keeps its accuracy, by a timing of its own."""
    able = [keys for keys in candidates if (cell.lost_pp(keys) or 0.0) <= MOST_LOST_PP]
    if not able:
        raise SystemExit(f"{cell.label}: no candidate keeps its accuracy to within {MOST_LOST_PP} points.")
    heat = cell.time(able, first=True)
    return max(able, key=lambda keys: heat.ratio((), keys).estimate)


def measured(cell: Cell) -> dict[str, Any]:
    """All figures of a cell, and what of the goals it reaches."""
    workload, batch_size = cell.workload, cell.condition.batch_size
    by_hand = hand_written(workload)
    candidates = CANDIDATES[workload]
    floats = sorted({IN_FP32[keys] for keys in (*candidates, *by_hand)} - {()})
    alike = {ours: SAME_SETTINGS.get(peer, peer) for ours, peer in by_hand.items()}
    written = {(key,): None for key in (*by_hand.values(), *alike.values())}
    cell.prepare([(), *candidates, *by_hand, *floats, *written])
    best = chosen(cell, candidates)
    others: list[Keys] = [(peers.TORCH_COMPILE,), *written]
    least = LEAST_SPEEDUP.get(workload, {}).get(batch_size)

    def settled(heat: Heat) -> bool:
        """Whether every ratio with a goal is told from it."""
        goals = [(heat.ratio(peer, best), LEAST_OF_BEST_PEER) for peer in others]
        goals += [(heat.ratio((peer,), ours), LEAST_OF_BY_HAND) for ours, peer in alike.items()]
        goals += [] if least is None else [(heat.ratio((), best), least)]
        return all(ratio.told_from(goal) for ratio, goal in goals)

    heat = cell.time(list(dict.fromkeys([best, *others, *by_hand, *floats])), settled=settled)

    def against(peer: Keys, ours: Keys) -> dict[str, Any]:
        return heat.ratio(peer, ours).as_dict()

    ratios = {peer[0]: against(peer, best) for peer in others}
    integration = {ours[0]: against((peer,), ours) for ours, peer in alike.items()}
    in_int8 = dict.fromkeys([best, *by_hand])
    worst = min(ratios.values(), key=lambda ratio: ratio["ratio"])
    speedup = heat.ratio((), best)
    return {
        "workload": workload,
        "threads": cell.condition.threads,
        "batch_size": batch_size,
        "best": "+".join(best),
        "replicates": heat.replicates,
        "variants": cell.described(heat),
        "control": heat.control().as_dict(),
        "best_against": ratios,
        "integration_against_by_hand": integration,
        "over_same_runtime_in_fp32": {"+".join(keys): against(IN_FP32[keys], keys) for keys in in_int8},
        "must_reach": {"speedup": least, "of_fastest_peer": LEAST_OF_BEST_PEER, "of_by_hand": LEAST_OF_BY_HAND},
        "reached": {
            "speedup": None if least is None else speedup.estimate >= least,
            "of_fastest_peer": worst["ratio"] >= LEAST_OF_BEST_PEER,
            "of_by_hand": all(ratio["ratio"] >= LEAST_OF_BY_HAND for ratio in integration.values()),
        },
    }


STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="The best of ours against what is set up by hand.")
    parser.add_argument("--quick", action="store_true", help="fewer test rows and processes, for a first look")
    parser.add_argument("--workload", action="append", choices=list(CANDIDATES), help="all, unless named")
    parser.add_argument("--threads", action="append", type=int, help="1 and 2, unless given")
    parser.add_argument("--batch-size", action="append", type=int, help="1 and 8, unless given")
    parser.add_argument("--rows", type=int, help="test rows that accuracy is measured on")
    parser.add_argument("--keep", type=Path, help="an empty folder for what is prepared and timed: go on from it")
    options = parser.parse_args()
    peers.register()
    machine = this_machine()
    say("Measuring what the machine can do")
    ceiling = ceilings.known_or_measured(machine)
    plan = Plan.quick() if options.quick else Plan()
    plan = plan.with_rows(options.rows)
    cells = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        for workload in options.workload or list(CANDIDATES):
            folder = (options.keep or Path(temporary)) / f"{workload}-{plan.test_rows}-{plan.replicates}"
            folder.mkdir(parents=True, exist_ok=True)
            for threads in options.threads or [1, 2]:
                for batch_size in options.batch_size or [1, 8]:
                    condition = Condition(batch_size=batch_size, threads=threads)
                    cells.append(measured(Cell(workload, condition, plan, machine, ceiling, folder, say)))
    print(json.dumps({"benchmark": "best_of", "machine": machine.label, "plan": plan.as_dict(), "cells": cells}))


if __name__ == "__main__":
    main()
