"""Launches: how often a call asks the GPU to start something, as PyTorch's profiler sees it. Child side.

Each launch takes the processor some microseconds, which short kernels wait for; a CUDA graph is one launch of many
kernels. What is counted are calls of CUDA's runtime and driver, on the processor's side.
https://docs.pytorch.org/docs/stable/profiler.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_KERNEL = re.compile(r"cu(da)?LaunchKernel")
_GRAPH = re.compile(r"cu(da)?GraphLaunch")


@dataclass(frozen=True)
class Launches:
    """Of one call."""

    kernels: int
    graphs: int


def of(call: Callable[[torch.Tensor], Any], sample: torch.Tensor) -> Launches | None:
    """Of a call that was made before; None where the profiler saw no launch at all, as on a CPU."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    if sample.device.type != "cuda":
        return None
    # Torn down and set up anew, CUDA's tracer can crash on graphs (https://github.com/pytorch/pytorch/issues/75504).
    os.environ.setdefault("TEARDOWN_CUPTI", "0")
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        call(sample)
        torch.cuda.synchronize()
    return counted(event.name for event in seen.events() or ())


def counted(names: Iterable[str]) -> Launches | None:
    """Among the names of a profile's events; None where there is no launch."""
    kernels = graphs = 0
    for name in names:
        kernels += _KERNEL.match(name) is not None
        graphs += _GRAPH.match(name) is not None
    return Launches(kernels, graphs) if kernels or graphs else None
