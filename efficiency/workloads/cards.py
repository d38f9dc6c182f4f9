"""Where checkpoints lie and what their JSON cards say; no torch."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from efficiency import paths
from efficiency.errors import CheckpointRefused
from efficiency.workloads.base import Dataset, Workload


@dataclass(frozen=True)
class Card:
    """What a checkpoint was made from and what it reaches."""

    workload: str
    dataset: str
    fingerprint: str
    seed: int
    command: str
    accuracy_pct: float
    train_seconds: float
    torch_version: str


def how_to_train(workload: Workload, dataset: Dataset) -> str:
    """The command that trains the checkpoint anew, as a shell takes it."""
    return f"python -m efficiency train {shlex.quote(workload.name)} --dataset {dataset.key}"


def find(workload: Workload, dataset: Dataset) -> Path | None:
    """The checkpoint's file, one trained here before a shipped one, or None."""
    name = f"{workload.key}.{dataset.key}.safetensors"
    places = (paths.home() / "trained" / name, paths.SHIPPED_CHECKPOINTS / name)
    return next((path for path in places if path.is_file()), None)


def broken(workload: Workload, dataset: Dataset) -> str | None:
    """Why the checkpoint's file cannot be used, as far as its head tells; None where it can or there is none."""
    path = None if workload.trained else find(workload, dataset)
    if path is None:
        return None
    try:
        with safe_open(path, framework="numpy"):
            return None
    except (SafetensorError, OSError):
        return f"The checkpoint {path} is broken; run `{how_to_train(workload, dataset)}`."


def read_card(path: Path, workload: Workload, dataset: Dataset) -> Card:
    """The card beside the workload's checkpoint; raises `CheckpointRefused`."""
    try:
        return Card(**json.loads(path.with_suffix(".json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointRefused(
            f"The card of the checkpoint {path} does not read; run `{how_to_train(workload, dataset)}`."
        ) from error
