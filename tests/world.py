"""Databases in which it is known what holds: rows of every variant that claims ask for, made without measuring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import at_once
import numpy as np

from efficiency import ceiling, workloads
from efficiency.analysis import derive
from efficiency.ceiling import Ceiling, Rates
from efficiency.claims import CLAIMS, Here, judged, plan
from efficiency.claims.base import Need
from efficiency.condition import Condition
from efficiency.drift import shifts
from efficiency.engine import arrays
from efficiency.machine import Machine
from efficiency.results import drifts
from efficiency.results.store import Store
from efficiency.study import Study, Variant, expand

TEST_ROWS, REPLICATES, ROUNDS = 1_500, 6, 24


@dataclass(frozen=True)
class Truth:
    """What a variant is, as multiples of the baseline where not said otherwise."""

    speedup: float = 1.0
    right: float = 0.93
    """Share of the test rows."""
    smaller: float = 1.0
    memory: float = 1.0
    energy: float = 1.0
    prepare_s: float = 0.1
    share: float = 1.0
    """Of the weights that were quantized."""


World = Callable[[str, str, Condition], Truth]
"""(workload, variant, condition) to its truth."""

LATENCY_MS = {"vision-small-cnn": 0.6, "vision-mobilenet-v2": 13.0, "vision-resnet18": 17.0}


def holding(workload: str, variant: str, condition: Condition) -> Truth:
    """All that the article says is so."""
    right = {"vision-small-cnn": 0.89, "vision-mobilenet-v2": 0.92, "vision-resnet18": 0.95}.get(workload, 0.92)
    kinds = {
        "dynamic-int8": Truth(2.4, right, 3.9, 0.8, prepare_s=0.2),
        "static-int8": Truth(2.9, right - 0.03, 3.8, 0.8, prepare_s=3.0),
        "mixed-int8": Truth(2.9, right - 0.03, 3.8, 0.8, prepare_s=9.0),
        "qat-int8": Truth(3.0, right, 3.8, 0.8, prepare_s=30.0),
        "int8-dynamic": Truth(1.4, right, 3.0, prepare_s=0.2),
        "int4-weight-only": Truth(0.8, right, 6.4, 0.8),
        "onnxruntime": Truth(1.2, right),
        "onnxruntime-dynamic-int8": Truth(2.5, right),
        "onnxruntime-static-int8": Truth(3.2, right),
        "inference-mode": Truth(1.1, right),
        "grad-enabled": Truth(0.95, right),
        "channels-last": Truth(1.3, right),
        "optimize-for-inference": Truth(1.4, right),
        "fast-path": Truth(1.95 if condition.padding_pct else 1.2, right),
        "amp-bf16": Truth(1.0, right, memory=0.7),
        "bf16-weights": Truth(1.0, right, 1.99, energy=0.6),
        "fp16-weights": Truth(1.0, right, 1.99, energy=0.7),
    }
    return kinds.get(variant, Truth(right=right))


def opposite(workload: str, variant: str, condition: Condition) -> Truth:
    """None of it is."""
    right = {"vision-small-cnn": 0.95, "vision-mobilenet-v2": 0.92, "vision-resnet18": 0.89}.get(workload, 0.92)
    kinds = {
        "dynamic-int8": Truth(0.9, right, 1.2, 1.3, prepare_s=40.0, share=0.3),
        "static-int8": Truth(0.8, right, 1.2, 1.3, prepare_s=3.0, share=0.3),
        "mixed-int8": Truth(0.8, right, 1.2, 1.3, prepare_s=9.0, share=0.3),
        "qat-int8": Truth(0.7, right - 0.03, 1.2, 1.3, prepare_s=4.0, share=0.3),
        "int8-dynamic": Truth(0.7, right, 1.2, 1.3, share=0.3),
        "int4-weight-only": Truth(0.8, right, 1.3, 1.3, share=0.3),
        "onnxruntime": Truth(1.2, right),
        "onnxruntime-dynamic-int8": Truth(1.0, right),
        "onnxruntime-static-int8": Truth(0.9, right),
        "inference-mode": Truth(0.9, right),
        "channels-last": Truth(0.8, right),
        "optimize-for-inference": Truth(0.8, right),
        "fast-path": Truth(0.9, right),
        "amp-bf16": Truth(1.0, right, memory=1.3),
        "bf16-weights": Truth(1.0, right, 1.0, energy=1.5),
        "fp16-weights": Truth(1.0, right, 1.0, energy=1.5),
    }
    return kinds.get(variant, Truth(right=right))


def on_the_line(workload: str, variant: str, condition: Condition) -> Truth:
    """Every figure that has an interval lies where the verdict turns."""
    if variant == "fast-path":
        return Truth(1.8)
    if "int8" in variant:
        return Truth(2.0)
    return Truth()


def everything(machine: Machine) -> list[Need]:
    """All that claims ask for where nothing is measured."""
    nothing = Here(machine, (), None)
    return plan.missing(judged(claim, nothing) for claim in CLAIMS.values())


def not_here(machine: Machine) -> set[str]:
    """Claims that this version cannot test, by whether it takes what they ask for at all."""
    nothing = Here(machine, (), None)
    return {key for key, claim in CLAIMS.items() if judged(claim, nothing).verdict == "not-testable"}


def fill(
    store: Store,
    machine: Machine,
    world: World,
    needs: Iterable[Need] | None = None,
    *,
    between: float = 0.003,
    seed: int = 0,
    int8: float = 3.0,
) -> list[str]:
    """The studies that claims would have measured, as they come out in this world, and their ids.

    `between` is how far processes lie apart, as a standard deviation of logarithms; `int8` is how much faster the
    hardware multiplies integers.
    """
    peaks(machine, int8)
    if needs is None:
        drift(store, machine, world)
    asked = plan.studies(everything(machine) if needs is None else needs, machine)
    return [_study(store, study, machine, world, between, seed) for study in asked]


DRIFTING = {"holding": (0.04, 0.04), "opposite": (-0.04, -0.04), "on_the_line": (0.0, 0.0)}
"""By world: the share of rows that dynamic INT8 keeps and static does not, and that calibrating anew wins back."""


def drift(store: Store, machine: Machine, world: World) -> None:
    """The measurements of drift that claims would have asked for, as they come out in this world."""
    nothing = Here(machine, (), None)
    for workload in plan.drifts(judged(claim, nothing) for claim in CLAIMS.values()):
        data = workloads.describe(workload).dataset(None)
        keys = [shift.key for shift in shifts.of_kind(data.kind)]
        cells = [_drifted(variant, "none", 0, world.__name__) for variant in KINDS]
        for key in keys:
            cells += [_drifted(variant, key, grade, world.__name__) for variant in KINDS for grade in shifts.GRADES]
        drifts.keep(
            store, workload=workload, dataset=data.key, machine=machine.as_dict(),
            asked={"shifts": keys, "test_rows": TEST_ROWS}, cells=cells,
        )  # fmt: skip


KINDS = ("baseline", "dynamic-int8", "static-int8")


def _drifted(variant: str, shift: str, grade: int, world: str) -> dict[str, object]:
    """Static INT8 answers two rows in three; dynamic, and static calibrated anew, some more or fewer at every grade."""
    kept, won = DRIFTING[world] if grade else (0.0, 0.0)
    easy = np.random.default_rng(3).permutation(TEST_ROWS)

    def right(share: float) -> str:
        luck = np.random.default_rng([grade, *variant.encode()]).random(TEST_ROWS) < 0.02
        return arrays.to_text(((easy < share * TEST_ROWS) ^ luck).astype("uint8"))

    cell: dict[str, object] = {
        "variant": variant, "shift": shift, "grade": grade,
        "rows": arrays.to_text(np.arange(TEST_ROWS, dtype="uint16")),
        "correct": right(2 / 3 + (kept if variant == "dynamic-int8" else 0.0)), "ranges": {},
    }  # fmt: skip
    return cell | ({"recalibrated_correct": right(2 / 3 + won)} if variant == "static-int8" and grade else {})


def peaks(machine: Machine, int8: float = 3.0) -> None:
    """What the machine can do, as if it had been measured."""
    gops = {"fp32": 100.0, "bf16": 0.0, "fp16": 0.0, "int8": 100.0 * int8}
    ceiling.keep(Ceiling(machine.key, "2026-01-05T10:00:00+00:00", 32.0, (Rates("cpu", 1, gops, 20.0),)))


def _study(store: Store, study: Study, machine: Machine, world: World, between: float, seed: int) -> str:
    kept: list[at_once.Row] = []
    possible = [entry for entry in expand(study, machine) if entry.why_not is None]
    for workload in study.workloads:
        for condition in study.conditions:
            entries = [entry for entry in possible if (entry.workload, entry.condition) == (workload, condition)]
            rows = [_measured(workload, entry.variant, condition, world, between, seed) for entry in entries]
            for entry, (row, truth), columns in zip(entries, rows, derive.heat([row for row, _ in rows]), strict=True):
                named = identity(workload, entry.variant, condition, machine) | columns
                kept.append(at_once.Row(named, details(row, truth), row.samples, row.predicted, row.labels))
    return at_once.keep(store, study.as_dict(), kept, name=study.name, machine=machine.as_dict(), command="made up")


def identity(workload: str, variant: Variant, condition: Condition, machine: Machine) -> dict[str, object]:
    declared = workloads.describe(workload)
    return {
        "recorded_at": "2026-01-05T10:00:00+00:00",
        "machine": machine.label,
        "device": condition.device,
        "workload": workload,
        "family": declared.family,
        "model": declared.model,
        "dataset": declared.dataset(None).key,
        "variant": variant.key,
        "techniques": "+".join(variant.techniques) or None,
        "batch_size": condition.batch_size,
        "threads": condition.threads,
        "torch_version": machine.torch_version,
        "length": declared.length,
        "padding_pct": max(12.0, condition.padding_pct - 0.3) if declared.length else None,
        "phase": condition.phase,
    }


def details(row: derive.Measured, truth: Truth) -> dict[str, object]:
    figures = {"int8_weight_share": truth.share, "int4_weight_share": truth.share}
    energy = 10.0 * truth.energy
    return {
        "evidence": {row.variant: {"took_effect": "yes", "reason": "It did.", "figures": figures}},
        "energy": {"mj": energy, "low_mj": 0.98 * energy, "high_mj": 1.02 * energy},
    }


def _measured(
    workload: str, variant: Variant, condition: Condition, world: World, between: float, seed: int
) -> tuple[derive.Measured, Truth]:
    truth = world(workload, variant.key, condition)
    # A row's luck is its own: it does not turn on which other variants there are.
    rng = np.random.default_rng([seed, *f"{workload} {variant.key} {condition}".encode()])
    row = derive.Measured(variant.key, variant.control, condition.batch_size, "done")
    labels = np.random.default_rng(1).integers(0, 10, TEST_ROWS)
    if not variant.control:
        # The hardest rows are the same for all, but for a few that each answers by luck.
        hardness = np.random.default_rng(2).permutation(TEST_ROWS) / TEST_ROWS + rng.normal(0, 0.002, TEST_ROWS)
        row.labels, row.predicted = labels, np.where(hardness > truth.right, (labels + 1) % 10, labels)
        row.size_bytes, row.prepare_s, row.load_s = int(20e6 / truth.smaller), truth.prepare_s, 0.1
        row.peak_memory_mb, row.energy_mj = 300 * truth.memory, 10.0 * truth.energy
    latency_ms = LATENCY_MS.get(workload, 5.0) / truth.speedup
    noise = rng.lognormal(0, 0.01, REPLICATES * ROUNDS)
    bias = np.repeat(rng.lognormal(0, between, REPLICATES), ROUNDS)
    places = np.arange(REPLICATES * ROUNDS)
    ns = (latency_ms * noise * bias * 1e6).astype(np.int64)
    row.samples = np.column_stack([places // ROUNDS, places % ROUNDS, ns]).astype(np.int64)
    row.evidence = {key: {"took_effect": "yes"} for key in variant.techniques}
    return row, truth


def with_gpu(machine: Machine) -> Machine:
    return replace(machine, gpus=("A GPU",), torch_cuda="13.0")
