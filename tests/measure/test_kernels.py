"""Which kernels oneDNN ran, by its own log, and that the log goes nowhere else."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from torch import nn

from efficiency.analysis import kernels as words
from efficiency.measure import kernels

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="This PyTorch has no oneDNN.")
MODEL = nn.Sequential(nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3)).eval()
IMAGES = torch.randn(2, 16, 16, 16)
"""Two: PyTorch computes a single small one by itself."""


def call(images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return MODEL(images)


def test_convolutions_and_copies_between_layouts_are_seen(capfd):
    call(IMAGES)
    found = kernels.of(call, IMAGES)
    assert found is not None
    assert sum(count for primitive, _, count in found.ran if primitive == "convolution") == 2
    assert all(instruction_set for primitive, instruction_set, _ in found.ran if primitive == "convolution")
    kept = {"kernels": asdict(found)}
    assert words.said(kept).startswith("oneDNN ran, in a call: 2 × convolution in ")
    assert words.reorders(kept) == sum(count for primitive, _, count in found.ran if primitive == "reorder")
    call(IMAGES)
    assert "onednn" not in capfd.readouterr().out  # neither then nor afterwards


def test_what_they_read_is_seen_with_the_instruction_set():
    call(IMAGES)
    found = kernels.of(call, IMAGES)
    assert found is not None
    assert sum(count for kind, _, count in found.read if kind == "f32") == 2
    assert {kind for kind, _, _ in found.read} == {"f32"}, "Copies compute nothing."


@pytest.mark.parametrize(
    ("read", "slower"),
    [
        ([["u8", "avx512_core_vnni", 3], ["u8", "avx2", 1]], set()),
        ([["u8", "avx2", 3], ["f32", "avx512_core", 9]], {"avx2"}),
        ([["u8", "", 3]], set()),
        ([["u8", "avx10_1_512_amx", 3], ["u8", "avx512_core", 1]], set()),
        ([["f32", "avx2", 9]], set()),
        (None, set()),
    ],
)
def test_kernels_that_use_less_than_the_processor_has_are_told(read, slower):
    assert words.slower_than_expected({"kernels": {"read": read}}, ("u8", "s8"), ("vnni", "amx")) == slower


def test_what_onednn_has_no_part_in_is_empty():
    found = kernels.of(torch.relu, torch.randn(4))
    assert found is not None
    assert found.ran == ()
    assert words.said({"kernels": asdict(found)}).startswith("oneDNN computed nothing in a call: others did. PyTorch's")
    assert words.reorders({"kernels": asdict(found)}) == 0


def test_a_call_that_fails_gives_standard_output_back(capfd):
    def broken(_: torch.Tensor) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        kernels.of(broken, IMAGES)
    print("heard")
    assert "heard" in capfd.readouterr().out


@pytest.mark.parametrize("kept", [None, {}, {"ran": 3}, 7])
def test_what_another_program_wrote_is_left_out(kept):
    assert words.said({"kernels": kept}) == ""
    assert words.reorders({"kernels": kept}) is None
    assert words.reorders({"kernels": {"ran": [["reorder", 1], 2, ["reorder", "", 3]]}}) == 3
