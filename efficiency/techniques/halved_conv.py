"""A convolution of one image as two half convolutions, each over half of its channels, whose outputs are summed.

The multiplications are the same, and another library does them: PyTorch does not hand a convolution of one image to
oneDNN where its kernel is no larger than 3x3 and the image has at most 20,480 values, unless it has groups
(`use_mkldnn` in ATen's `Convolution.cpp`). What it does in place of that is a product by MKL, which does without AVX512
on AMD's processors. So whether halving is worth it depends on the machine, and is tried. Imports torch.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Collection
from typing import Any

import torch
from torch import nn

QUICKER = 0.9
"""Share of the whole convolution's time that the halves may take, at most, to be worth it."""
ROUNDS_TRIED, CALLS_TRIED = 15, 4


class HalvedConv2d(nn.Conv2d):
    """The same convolution, as two groups and a sum."""

    def __init__(self, whole: nn.Conv2d) -> None:
        """Of a convolution without groups and with an even number of input channels."""
        same: Any = {name: getattr(whole, name) for name in ("kernel_size", "stride", "padding", "dilation")}
        super().__init__(whole.in_channels, 2 * whole.out_channels, **same, groups=2, bias=False, device="meta")
        weight = torch.cat(whole.weight.detach().chunk(2, dim=1)).contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight, requires_grad=False)
        if whole.bias is not None:
            bias = whole.bias.detach()
            self.bias = nn.Parameter(torch.cat([bias, torch.zeros_like(bias)]), requires_grad=False)
        self.train(whole.training)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """[N, channels, height, width] to [N, channels, height, width]."""
        first, second = super().forward(inputs).chunk(2, dim=1)
        return first + second


def quicker_halved(model: nn.Module, sample: torch.Tensor) -> tuple[str, ...]:
    """The names of the model's convolutions in FP32 that are quicker in halves: on one row, and on one thread."""
    able: dict[str, Any] = {name: part for name, part in model.named_modules() if _can_be_halved(part)}
    given: dict[str, torch.Tensor] = {}

    def watch(name: str, part: nn.Module) -> Any:
        def keep(_: nn.Module, args: Any, kwargs: Any) -> None:
            given[name] = (*args, *kwargs.values())[0]

        return part.register_forward_pre_hook(keep, with_kwargs=True)

    hooks = [watch(name, part) for name, part in able.items()]
    try:
        with torch.no_grad():
            if able:
                model(sample[:1])
    finally:
        for hook in hooks:
            hook.remove()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            return tuple(name for name, inputs in given.items() if _is_quicker(able[name], inputs))
    finally:
        torch.set_num_threads(threads)


def _can_be_halved(part: nn.Module) -> bool:
    """What is computed otherwise, as by quantized layers, is a class of its own."""
    return type(part) is nn.Conv2d and part.groups == 1 and part.in_channels % 2 == 0 and part.padding_mode == "zeros"


def _is_quicker(whole: nn.Conv2d, inputs: torch.Tensor) -> bool:
    """By the medians of both, called in turn and in random order."""
    halves, shuffled = HalvedConv2d(whole), random.Random(0)
    took_s: dict[nn.Module, list[float]] = {whole: [], halves: []}
    for _ in range(ROUNDS_TRIED):
        for way in shuffled.sample([whole, halves], 2):
            way(inputs)  # what the other left in the caches
            started = time.perf_counter()
            for _ in range(CALLS_TRIED):
                way(inputs)
            took_s[way].append(time.perf_counter() - started)
    return statistics.median(took_s[halves]) < QUICKER * statistics.median(took_s[whole])


def halved(model: nn.Module, names: Collection[str]) -> nn.Module:
    """The model, with these of its convolutions in halves."""
    for name in names:
        whole: Any = model.get_submodule(name)
        model.set_submodule(name, HalvedConv2d(whole))
    return model
