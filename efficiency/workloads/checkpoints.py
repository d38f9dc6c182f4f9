"""Reference checkpoints: float16 safetensors and a JSON card each.

A checkpoint is restored to float32, and that IS the reference model every variant is compared with.
Shipped ones lie in `data/checkpoints`, trained ones in `EFFICIENCY_HOME/trained`. The card holds the
fingerprint of the data: a checkpoint made from other data than is installed is refused.
Importing this file imports torch.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from efficiency import paths
from efficiency.errors import CheckpointRefused
from efficiency.workloads.base import Dataset, Progress, Workload
from efficiency.workloads.cards import Card, find, how_to_train, read_card


def _in_16_bits(value: torch.Tensor) -> torch.Tensor:
    """Half of the bytes on the disk; as it is where one of its values is too large for that."""
    if not value.is_floating_point():
        return value
    half = value.half()
    return half if torch.equal(half.isfinite(), value.isfinite()) else value


def save(model: nn.Module, card: Card, folder: Path) -> Path:
    """Write weights and card into `folder`; the weights, whose presence means complete, come last."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: _in_16_bits(value).contiguous().cpu() for name, value in model.state_dict().items()}
    path = folder / f"{card.workload}.{card.dataset}.safetensors"
    path.with_suffix(".json").write_text(json.dumps(asdict(card), indent=2) + "\n")
    partial = path.with_suffix(".part")
    save_file(weights, partial)
    os.replace(partial, path)
    return path


def verify(workload: Workload, dataset: Dataset) -> None:
    """Raise `CheckpointRefused` unless the checkpoint is there, whole, and made from this very data.

    A model that brings its weights along has to be the same one whenever it is built.
    """
    model = load(workload, dataset)
    if workload.trained:
        if not _same(model, load(workload, dataset)):
            raise CheckpointRefused(
                f"`build` of {workload.key} gives another model at every call; load trained weights there, or leave "
                "out `trained` and let it be trained here."
            )
        return
    path = find(workload, dataset)
    if path is not None and read_card(path, workload, dataset).fingerprint != dataset.fingerprint():
        raise CheckpointRefused(
            f"The checkpoint {path.name} was trained on other data than is installed here; "
            f"run `{how_to_train(workload, dataset)}`."
        )


def _same(first: nn.Module, second: nn.Module) -> bool:
    """Whether both hold the same parameters, up to the rounding that sums in another order leave."""
    ours, others = dict(first.named_parameters()), dict(second.named_parameters())
    return ours.keys() == others.keys() and all(
        value.shape == others[name].shape and torch.allclose(value, others[name], rtol=1e-3, equal_nan=True)
        for name, value in ours.items()
    )


def load(workload: Workload, dataset: Dataset) -> nn.Module:
    """The reference model in float32, in evaluation mode; raises `CheckpointRefused`.

    The data are not compared: that is `verify`, once a study, since it reads them all.
    """
    model = workload.build(len(dataset.classes))
    if workload.trained:
        return model.eval()
    command = f"`{how_to_train(workload, dataset)}`"
    path = find(workload, dataset)
    if path is None:
        raise CheckpointRefused(f"{workload.key} has no checkpoint for {dataset.key}; run {command}.")
    try:
        weights = {
            name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()
        }
    except (SafetensorError, OSError) as error:
        raise CheckpointRefused(f"The checkpoint {path} is broken; run {command}.") from error
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointRefused(
            f"The checkpoint {path} does not fit the model of {workload.key}, whose layers have changed; run {command}."
        ) from error
    return model.eval()


def train_and_save(
    workload: Workload, dataset: Dataset, *, progress: Progress, seed: int = 0, folder: Path | None = None
) -> Card:
    """Train on first use; the accuracy on the card is that of the weights as they are kept, restored."""
    from efficiency.workloads import training

    trained = training.train(workload, dataset, seed=seed, progress=progress)
    restored = workload.build(len(dataset.classes)).eval()
    # Loading turns what is in 16 bits into the model's own type.
    restored.load_state_dict({name: _in_16_bits(value) for name, value in trained.model.state_dict().items()})
    card = Card(
        workload=workload.key,
        dataset=dataset.key,
        fingerprint=dataset.fingerprint(),
        seed=seed,
        command=how_to_train(workload, dataset),
        accuracy_pct=round(training.accuracy_pct(restored, workload, dataset, progress=progress), 3),
        train_seconds=round(trained.train_seconds, 1),
        torch_version=torch.__version__,
    )
    save(restored, card, folder or paths.home() / "trained")
    return card
