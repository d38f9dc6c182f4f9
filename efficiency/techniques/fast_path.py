"""Fast path: the fused inference kernels of PyTorch's own encoder and attention ("BetterTransformer")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques import macs
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "The fast path is an inference kernel; training does not take it."
    if workload.weights_in.get("attention", 0.0) == 0:
        return "The fast path belongs to nn.TransformerEncoder and nn.MultiheadAttention, and this model has neither."
    return None


@contextmanager
def switched(on: bool) -> Iterator[None]:
    """Set the process-wide switch for the time of a visit, and put it back."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(on)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    return replace(prepared, session=(*prepared.session, lambda: switched(True)))


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The fused kernels are seen at the dispatcher, or they are not."""
    seen = macs.counted(prepared, sample)
    layers, attentions = (seen.calls(operation) for operation in macs.FUSED)
    fused = seen.share_in(macs.FUSED)
    figures = {"fused_layers": float(layers), "fused_attentions": float(attentions), "fused_mac_share": round(fused, 4)}
    counts = ((layers, "encoder layers"), (attentions, "attention modules"))
    if ran := " and ".join(f"{count} {what}" for count, what in counts if count):
        said = f"{ran} ran as one fused kernel each: {fused:.0%} of the multiply-accumulates."
        return Evidence("yes", said, figures)
    return Evidence("no", "No fused encoder or attention kernel was ever called.", figures)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(session="torch.backends.mha.set_fastpath_enabled(True)")


FAST_PATH = Technique(
    key="fast-path",
    label="Fast path",
    summary="nn.TransformerEncoder's fused inference kernel (BetterTransformer); skips padding.",
    stage=Stage.CALL,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    # The fused kernel takes float weights and inputs of one type: INT8 has no such weights, and autocast hands it BF16
    # inputs beside FP32 weights. It runs in BF16 and FP16 where the weights are stored so.
    conflicts=frozenset(
        {
            *("amp-bf16", "amp-fp16", "dynamic-int8", "static-int8", "mixed-int8", "qat-int8"),
            *("int8-weight-only", "int4-weight-only", "int8-dynamic"),
        }
    ),
)
