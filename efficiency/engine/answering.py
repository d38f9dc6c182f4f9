"""The answers of a package that holds for one batch size or thread count, of which there are several. Child side.

They are one model's: the first answers all test rows, the others a part of them. Where one answer of that part differs,
all rows are answered. Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from efficiency.engine import arrays
from efficiency.engine.inputs import Batches
from efficiency.measure import accuracy
from efficiency.measure.logits import Distance

CHECKED_ROWS = 512
"""Test rows that every further package answers: of those that answer a row in a hundred otherwise, 99 % are seen."""


@dataclass(frozen=True)
class Answers:
    """To all test rows, [N] uint16; how far the logits lie from the baseline's; and of which condition's package."""

    predicted: NDArray[np.uint16]
    distance: Distance | None
    of: str


def keep(file: Path, answers: Answers) -> None:
    """For packages of the same variant that are made for other conditions; what is there stays."""
    if file.is_file():
        return
    distance = None if answers.distance is None else asdict(answers.distance)
    part = file.with_suffix(".part")
    part.write_text(
        json.dumps({"predicted": arrays.to_text(answers.predicted), "distance": distance, "of": answers.of})
    )
    part.replace(file)


def confirmed(
    file: Path, call: Callable[[torch.Tensor], torch.Tensor], rows: Batches, device: str = "cpu"
) -> Answers | None:
    """What `keep` kept, if `call` gives the same answers to the first rows; None where it does not, or nothing is."""
    if not file.is_file():
        return None
    kept = json.loads(file.read_text())
    predicted = arrays.from_text(kept["predicted"])
    own = accuracy.predictions(call, replace(rows, rows=rows.rows[:CHECKED_ROWS]), device)
    if not np.array_equal(own, predicted[: len(own)]):
        return None
    return Answers(predicted, None if kept["distance"] is None else Distance(**kept["distance"]), kept["of"])
