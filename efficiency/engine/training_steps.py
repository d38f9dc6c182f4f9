"""What a training study's children share: the model to start from, and a variant's step. Imports torch."""

from __future__ import annotations

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
    plan = workload.training
    return training_step.prepare(
        tuple(variant["techniques"]),
        model,
        sample,
        labels,
        optimizer=lambda trained: training.optimizer_of(trained, plan.peak_learning_rate, plan.weight_decay),
        loss=training.loss_of,
        cache=Path(variant["artefact"]),
    )
