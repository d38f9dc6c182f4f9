"""Channels-last: images and convolution weights stored NHWC instead of NCHW."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors, Training
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


_CONVOLUTIONS = ("convolution", "conv2d", "conv2d_relu", "conv2d_add", "conv2d_add_relu")
"""As the dispatcher names them, PyTorch's own and, after the first, its quantized ones."""
_COPIES = ("clone", "contiguous", "copy_")


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
    """Share of the image-shaped results inside the model that keep the layout; the converted input is none of them.

    Which of the convolutions, quantized ones too, were given the layout, and what was copied to keep it, stands beside.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    kept: list[bool] = []
    given: list[bool] = []
    copies = 0

    class Layouts(TorchDispatchMode):
        supports_higher_order_operators = True  # as torchao's products on CUDA are, which have no layout of images

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal copies
            result = func(*args, **(kwargs or {}))
            name = getattr(func, "overloadpacket", func).__name__
            if _both_ways(result):
                kept.append(_is_channels_last(result))
                copies += name in _COPIES
            if name in _CONVOLUTIONS and _both_ways(args[0]):
                given.append(_is_channels_last(args[0]))
            return result

    inputs = sample if prepared.convert is None else prepared.convert(sample)
    call = replace(prepared, convert=None).caller()
    with torch.no_grad(), Layouts():
        call(inputs)
    share = sum(kept) / len(kept) if kept else 0.0
    figures = {"channels_last_share": round(share, 4), "layout_copies": float(copies)}
    told = ""
    if given:
        figures |= {"convolutions": float(len(given)), "nhwc_convolutions": float(sum(given))}
        told = f", and {sum(given)} of {len(given)} convolutions with several channels were given it"
    if share > 0.9:
        return Evidence("yes", f"{share:.0%} of the activations are channels-last{told}.", figures)
    if share > 0:
        return Evidence("partly", f"Only {share:.0%} of the activations stay channels-last{told}.", figures)
    return Evidence("no", "No activation was channels-last: the layout had no effect.", figures)


def _both_ways(value: object) -> bool:
    """Whether it is images in memory that differs by layout: with one channel, or one pixel, both are the same."""
    import torch

    return isinstance(value, torch.Tensor) and value.dim() == 4 and value.shape[1] > 1 and max(value.shape[2:]) > 1


def _is_channels_last(images: torch.Tensor) -> bool:
    import torch

    return images.is_contiguous(memory_format=torch.channels_last)


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
    training=Training(apply, evidence, recipe),
    recipe=recipe,
)
