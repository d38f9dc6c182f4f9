"""Rows as a condition asks for them: cut to its length, padded to its share. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from efficiency.condition import Condition
from efficiency.errors import BadRequest, DataUnavailable, EfficiencyError, first_line
from efficiency.measure.accuracy import BATCH
from efficiency.workloads.base import PADDING_ID, Dataset, Split, Workload


def _encoded(workload: Workload, condition: Condition, rows: NDArray[np.generic]) -> torch.Tensor:
    """Rows as the data set has them to model inputs [N, ...]; those of text are [N, length]."""
    inputs = workload.encode(rows)
    if len(inputs) != len(rows):
        raise BadRequest(
            f"{workload.name}: `encode` gave {len(inputs)} inputs for {len(rows)} rows; one for each is needed."
        )
    if workload.length is None:
        return inputs
    length = condition.length or workload.length
    # A copy: what `encode` returns may be the data set's own memory.
    inputs = pad(inputs[:, :length], (0, max(0, length - inputs.shape[1])), value=PADDING_ID).clone()
    if condition.padding_pct:
        # At least one token stays: a row of nothing but padding has no answer.
        kept = max(1, round(length * (1 - condition.padding_pct / 100)))
        inputs[:, kept:] = PADDING_ID
    return inputs


def encoded(
    workload: Workload, dataset: Dataset, condition: Condition, split: Split, rows: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Model inputs [N, ...] and labels [N] of a split's first rows, all for None."""
    loaded = dataset.load(split, rows)
    return _encoded(workload, condition, loaded.inputs), torch.from_numpy(loaded.labels)


@dataclass(frozen=True)
class Batches:
    """Rows that are encoded a batch at a time, whenever they are gone through: all at once may not fit into memory."""

    workload: Workload
    condition: Condition
    rows: NDArray[np.generic]
    """[N, ...], as the data set has them."""

    def __len__(self) -> int:
        return -(-len(self.rows) // BATCH)

    def __iter__(self) -> Iterator[torch.Tensor]:
        for start in range(0, len(self.rows), BATCH):
            yield _encoded(self.workload, self.condition, self.rows[start : start + BATCH])


def in_batches(
    workload: Workload, dataset: Dataset, condition: Condition, split: Split, rows: int | None
) -> tuple[Batches, NDArray[np.int64]]:
    """As `encoded`, but for rows that are many and gone through once."""
    loaded = dataset.load(split, rows)
    return Batches(workload, condition, loaded.inputs), loaded.labels


def sample(workload: Workload, dataset: Dataset, condition: Condition) -> tuple[torch.Tensor, torch.Tensor]:
    """The timed input and its labels: the first test rows, or training rows, one batch; short sets are repeated.

    Raises `DataUnavailable` where a user's data set has no rows to train on.
    """
    if condition.phase == "training":
        inputs, labels = training_rows(workload, dataset, condition, condition.batch_size)
    else:
        inputs, labels = encoded(workload, dataset, condition, "test", condition.batch_size)
    repeats = -(-condition.batch_size // len(inputs))
    batch = slice(condition.batch_size)
    return torch.cat([inputs] * repeats)[batch].contiguous(), torch.cat([labels] * repeats)[batch].contiguous()


def training_rows(
    workload: Workload, dataset: Dataset, condition: Condition, rows: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first training rows as `encoded` gives them; raises `DataUnavailable` where there are none."""
    missing = f"{workload.name} has no training rows ({{}}); give {dataset.key} a split `train`, or measure inference."
    try:
        inputs, labels = encoded(workload, dataset, condition, "train", rows)
    except EfficiencyError:
        raise
    except Exception as error:  # whatever a user's `load` raises for a split that it does not know
        raise DataUnavailable(missing.format(first_line(error))) from error
    if not len(labels):
        raise DataUnavailable(missing.format("the split is empty"))
    return inputs, labels


def padding_pct(workload: Workload, inputs: torch.Tensor) -> float | None:
    """Share of the timed tokens that is padding, in percent; None where rows have no length."""
    if workload.length is None:
        return None
    return round(100 * float((inputs == PADDING_ID).float().mean()), 2)
