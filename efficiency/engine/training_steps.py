"""What a training study's children share: the model to start from, a variant's step, the batches. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from efficiency.engine.child import Message
from efficiency.techniques import training_step
from efficiency.techniques.training_step import Step
from efficiency.workloads import training
from efficiency.workloads.base import Workload


def initial(workload: Workload, dataset_key: str, device: str, seed: int) -> nn.Module:
    """The model that training starts from: fresh weights of this seed, or those that a user's model brings along."""
    torch.manual_seed(seed)
    return workload.build(len(workload.dataset(dataset_key).classes)).to(device)


def step_of(variant: Message, workload: Workload, model: nn.Module, sample: torch.Tensor, labels: torch.Tensor) -> Step:
    """The variant's step with the optimizer and the loss that reference checkpoints are trained with.

    What is compiled is found where the probe left it.
    """
    return training_step.prepare(
        tuple(variant["techniques"]),
        model,
        sample,
        labels,
        optimizer=lambda trained: training.optimizer_of(workload.training, trained),
        loss=training.loss_of,
        cache=Path(variant["artefact"]),
    )


def steps_of(rows: int, batch_size: int) -> int:
    """How many steps a variant is trained for, so that it sees so many rows; at least 2, between which a loss falls."""
    return max(2, round(rows / batch_size))


def batches(
    inputs: torch.Tensor, labels: torch.Tensor, batch_size: int, steps: int, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """So many whole batches of rows [N, ...], shuffled by this seed, and anew when all were seen."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(labels), generator=generator)])
        chosen, order = order[:batch_size], order[batch_size:]
        yield inputs[chosen], labels[chosen]
