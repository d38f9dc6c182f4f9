"""Training: of the reference checkpoints, and what training studies share with it. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from efficiency.workloads.base import Dataset, Progress, Workload

EVALUATION_BATCH = 256
LABEL_SMOOTHING = 0.05


@dataclass(frozen=True)
class Trained:
    """A trained module and the time it took."""

    model: nn.Module
    train_seconds: float


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of scores [B, classes] and labels [B], with label smoothing."""
    return cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)


def optimizer_of(model: nn.Module, peak_learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW at the rate that one cycle begins with; fused into one kernel on CUDA."""
    parameters = list(model.parameters())
    return torch.optim.AdamW(
        parameters,
        lr=peak_learning_rate / 25,
        weight_decay=weight_decay,
        fused=True if parameters[0].is_cuda else None,
    )


def one_cycle(
    optimizer: torch.optim.Optimizer, peak_learning_rate: float, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """The learning rate goes from a 25th of its peak up to it in a fifth of the steps, of few in more, and down to
    nothing."""
    rising = max(0.2, 1.5 / max(2, steps))  # a fifth of five steps is over as it begins: PyTorch would divide by 0
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak_learning_rate, total_steps=steps, pct_start=rising, div_factor=25
    )


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


def train(workload: Workload, dataset: Dataset, *, seed: int, progress: Progress, device: str = "cpu") -> Trained:
    """Train the workload's module from scratch on the whole training split.

    AdamW under a one-cycle learning rate (Smith and Topin, 2017), cross-entropy with label
    smoothing 0.05. The same seed on the same machine gives the same weights.
    """
    torch.manual_seed(seed)
    rows = dataset.load("train", None)
    labels = torch.from_numpy(rows.labels)
    model = workload.build(len(dataset.classes)).to(device).train()
    plan = workload.training
    epochs = plan.epochs_on(len(rows))
    # A batch norm cannot learn from one row: where that is all that is left of an epoch, it is left out.
    steps_an_epoch = max(1, (len(rows) + plan.batch_size - 2) // plan.batch_size)
    optimizer = optimizer_of(model, plan.peak_learning_rate, plan.weight_decay)
    schedule = one_cycle(optimizer, plan.peak_learning_rate, epochs * steps_an_epoch)
    generator = torch.Generator().manual_seed(seed)
    started, done = time.perf_counter(), 0
    for epoch in range(epochs):
        order = torch.randperm(len(rows), generator=generator)
        for batch in order.split(plan.batch_size)[:steps_an_epoch]:
            # Encoded batch by batch: all rows at once may not fit into memory.
            logits = model(workload.encode(rows.inputs[batch.numpy()]).to(device))
            loss = loss_of(logits, labels[batch].to(device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            share = done / (epochs * steps_an_epoch)
            progress(f"training {workload.key} on {dataset.label}, epoch {epoch + 1} of {epochs}", share)
    return Trained(model.eval(), time.perf_counter() - started)


@torch.no_grad()
def accuracy_pct(model: nn.Module, workload: Workload, dataset: Dataset, *, progress: Progress) -> float:
    """Top-1 accuracy on the whole test split, in percent."""
    rows = dataset.load("test", None)
    labels = torch.from_numpy(rows.labels)
    correct = 0
    for start in range(0, len(rows), EVALUATION_BATCH):
        part = slice(start, start + EVALUATION_BATCH)
        logits = model(workload.encode(rows.inputs[part]))
        correct += int((logits.argmax(dim=1) == labels[part]).sum())
        progress(f"testing {workload.key} on {dataset.label}", min(1.0, part.stop / len(rows)))
    return 100 * correct / len(rows)
