"""Training of the reference checkpoints. Importing this file imports torch."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from efficiency.workloads.base import Dataset, Progress, Workload

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Trained:
    """A trained module and the time it took."""

    model: nn.Module
    train_seconds: float


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
    steps_an_epoch = -(-len(rows) // plan.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.peak_learning_rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.peak_learning_rate, total_steps=epochs * steps_an_epoch, pct_start=0.2
    )
    generator = torch.Generator().manual_seed(seed)
    started, done = time.perf_counter(), 0
    for epoch in range(epochs):
        order = torch.randperm(len(rows), generator=generator)
        for batch in order.split(plan.batch_size):
            # Encoded batch by batch: all rows at once may not fit into memory.
            logits = model(workload.encode(rows.inputs[batch.numpy()]).to(device))
            loss = cross_entropy(logits, labels[batch].to(device), label_smoothing=0.05)
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
