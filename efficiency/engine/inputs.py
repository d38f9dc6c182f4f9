"""Rows as a condition asks for them: cut to its length, padded to its share. Imports torch."""

from __future__ import annotations

import numpy as np
import torch

from efficiency.condition import Condition
from efficiency.workloads.base import PADDING_ID, Dataset, Split, Workload


def encoded(
    workload: Workload, dataset: Dataset, condition: Condition, split: Split, rows: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Model inputs [N, ...] and labels [N] of a split's first rows, all for None."""
    loaded = dataset.load(split, rows)
    inputs = loaded.inputs
    if workload.length is not None:
        length = condition.length or workload.length
        inputs = np.array(inputs[:, :length])
        if condition.padding_pct:
            # At least one token stays: a row of nothing but padding has no answer.
            kept = max(1, round(length * (1 - condition.padding_pct / 100)))
            inputs[:, kept:] = PADDING_ID
    return workload.encode(inputs), torch.from_numpy(loaded.labels)


def sample(workload: Workload, dataset: Dataset, condition: Condition) -> torch.Tensor:
    """The timed input: the first test rows, one batch; short test sets are repeated."""
    inputs, _ = encoded(workload, dataset, condition, "test", condition.batch_size)
    repeats = -(-condition.batch_size // len(inputs))
    return torch.cat([inputs] * repeats)[: condition.batch_size].contiguous()


def padding_pct(workload: Workload, inputs: torch.Tensor) -> float | None:
    """Share of the timed tokens that is padding, in percent; None where rows have no length."""
    if workload.length is None:
        return None
    return round(100 * float((inputs == PADDING_ID).float().mean()), 2)
