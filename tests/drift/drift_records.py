"""Measurements of drift for tests: through the probe in a child process, or made up."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from efficiency.drift import shifts
from efficiency.engine import arrays
from efficiency.engine.child import Child
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.drifts import DriftRecord
from efficiency.results.store import Store

WORKLOAD = "vision-small-cnn"
LATER = ("fitted", "recalibrated_ranges", "recalibrated_fitted")
"""What cells did not hold at first."""


def asked_of(workload: str, dataset: str, moves: list[str]) -> dict[str, Any]:
    """What a probe is asked, on few rows."""
    return {
        "workload": workload, "dataset": dataset, "shifts": moves, "test_rows": 200, "calibration_rows": 32,
        "training_rows": 32, "threads": 2, "seed": 0,
    }  # fmt: skip


def measured(asked: dict[str, Any], keys: tuple[str, ...], folder: Path) -> list[dict[str, Any]]:
    """One variant's cells, from a real child process."""
    from efficiency.engine import drift_probe

    with Child(drift_probe.run, asked | {"techniques": list(keys)}, log=folder / "drift.log") as child:
        messages = list(child.messages(120))
    return [{"variant": "+".join(keys) or "baseline"} | message["cell"] for message in messages if "cell" in message]


def kept(folder: Path, asked: dict[str, Any], cells: list[dict[str, Any]]) -> DriftRecord:
    """The same as a store gives it back."""
    with Store.open(f"sqlite:///{folder / 'drift.db'}") as store:
        number = drifts.keep(
            store, workload=asked["workload"], dataset=asked["dataset"], machine=this_machine().as_dict(), asked=asked,
            cells=cells,
        )  # fmt: skip
        return drifts.get(store, number)


def older(record: DriftRecord) -> DriftRecord:
    """As it was kept before there was the yardstick."""
    cells = [{name: value for name, value in cell.items() if name not in LATER} for cell in deepcopy(record.cells)]
    for cell in cells:
        for seen in cell.get("ranges", {}).values():
            seen.pop("reach")
    return replace(record, cells=cells)


MOVES = ["gain", "noise", "blur"]
VARIANTS = ("baseline", "dynamic-int8", "static-int8")


def made_up(seed: int, lost: float = 0.0, rows: int = 300) -> DriftRecord:
    """Every variant answers 85 rows in 100 at every grade, each with luck of its own; static INT8 under gain fewer.

    `lost` is the share of its right answers that it loses there; calibrating anew changes nothing where that is 0.
    """
    random = np.random.default_rng(seed)
    usual = random.random(rows) < 0.85

    def right(share: float = 0.0) -> dict[str, Any]:
        lucky = np.where(random.random(rows) < 0.1, random.random(rows) < 0.85, usual)
        return arrays.to_text((lucky & (random.random(rows) >= share)).astype("uint8"))

    cells = []
    for variant in VARIANTS:
        for move, grade in [("none", 0), *((move, grade) for move in MOVES for grade in shifts.GRADES)]:
            share = lost if (variant, move) == ("static-int8", "gain") else 0.0
            cell = {
                "variant": variant, "shift": move, "grade": grade, "ranges": {},
                "rows": arrays.to_text(np.arange(rows, dtype="uint16")), "correct": right(share),
            }  # fmt: skip
            if variant == "static-int8" and grade:
                cell["recalibrated_correct"] = right()
            cells.append(cell)
    asked = asked_of(WORKLOAD, "glyphs", MOVES)
    return DriftRecord(1, "2026-01-05T10:00:00+00:00", WORKLOAD, "glyphs", {}, "2.13.0", asked, cells)


MINE = """
import numpy as np
import torch
from torch import nn

from efficiency.workloads.base import Dataset, Rows, Workload

SCALES = {scales}


def load(split, rows=None):
    rng = np.random.default_rng(len(split))
    labels = rng.integers(0, 2, size=200)
    images = labels[:, None, None, None] + rng.normal(size=(200, 1, 8, 8))
    return Rows((SCALES.get(split, 1.0) * images).astype(np.float32)[:rows], labels[:rows])


def make():
    data = Dataset(
        key="squares", label="Squares", summary="Dark and bright.", kind="image", classes=("dark", "bright"), load=load,
        fingerprint=lambda: "squares-1", test_rows=200,
    )
    return Workload(
        key="mine", label="Mine", summary="One layer.", datasets=(data,), trained=True,
        build=lambda classes: nn.Sequential(nn.Flatten(), nn.Linear(64, classes)).eval(),
        encode=lambda inputs: torch.from_numpy(np.asarray(inputs)),
    )
"""


def users_file(folder: Path, **scales: float) -> str:
    """A workload of a user's own, as it is named; the rows of these splits are so many times as large as the others."""
    file = folder / "mine.py"
    file.write_text(MINE.replace("{scales}", repr(scales)))
    return f"{file}:make"
