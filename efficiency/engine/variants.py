"""Variants rebuilt from what probes left behind: float weights, learned state, artefacts, the sample. Child side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.engine.child import Message
from efficiency.techniques import compose
from efficiency.techniques.base import Prepared
from efficiency.workloads.base import Workload

if TYPE_CHECKING:
    import torch
    from torch import nn


def load_sample(file: str, device: str) -> torch.Tensor:
    """The timed input [B, ...], written when the reference was made ready."""
    from safetensors.torch import load_file

    return load_file(file)["sample"].to(device)


def load_reference(workload: Workload, dataset_key: str, device: str) -> nn.Module:
    """The reference model; its checkpoint was verified before the study began."""
    from efficiency.workloads import checkpoints

    return checkpoints.load(workload, workload.dataset(dataset_key)).to(device)


def rebuild(variant: Message, reference: Callable[[], nn.Module], sample: torch.Tensor) -> Prepared:
    """The variant as the probe had it; the reference is asked for only where no artefact holds the model."""
    from safetensors.torch import load_file

    keys, learned_file = tuple(variant["techniques"]), Path(variant["learned"])
    if compose.runtime_of(keys) is not None:
        return compose.prepare(keys, None, sample, {}, Path(variant["artefact"]))
    learned = load_file(learned_file) if learned_file.is_file() else {}
    return compose.prepare(keys, reference(), sample, learned)
