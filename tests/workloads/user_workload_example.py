"""A workload of my own: a small network that tells four clouds of points apart."""

import numpy as np
import torch
from torch import nn

from efficiency.workloads.base import Dataset, Rows, Workload

CLASSES = ("north", "east", "south", "west")
FEATURES = 64
ROWS = {"train": 4_000, "calibration": 500, "test": 2_000}


def load(split: str, rows: int | None = None) -> Rows:
    """The first `rows` points of a split, from a seed of its own: no split shares a point."""
    centres = 0.4 * np.random.default_rng(0).normal(size=(len(CLASSES), FEATURES))
    rng = np.random.default_rng([1, list(ROWS).index(split)])
    labels = rng.integers(0, len(CLASSES), size=ROWS[split])
    points = centres[labels] + rng.normal(size=(len(labels), FEATURES))
    return Rows(points.astype(np.float32)[:rows], labels[:rows])


CLOUDS = Dataset(
    key="clouds",
    label="Clouds of points (synthetic)",
    summary="Four overlapping clouds in 64 dimensions.",
    kind="other",
    classes=CLASSES,
    load=load,
    fingerprint=lambda: "clouds-1",
    test_rows=ROWS["test"],
)


def build(classes: int) -> nn.Module:
    """The trained network. With a model of yours, load its weights here instead."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(FEATURES, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, classes))
    train = load("train")
    inputs, labels = torch.from_numpy(train.inputs), torch.from_numpy(train.labels)
    for _ in range(30):
        loss = nn.functional.cross_entropy(model(inputs), labels)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for weight, gradient in zip(model.parameters(), gradients, strict=True):
                weight -= 0.5 * gradient
    return model.eval()


def make() -> Workload:
    return Workload(
        key="clouds-mlp",
        label="MLP on clouds",
        summary="Three linear layers on points of four clouds.",
        datasets=(CLOUDS,),
        build=build,
        encode=lambda inputs: torch.from_numpy(np.asarray(inputs)),
        trained=True,
    )
