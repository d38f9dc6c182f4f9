"""Channels-last: images and convolution weights stored NHWC instead of NCHW."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if workload.weights_in.get("conv", 0.0) == 0:
        return "Channels-last is an image layout, and this model has no two-dimensional convolution (nn.Conv2d)."
    return None


def _to_channels_last(inputs: torch.Tensor) -> torch.Tensor:
    import torch

    return inputs.contiguous(memory_format=torch.channels_last)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Convert the weights once and the input, where it is images, at every call, as a user's own code must."""
    import torch
    from torch import nn

    for part in prepared.module.modules():
        # Not the whole module: where a Conv3d stands beside, its weights cannot be laid out so.
        if isinstance(part, nn.Conv2d):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return prepared.converting(_to_channels_last) if sample.dim() == 4 else prepared


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """Share of the image-shaped results inside the model that keep the layout; the converted input is none of them."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: list[bool] = []

    class Layouts(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            # With one channel, or one pixel, both layouts are the same memory.
            image = isinstance(result, torch.Tensor) and result.dim() == 4
            if image and result.shape[1] > 1 and max(result.shape[2:]) > 1:
                seen.append(result.is_contiguous(memory_format=torch.channels_last))
            return result

    inputs = sample if prepared.convert is None else prepared.convert(sample)
    call = replace(prepared, convert=None).caller()
    with torch.no_grad(), Layouts():
        call(inputs)
    share = sum(seen) / len(seen) if seen else 0.0
    figures = {"channels_last_share": round(share, 4)}
    if share > 0.9:
        return Evidence("yes", f"{share:.0%} of the activations are channels-last.", figures)
    if share > 0:
        return Evidence("partly", f"Only {share:.0%} of the activations stay channels-last.", figures)
    return Evidence("no", "No activation was channels-last: the layout had no effect.", figures)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    convert = "inputs = inputs.contiguous(memory_format=torch.channels_last)\n"
    if workload.datasets[0].kind != "image":
        convert = f"if inputs.dim() == 4:\n    {convert}"
    return Recipe(
        model="""\
for part in model.modules():
    if isinstance(part, nn.Conv2d):
        part.to(memory_format=torch.channels_last)
""",
        convert=convert,
        imports=("import torch", "from torch import nn"),
    )


CHANNELS_LAST = Technique(
    key="channels-last",
    label="Channels-last",
    summary="Image layout NHWC, which convolution kernels often prefer; same numbers.",
    stage=Stage.LAYOUT,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
)
