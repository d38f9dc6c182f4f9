"""What a study says of each cell of a run, worked out anew from what the clock said."""

from __future__ import annotations

from typing import Any

import copies
import methods
import numpy as np

from efficiency.analysis import derive, stillness
from efficiency.analysis.derive import Measured
from efficiency.study import BASELINE, CONTROL


def cells(raw: methods.Raw, handoffs_ns: methods.Handoffs) -> dict[str, Any]:
    """By `workload/threads`: INT8's speed-up with its interval, and what was said of the control and the copies.

    `handoffs_ns` is what the run knew from those before it.
    """
    names = sorted({key.rsplit("/", 1)[0] for key in raw})
    heats = {cell: _heat(raw, cell, handoffs_ns) for cell in names}
    threshold = derive.threshold(list(heats.values()))
    return {cell: _cell(cell, rows, threshold) for cell, rows in heats.items()}


def _heat(raw: methods.Raw, cell: str, handoffs_ns: methods.Handoffs) -> list[Measured]:
    samples = {key: raw[f"{cell}/{key}"] for key in (BASELINE, CONTROL, _int8(cell), copies.COPY)}
    samples |= copies.slower(samples[copies.COPY])
    rows = [Measured(key, key == CONTROL, 1, "done", samples=own) for key, own in samples.items()]
    rows[0].felt = raw[f"{cell}/{methods.PULSE}"]
    rows[0].best_ns = _best_ns(raw, int(cell.rsplit("/", 1)[1]), handoffs_ns)
    return rows


def _best_ns(raw: methods.Raw, threads: int, handoffs_ns: methods.Handoffs) -> float:
    """What a handoff takes undisturbed, by all heats of the run and those before it, as its recorder reckoned."""
    pulses = [felt for key, felt in raw.items() if key.endswith(f"/{threads}/{methods.PULSE}")]
    return min([handoffs_ns.get(threads, np.inf), *map(stillness.undisturbed_ns, pulses)])


def _int8(cell: str) -> str:
    return methods.INT8[cell.rsplit("/", 1)[0]]


def _cell(cell: str, rows: list[Measured], threshold: float) -> dict[str, Any]:
    columns = derive.heat(rows, methods.default().precision, threshold)
    by_variant = {row.variant: own for row, own in zip(rows, columns, strict=True)}
    int8 = by_variant.pop(_int8(cell))
    del by_variant[BASELINE]
    return {
        "replicates": int8["replicates"],
        "speedup": [int8["speedup"], int8["speedup_ci_low"], int8["speedup_ci_high"]],
        "precision_pct": int8["speedup_precision_pct"],
        "disturbed": "disturbed" in str(int8["warnings"]).split(";"),
        "verdicts": {key: own["speed_verdict"] for key, own in by_variant.items()},
    }
