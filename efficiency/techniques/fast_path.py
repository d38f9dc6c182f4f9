"""Fast path: the fused inference kernel of `nn.TransformerEncoder` ("BetterTransformer")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

_KERNEL = "_transformer_encoder_layer_fwd"


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "The fast path is an inference kernel; training does not take it."
    if workload.weights_in.get("attention", 0.0) == 0:
        return "The fast path belongs to nn.TransformerEncoder, and this model has none."
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
    """The fused kernel is seen at the dispatcher, or it is not."""
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: list[str] = []

    class Kernels(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            seen.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    with Kernels():
        prepared.caller()(sample)
    count = seen.count(_KERNEL)
    figures = {"fused_layers": float(count)}
    if count:
        return Evidence("yes", f"{count} encoder layers ran as one fused kernel each.", figures)
    return Evidence("no", "The fused encoder kernel was never called.", figures)


FAST_PATH = Technique(
    key="fast-path",
    label="Fast path",
    summary="nn.TransformerEncoder's fused inference kernel (BetterTransformer); skips padding.",
    stage=Stage.CALL,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    # The fused kernel takes FP32 weights alone: INT8 has none, and autocast hands it BF16 inputs.
    conflicts=frozenset({"amp-bf16", "amp-fp16", "dynamic-int8", "static-int8", "qat-int8"}),
)
