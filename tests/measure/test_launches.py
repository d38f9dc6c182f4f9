"""Launches, by the names that CUDA's runtime and driver give their calls in a profile."""

from __future__ import annotations

import torch

from efficiency.measure import launches
from efficiency.measure.launches import Launches

EAGER = ("aten::mm", "cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernelEx", "cudaMemcpyAsync", "cuLaunchKernel")
REPLAYED = ("cudaMemcpyAsync", "cudaGraphLaunch", "aten::clone", "cudaLaunchKernel", "sm80_xmma_gemm_f32f32")


def test_kernels_and_graphs_are_told_apart() -> None:
    assert launches.counted(EAGER) == Launches(4, 0)
    assert launches.counted(REPLAYED) == Launches(1, 1)


def test_where_none_is_seen_nothing_is_claimed() -> None:
    assert launches.counted(("aten::mm", "cudaMemcpyAsync")) is None
    assert launches.of(torch.relu, torch.randn(4)) is None, "on a CPU"
