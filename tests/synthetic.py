"""Studies that look real, made without measuring: for tests of the pages only."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import Any

import at_once
import numpy as np

from efficiency import workloads
from efficiency.analysis import derive, training
from efficiency.condition import Condition
from efficiency.machine import Machine, this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import Entry, Study, Variant, expand, plan_preset

# Baseline: latency [ms], accuracy, size [MB]. Variants: speed-up, accuracy lost, size ratio.
BASELINES = {
    "vision-small-cnn": (0.62, 0.947, 0.6),
    "vision-resnet18": (17.1, 0.955, 44.9),
    "vision-mobilenet-v2": (13.4, 0.951, 9.2),
    "lstm-classifier": (14.8, 0.823, 18.3),
    "transformer-encoder": (5.9, 0.792, 14.2),
}
EFFECTS = {
    "dynamic-int8": (2.4, 0.002, 3.7),
    "static-int8": (2.9, 0.003, 3.8),
    "qat-int8": (2.85, 0.001, 3.8),
    "amp-bf16": (0.62, 0.001, 1.0),
    "channels-last": (1.22, 0.0, 1.0),
    "fast-path": (1.18, 0.0, 1.0),
    "inference-mode": (1.03, 0.0, 1.0),
}
TEST_ROWS, REPLICATES, ROUNDS, STEPS = 2_000, 4, 60, 32
PADDING_PCT = 12.0
"""Of every row of a heat of texts, also of the control and of what does not apply: the recorder writes it so."""


def fill(
    store: Store,
    study: Study | None = None,
    *,
    name: str = "Quick on this machine",
    status: str = "done",
    fail: tuple[str, ...] = ("qat-int8",),
    seed: int = 0,
    slower: float = 1.0,
) -> str:
    """Adds a study with rows, samples and answers; variants in `fail` fail on the transformer. Returns its id."""
    machine = this_machine()
    study = study or plan_preset("quick", machine)
    found = _rows(study, machine, fail, seed, slower, tuple(EFFECTS.items()), TEST_ROWS)
    return at_once.keep(
        store,
        asdict(study),
        [
            at_once.Row(
                _identity(entry, machine) | columns | {"training_loss": training.loss_at_end(trained.get("losses"))},
                {"evidence": row.evidence, "test_rows": TEST_ROWS, **({"training": trained} if trained else {})},
                row.samples,
                row.predicted,
                row.labels,
            )
            for entry, row, columns in found
            for trained in (_trained(entry.variant, entry.condition),)
        ],
        name=name,
        machine=machine.as_dict(),
        command="python -m efficiency run --preset quick",
        status=status,
    )


def _identity(entry: Entry, machine: Machine) -> dict[str, object]:
    described, condition = workloads.describe(entry.workload), entry.condition
    return {
        "recorded_at": "2026-01-05T10:00:00+00:00",
        "machine": machine.label,
        "device": condition.device,
        "workload": entry.workload,
        "family": described.family,
        "model": described.model,
        "dataset": described.dataset(None).key,
        "variant": entry.variant.key,
        "techniques": "+".join(entry.variant.techniques) or None,
        "batch_size": condition.batch_size,
        "threads": condition.threads,
        "torch_version": machine.torch_version,
        "length": described.length,
        "padding_pct": PADDING_PCT if described.length else None,
        "phase": condition.phase,
    }


@cache
def _rows(
    study: Study,
    machine: Machine,
    fail: tuple[str, ...],
    seed: int,
    slower: float,
    effects: tuple[tuple[str, tuple[float, float, float]], ...],
    test_rows: int,
) -> list[tuple[Entry, derive.Measured, derive.Columns]]:
    """In the order of the store. Hundreds of tests ask for the same; of what some of them change, it turns on
    `EFFECTS` and `TEST_ROWS`."""
    rng = np.random.default_rng(seed)
    # Rows are made up, so that what applies need not turn on the machine that runs the tests.
    capable = replace(machine, instruction_sets=("avx2", "avx512f"))
    found: list[tuple[Entry, derive.Measured, derive.Columns]] = []
    for workload in study.workloads:
        for condition in study.conditions:
            entries = [e for e in expand(study, capable) if (e.workload, e.condition) == (workload, condition)]
            measured = [_measured(e.variant, e.why_not, workload, condition, fail, slower, rng) for e in entries]
            derived = derive.heat(measured, tolerance_pp=study.tolerance_pp, equivalence_pct=study.equivalence_pct)
            found += zip(entries, measured, derived, strict=True)
    return found


def _measured(
    variant: Variant,
    why_not: str | None,
    workload: str,
    condition: Condition,
    fail: tuple[str, ...],
    slower: float,
    rng: np.random.Generator,
) -> derive.Measured:
    row = derive.Measured(variant.key, variant.control, condition.batch_size, "done", on_subset=True)
    if why_not:
        return _ended(row, "not-applicable", why_not)
    if set(variant.techniques) & set(fail) and workload == "transformer-encoder":
        return _ended(row, "failed", "The process ran out of memory and was ended.")
    latency_ms, accuracy, size_mb = BASELINES.get(workload, (3.0, 0.9, 5.0))
    speedup, lost, ratio = 1.0, 0.0, 1.0
    for key in variant.techniques:
        effect = EFFECTS.get(key, (1.0, 0.0, 1.0))
        speedup, lost, ratio = speedup * effect[0], lost + effect[1], ratio * effect[2]
    latency_ms *= slower * condition.batch_size**0.8 / condition.threads**0.5
    labels = np.random.default_rng(1).integers(0, 10, TEST_ROWS)
    wrong = np.random.default_rng(2).random(TEST_ROWS) > accuracy
    flipped = rng.random(TEST_ROWS) < lost
    if not variant.control:  # which is only timed
        row.labels, row.predicted = labels, np.where(wrong | flipped, (labels + 1) % 10, labels)
        row.size_bytes = int(size_mb * 1e6 / ratio)
        row.prepare_s, row.load_s, row.first_call_ms = 0.2 + 3 * (ratio > 1), 0.1, latency_ms * 4
        row.peak_memory_mb = 290 + size_mb * 2
    noise = rng.lognormal(0, 0.05, REPLICATES * ROUNDS) * (1 + 0.6 * (rng.random(REPLICATES * ROUNDS) < 0.02))
    bias = np.repeat(rng.lognormal(0, 0.01, REPLICATES), ROUNDS)
    ns = latency_ms / speedup * noise * bias * 1e6
    places = np.arange(REPLICATES * ROUNDS)
    row.samples = np.column_stack([places // ROUNDS, places % ROUNDS, ns.astype(np.int64)]).astype(np.int64)
    row.evidence = {
        key: {"took_effect": "yes", "reason": "99.1% of the weights are INT8.", "figures": {}}
        for key in variant.techniques
    }
    return row


def _trained(variant: Variant, condition: Condition) -> dict[str, Any]:
    """What a training probe keeps: a loss that falls; the baseline's second run ends 1 pp away."""
    if condition.phase != "training" or variant.control:
        return {}
    losses = [2.3 * 0.97**step for step in range(STEPS)]
    kept: dict[str, object] = {"steps": STEPS, "rows": STEPS * condition.batch_size, "losses": losses}
    if not variant.techniques:
        kept["reordered"] = {"losses": [1.01 * loss for loss in losses], "accuracy_pct": 83.0}
    return kept


def _ended(row: derive.Measured, status: str, reason: str) -> derive.Measured:
    row.status, row.reason = status, reason
    return row


def many(store: Store, rows: int, studies: int = 1) -> list[str]:
    """So many rows in so many studies, without samples: a database that has been used for long. Returns the ids.

    A study that would need more conditions than a preset has gets them as further batch sizes.
    """
    preset = plan_preset("full" if studies == 1 else "quick", this_machine())
    template = fill(store, replace(preset, workloads=("vision-small-cnn", "lstm-classifier")), name="template")
    document = documents.to_json(store, template)
    store.delete(template)
    given = [{**row, "samples": None, "answers": None} for row in document["rows"]]
    ids = []
    for number in range(studies):
        copies = []
        for place in range(rows // studies):
            row, round = given[place % len(given)], place // len(given)
            columns = row["columns"]
            copies.append({**row, "columns": columns | {"batch_size": columns["batch_size"] + round}})
        named = document["study"] | {"name": f"{rows // studies} rows, number {number + 1}"}
        ids.append(documents.from_json(store, document | {"study": named, "rows": copies}))
    return ids
