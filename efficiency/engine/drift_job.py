"""Measures drift: a workload's variants, a child process each, alone on the machine. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from efficiency import paths, workloads
from efficiency.analysis import wording
from efficiency.condition import Condition
from efficiency.drift import shifts
from efficiency.engine import drift_probe, turn
from efficiency.engine.background import Background
from efficiency.engine.child import Child
from efficiency.errors import BadRequest, EfficiencyError, VariantFailed
from efficiency.machine import Machine
from efficiency.results import drifts
from efficiency.results.store import Store
from efficiency.study import BASELINE
from efficiency.techniques import compose
from efficiency.workloads.base import Workload

JOB = Background("drift-in-background")
"""The measurement that runs by itself; what its children say is in another log."""
VARIANTS: tuple[tuple[str, ...], ...] = ((), ("dynamic-int8",), ("static-int8",), ("qat-int8",))
TEST_ROWS, CALIBRATION_ROWS, TRAINING_ROWS = 1_000, 256, 512
SILENCE_S = 600.0
Tell = Callable[[str, float], None]
"""Hears what is being done and the share of it that is over."""


def why_not(workload: Workload, dataset: str | None = None) -> str | None:
    """Why no shift is known for this workload's data; None where some are."""
    if shifts.of_kind(workload.dataset(dataset).kind):
        return None
    return f"{workload.label}: its data are neither images nor text, and no shift is known for them."


def measure(
    store: Store,
    workload: str,
    machine: Machine,
    *,
    dataset: str | None = None,
    test_rows: int = TEST_ROWS,
    seed: int = 0,
    tell: Tell = lambda what, share: None,
) -> int:
    """Measure every variant under every shift and grade, keep it, and return its number in the store.

    A variant that fails or does not apply is kept with its reason. Raises `BadRequest` where nothing can be shifted,
    and `EfficiencyError` where the FP32 model cannot be measured.
    """
    declared = workloads.describe(workload)
    if reason := why_not(declared, dataset):
        raise BadRequest(reason)
    data = declared.dataset(dataset)
    asked: dict[str, Any] = {
        "workload": declared.name,
        "dataset": data.key,
        "shifts": [shift.key for shift in shifts.of_kind(data.kind)],
        "test_rows": test_rows,
        "calibration_rows": CALIBRATION_ROWS,
        "training_rows": TRAINING_ROWS,
        "threads": machine.threads,
        "seed": seed,
    }
    cells: list[dict[str, Any]] = []
    with turn.taken(f"drift of {declared.label}", lambda holder: tell(f"Waiting for {wording.at_work(holder)}", 0.0)):
        for number, keys in enumerate(VARIANTS):
            key, place = "+".join(keys) or BASELINE, f"variant {number + 1} of {len(VARIANTS)}"
            reason = compose.why_not(keys, declared, Condition(), machine)
            try:
                if reason is None:
                    cells += _cells(asked | {"techniques": list(keys)}, key, place, tell)
            except VariantFailed as failure:
                if not keys:
                    raise EfficiencyError(f"{declared.label} could not be measured: {failure}") from failure
                reason = str(failure)
            if reason is not None:
                cells.append({"variant": key, "reason": reason})
    return drifts.keep(
        store, workload=declared.name, dataset=data.key, machine=machine.as_dict(), asked=asked, cells=cells
    )


def _cells(asked: dict[str, Any], variant: str, place: str, tell: Tell) -> list[dict[str, Any]]:
    """The share that is told is the variant's own: those that are calibrated anew at every grade take far longer."""
    found = []
    with Child(drift_probe.run, asked, log=paths.home() / "jobs" / "drift.log") as child:
        for message in child.messages(SILENCE_S):
            if what := message.get("doing"):
                tell(f"{variant}, {place}: {what}", message.get("share", 0.0))
            if cell := message.get("cell"):
                found.append({"variant": variant} | cell)
    return found
