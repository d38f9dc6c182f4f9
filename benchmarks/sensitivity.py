"""Does layer sensitivity find the layer that was made fragile, and get the accuracy back for a part of the speed-up?

    python benchmarks/sensitivity.py [--quick] [--no-mobilenet]

Twenty models are made of the trained small CNN, four of each layer behind another one. Of the layer's input channels
one is made a copy of another, and to the weights of the two is added and subtracted 64 or 256 times the layer's
largest weight: in FP32 the two cancel out, and in INT8 the outliers take all of the grid that the other weights are
rounded to. The channel that gives way to the copy is drawn from the quarter that contributes least; FP32 is that of
the planted model.

For each: whether the planted layer is the most sensitive one and stays in FP32, the accuracy of FP32, static INT8 and
mixed INT8 on all test rows, and their times, called in turn and in random order in one process on one thread. Must
reach, in every model: found, within 0.5 pp of FP32, and at least 70 % of static INT8's speed-up kept. On MobileNetV2,
as it is, it reports what was found and the seconds that took. Takes about ten minutes, during which nothing else may
run; `--quick` makes four models. The last line is one JSON document; speed-ups are FP32 / variant.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from efficiency import workloads  # noqa: E402
from efficiency.machine import this_machine  # noqa: E402
from efficiency.techniques import TECHNIQUES, compose  # noqa: E402
from efficiency.techniques.base import Data  # noqa: E402

if TYPE_CHECKING:
    import torch
    from torch import nn

PLACES = {"3": "1", "7": "4", "10": "8", "14": "11", "19": "15"}
"""The small CNN's layers behind another one, and the batch norm that gives each its channels."""
FACTORS = (64, 256)
SEEDS = (0, 1)
LEAST_KEPT, MOST_LOST_PP = 0.70, 0.5
CALIBRATION_ROWS, TRAINING_ROWS, QUICK_TEST_ROWS = 256, 1_024, 2_000
QUIET_SHARE = 0.25
ROUNDS, CALLS = 60, 5
VARIANTS: dict[str, tuple[str, ...]] = {"fp32": (), "static": ("static-int8",), "mixed": ("mixed-int8",)}
STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


class Rows:
    """A workload's reference model and its rows."""

    def __init__(self, name: str, test_rows: int | None) -> None:
        import torch

        from efficiency.workloads import checkpoints

        workload = workloads.get(name)
        data = workload.dataset(None)
        self.model = checkpoints.load(workload, data)
        train, test = data.load("train", TRAINING_ROWS), data.load("test", test_rows)
        calibration = workload.encode(data.load("calibration", CALIBRATION_ROWS).inputs)
        training = workload.encode(train.inputs), torch.from_numpy(train.labels)
        self.data = Data(lambda: calibration, lambda: training)
        self.calibration = calibration
        self.inputs, self.labels = workload.encode(test.inputs), torch.from_numpy(test.labels)

    def accuracy_pct(self, call: Callable[[torch.Tensor], torch.Tensor]) -> float:
        """On the test rows."""
        import torch

        answers = torch.cat([call(rows).argmax(dim=1) for rows in self.inputs.split(250)])  # type: ignore[no-untyped-call]
        return 100 * float((answers == self.labels).double().mean())


def fragile(model: nn.Module, calibration: torch.Tensor, layer: str, factor: int, seed: int) -> nn.Module:
    """A copy with outliers in the weights of one layer, two by two, which cancel each other out in FP32."""
    import torch

    planted = copy.deepcopy(model)
    part, norm = planted.get_submodule(layer), planted.get_submodule(PLACES[layer])
    before = planted.get_submodule(str(int(PLACES[layer]) - 1))
    given: list[torch.Tensor] = []
    hook = part.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.no_grad():
        planted(calibration)
        hook.remove()
        size = given[0].transpose(0, 1).flatten(1).abs().mean(1)
        strength = size * part.weight.transpose(0, 1).flatten(1).norm(dim=1)  # type: ignore[operator]
        ranked, drawn = strength.argsort().tolist(), random.Random(seed)
        few = int(QUIET_SHARE * len(ranked))
        copied, channel = drawn.choice(ranked[few:]), drawn.choice(ranked[:few])
        for given_by in (before.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var):
            given_by[channel] = given_by[copied]  # type: ignore[index, operator]
        outlier = factor * part.weight.abs().max()  # type: ignore[operator]
        part.weight[:, channel] = -outlier  # type: ignore[operator]
        part.weight[:, copied] += outlier  # type: ignore[index, operator]
    return planted


def latencies_ms(calls: dict[str, Callable[[torch.Tensor], torch.Tensor]], sample: torch.Tensor) -> dict[str, float]:
    """Median milliseconds a call on one thread; every round calls all in a fresh random order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {key: [] for key in calls}
    order, shuffled = list(calls), random.Random(0)
    for _ in range(ROUNDS):
        shuffled.shuffle(order)
        for key in order:
            calls[key](sample)  # what the others left in the caches
            started = time.perf_counter()
            for _ in range(CALLS):
                calls[key](sample)
            found[key].append(1e3 * (time.perf_counter() - started) / CALLS)
    torch.set_num_threads(threads)
    return {key: statistics.median(times) for key, times in found.items()}


def measured(model: nn.Module, rows: Rows) -> dict[str, Any]:
    """What the analysis finds of a model, and what static and mixed INT8 make of it."""
    sample = rows.inputs[:1]
    calls, learned_s, shown = {}, 0.0, None
    for key, keys in VARIANTS.items():
        started = time.perf_counter()
        learned = compose.learn(keys, model, sample, rows.data)
        learned_s = time.perf_counter() - started
        prepared = compose.prepare(keys, model, sample, learned)
        calls[key] = prepared.caller()
        if key == "mixed":
            shown = TECHNIQUES["mixed-int8"].evidence(prepared, sample, model)
    assert shown is not None
    accuracy_pct = {key: rows.accuracy_pct(call) for key, call in calls.items()}
    p50_ms = latencies_ms(calls, sample)
    ranked = sorted(shown.layers, key=lambda layer: layer.gain, reverse=True)
    return {
        "most_sensitive": ranked[0].name,
        "in_fp32": [layer.name for layer in shown.layers if layer.in_fp32],
        "layers": len(shown.layers),
        "gain_pct": {layer.name: round(100 * layer.gain, 1) for layer in ranked[:6]},
        "said": shown.reason,
        "accuracy_pct": {key: round(value, 2) for key, value in accuracy_pct.items()},
        "static_lost_pp": round(accuracy_pct["fp32"] - accuracy_pct["static"], 2),
        "mixed_lost_pp": round(accuracy_pct["fp32"] - accuracy_pct["mixed"], 2),
        "latency_ms_p50": {key: round(value, 4) for key, value in p50_ms.items()},
        "static_speedup": round(p50_ms["fp32"] / p50_ms["static"], 3),
        "mixed_speedup": round(p50_ms["fp32"] / p50_ms["mixed"], 3),
        "kept_of_speedup": round(p50_ms["static"] / p50_ms["mixed"], 3),
        "analysis_s": round(learned_s, 1),
    }


def judged(layer: str, found: dict[str, Any]) -> dict[str, bool]:
    return {
        "found": found["most_sensitive"] == layer and layer in found["in_fp32"],
        "accuracy": found["mixed_lost_pp"] <= MOST_LOST_PP,
        "speed": found["kept_of_speedup"] >= LEAST_KEPT,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Layer sensitivity on models with a layer made fragile.")
    parser.add_argument("--quick", action="store_true", help="four models and fewer test rows, for a first look")
    parser.add_argument("--no-mobilenet", action="store_true", help="leave MobileNetV2 out")
    options = parser.parse_args()
    wanted = [(layer, factor, seed) for layer in PLACES for factor in FACTORS for seed in SEEDS]
    if options.quick:
        wanted = [wanted[place] for place in (0, 6, 9, 17)]
    rows = Rows("vision-small-cnn", QUICK_TEST_ROWS if options.quick else None)
    models = []
    for layer, factor, seed in wanted:
        found = measured(fragile(rows.model, rows.calibration, layer, factor, seed), rows)
        planted = {"layer": layer, "factor": factor, "seed": seed}
        models.append({"planted": planted, **found, "reached": judged(layer, found)})
        say(f"{planted}: {found['in_fp32']} in FP32, {found['mixed_lost_pp']} pp lost, {found['kept_of_speedup']} kept")
    report: dict[str, Any] = {
        "benchmark": "sensitivity",
        "machine": this_machine().label,
        "must_reach": {"kept_of_speedup": LEAST_KEPT, "lost_pp": MOST_LOST_PP, "models": len(models)},
        "reached": {key: sum(model["reached"][key] for model in models) for key in ("found", "accuracy", "speed")},
        "models": models,
    }
    if not options.no_mobilenet:
        say("MobileNetV2")
        mobile = Rows("vision-mobilenet-v2", QUICK_TEST_ROWS if options.quick else None)
        report["mobilenet_v2"] = measured(mobile.model, mobile)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
