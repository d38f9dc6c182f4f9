"""Variants rebuilt from what probes left behind: float weights, learned state, artefacts, the sample; and the device
that they are on. Child side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.engine.child import Message
from efficiency.measure.latency import Timed
from efficiency.techniques import compose
from efficiency.techniques.base import Prepared
from efficiency.workloads.base import Workload

if TYPE_CHECKING:
    import torch
    from torch import nn


def device_of(asked: Message) -> str:
    """The condition's device, on which FP32 is FP32 from then on in this process.

    On CUDA, cuDNN would round what goes into convolutions and LSTMs to the 10 bits of TF32; matrix products, and with
    them the peak that rows are held against, are in FP32 as they are. To be asked after a user's file has run, which
    may set it, too.
    """
    import torch

    device: str = asked["condition"]["device"]
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return device


def load_sample(file: str, device: str) -> torch.Tensor:
    """The timed input [B, ...], written when the reference was made ready."""
    from safetensors.torch import load_file

    return load_file(file)["sample"].to(device)


def load_labels(file: str, device: str) -> torch.Tensor:
    """The timed input's labels [B], which a training step needs."""
    from safetensors.torch import load_file

    return load_file(file)["labels"].to(device)


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


def load_model(workload: Workload, asked: Message) -> nn.Module:
    """What variants are built from: the reference, or in training the model that is yet to be trained."""
    device = asked["condition"]["device"]
    if asked["condition"]["phase"] != "training":
        return load_reference(workload, asked["dataset"], device)
    from efficiency.engine import training_steps

    return training_steps.initial(workload, asked["dataset"], device, asked["seed"])


def ready(
    variant: Message, asked: Message, workload: Workload, model: Callable[[], nn.Module], sample: torch.Tensor
) -> Timed:
    """The variant as it is timed: a call, or a whole training step. `asked` has what all variants of a heat share."""
    if asked["condition"]["phase"] != "training":
        prepared = rebuild(variant, model, sample)
        runtime = compose.runtime_of(tuple(variant["techniques"]))
        return Timed(prepared.caller(), prepared.session, runtime is not None and runtime.own_threads)
    from efficiency.engine import training_steps

    labels = load_labels(asked["sample"], asked["condition"]["device"])
    take = training_steps.step_of(variant, workload, model(), sample, labels).caller()
    return Timed(lambda inputs: take(inputs, labels), ())
