"""Variants rebuilt from what probes left behind: float weights, learned state, the sample. Child side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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


def rebuild(keys: list[str], learned_file: str, reference: nn.Module, sample: torch.Tensor) -> Prepared:
    """The variant as the probe had it."""
    from safetensors.torch import load_file

    learned = load_file(learned_file) if Path(learned_file).is_file() else {}
    return compose.prepare(tuple(keys), reference, sample, learned)
