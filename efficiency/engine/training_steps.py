"""What a training study's children share: the model to start from, a variant's step, its losses. Imports torch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from efficiency.engine.child import Message
from efficiency.techniques import training_step
from efficiency.techniques.training_step import Step
from efficiency.workloads import training
from efficiency.workloads.base import Training, Workload


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


def losses(
    step: Step,
    plan: Training,
    rows: tuple[torch.Tensor, torch.Tensor],
    batch_size: int,
    steps: int,
    *,
    order: int,
    seed: int,
    on_step: Callable[[float], None] = lambda share: None,
) -> list[float | None]:
    """Take so many steps over the rows (inputs [N, ...], labels [N]), shuffled by `order`; `seed` is dropout's.

    Gives the loss that each step began with; None where it is no number any more.
    """
    take, found = step.caller(), []
    device = next(step.prepared.module.parameters()).device
    schedule = training.one_cycle(step.optimizer, plan.peak_learning_rate, steps)
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        # A scaler that starts too high skips steps, and then the schedule believes that none was taken.
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
        for number, (inputs, labels) in enumerate(training.batches(*rows, batch_size, steps, order), start=1):
            found.append(take(inputs.to(device), labels.to(device)).detach())
            schedule.step()
            if number % 5 == 0:
                on_step(number / steps)
    return [loss if math.isfinite(loss) else None for loss in torch.stack(found).float().cpu().tolist()]
