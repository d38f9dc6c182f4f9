"""Multiply-accumulates by the descriptions in oneDNN's log, and of what really ran."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from efficiency.measure import kernels, onednn_problems


@pytest.mark.parametrize(
    ("problem", "macs"),
    [
        ("mb1_ic3oc64_ih32oh16kh3sh2dh0ph1_iw32ow16kw3sw2dw0pw1", 3 * 64 * 16 * 16 * 9),
        ("mb8_g16ic16oc16_ih10oh8kh3sh1dh0ph0_iw10ow8kw3sw1dw0pw0", 8 * 16 * 64 * 9),
        ("mb4ic64oc128", 4 * 64 * 128),
        ("mb4ic64ih4iw4oc10", 4 * 64 * 16 * 10),
        ("1x64:64x128", 64 * 128),
        ("8x5x64:8x64x7", 8 * 5 * 64 * 7),
        ("8x5x64:1x64x7:8x5x7", 8 * 5 * 64 * 7),
        ("9x2", 0),
        ("axb:c", 0),
    ],
)
def test_a_description_gives_its_multiply_accumulates(problem: str, macs: int) -> None:
    assert onednn_problems.macs(problem) == macs


def test_a_log_is_summed_by_the_type_that_is_read() -> None:
    line = (
        "onednn_verbose,v1,primitive,exec,cpu,{},{},forward_inference,src:{}::blocked:acdb::f0 wei:s8::,attr-,,{},0.02"
    )
    lines = (
        line.format("convolution", "brg:avx512_core_vnni", "u8", "mb1_ic2oc3_iw4ow4kw1sw1dw0pw0"),
        line.format("matmul", "brg:avx512_core_vnni", "u8", "2x3:3x4"),
        line.format("matmul", "jit", "f32", "1x1:1x9"),
        line.format("reorder", "jit", "u8", "8x8"),
    )
    assert onednn_problems.by_type("\n".join(lines)) == {"u8": 24 + 24, "f32": 9}


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="This PyTorch has no oneDNN.")
def test_what_ran_is_counted_as_pytorch_counts_it() -> None:
    model = nn.Sequential(nn.Conv2d(16, 32, 3, stride=2), nn.Conv2d(32, 32, 3, groups=32), nn.Conv2d(32, 8, 1)).eval()
    images = torch.randn(2, 16, 20, 20)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images)

    def call(given: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model(given)

    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # alone, PyTorch hands it no small convolution
    try:
        call(images)
        counted = kernels.macs_by_type(call, images)
    finally:
        torch.set_num_threads(threads)
    assert counted == {"f32": counter.get_total_flops() // 2}
