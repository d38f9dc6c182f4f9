"""OpenVINO: FP32 is FP32, any batch size is answered, threads are the condition's, nothing goes over the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from efficiency.errors import VariantFailed
from efficiency.techniques import TECHNIQUES, compose, openvino_recipe
from efficiency.techniques.base import Data


class Small(nn.Module):
    """Convolutions in groups, a recurrent layer and a linear one: every kind whose work is counted but attention."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.grouped = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, groups=16)
        self.lstm, self.head = nn.LSTM(32, 24, batch_first=True), nn.Linear(24, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(self.grouped(self.wide(images).relu()).relu().flatten(2).transpose(1, 2))
        return self.head(states.mean(dim=1))


class Unknown(nn.Module):
    """An operation that has no counterpart in OpenVINO."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.linalg.matrix_exp(inputs.unsqueeze(1) * inputs.unsqueeze(2)).sum(dim=2)


class ForOneBatch(nn.Module):
    """Reads the batch size as a number, which a trace holds for good."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.sum(dim=1, keepdim=True) * int(inputs.shape[0])


@pytest.fixture(scope="module")
def small() -> nn.Module:
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def artefact(small: nn.Module, images: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openvino") / "artefact"
    compose.package(("openvino",), small, images[:1], {}, folder)
    return folder


@pytest.mark.parametrize("rows", [1, 8])
def test_fp32_is_fp32_for_any_batch_size(small: nn.Module, images: torch.Tensor, artefact: Path, rows: int) -> None:
    """BF16, which OpenVINO takes by itself where a processor has it, is off by a hundredth."""
    prepared = compose.prepare(("openvino",), None, images[:rows], {}, artefact)
    with torch.no_grad():
        expected = small(images)
    torch.testing.assert_close(prepared.caller()(images[:rows]), expected[:rows], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(prepared.caller()(images), expected, atol=1e-5, rtol=1e-5)
    assert all(node.precision == "f32" for node in prepared.module.nodes() if node.multiply_accumulates)


def test_what_one_call_returned_stays_as_it_is(images: torch.Tensor, artefact: Path) -> None:
    call = compose.prepare(("openvino",), None, images[:1], {}, artefact).caller()
    first = call(images[:1])
    kept = first.clone()
    call(images[1:2])
    assert torch.equal(first, kept)


def test_work_is_counted_for_each_kind_of_layer(images: torch.Tensor, artefact: Path) -> None:
    nodes = compose.prepare(("openvino",), None, images[:2], {}, artefact).module.nodes()
    found = {node.kind: 0 for node in nodes if node.multiply_accumulates}
    for node in nodes:
        if node.kind in found:
            found[node.kind] += node.multiply_accumulates
    convolutions = 2 * (8 * 8 * 16 * 9 + 6 * 6 * 32 * 9)
    assert found["Convolution"] == convolutions
    assert found["RNNSeq"] == 2 * 36 * (32 + 24) * 4 * 24
    assert found["FullyConnected"] == 2 * 24 * 3


@pytest.mark.parametrize("threads", [1, 2])
def test_it_takes_as_many_threads_as_the_condition(images: torch.Tensor, artefact: Path, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        module = compose.prepare(("openvino",), None, images[:1], {}, artefact).module
    finally:
        torch.set_num_threads(before)
    assert module.setting("INFERENCE_NUM_THREADS") == threads
    assert module.setting("NUM_STREAMS") == 1
    assert module.setting("ENABLE_CPU_PINNING") is False


def test_int8_runs_in_integers_and_says_where(small: nn.Module, images: torch.Tensor, tmp_path: Path) -> None:
    keys, sample = ("openvino-int8",), images[:1]
    data = Data(lambda: images, lambda: pytest.fail("it does not train"))
    learned = compose.learn(keys, small, sample, data)
    compose.package(keys, small, sample, learned, tmp_path / "int8")
    prepared = compose.prepare(keys, None, sample, {}, tmp_path / "int8")
    shown = TECHNIQUES["openvino-int8"].evidence(prepared, sample, small)
    assert 0 < shown.figures["int8_work_share"] <= 1
    assert 0 < shown.figures["int8_nodes"] < shown.figures["nodes"]
    assert "INT8" in shown.reason
    float_weights = (tmp_path / "int8" / "model.bin").stat().st_size
    assert float_weights < 0.5 * sum(4 * p.numel() for p in small.parameters())


def test_what_runs_in_bf16_beside_int8_is_counted() -> None:
    from efficiency.techniques.openvino_model import Node
    from efficiency.techniques.openvino_runtime import shown_of_int8

    graph = [
        Node("Reorder", "f32", "reorder", 0),
        Node("Convolution", "u8", "brgconv_avx512_I8", 900),
        Node("FullyConnected", "bf16", "brgemm_avx512_BF16", 100),
        Node("Softmax", "bf16", "jit_avx512_BF16", 0),
    ]
    shown = shown_of_int8(graph)
    assert "90.0% of the multiply-accumulates and 1 of 4 nodes a call run in INT8, and 2 of the others in BF16;" in (
        shown.reason
    )
    assert (shown.figures["bf16_nodes"], shown.figures["bf16_work_share"], shown.figures["conversions"]) == (2, 0.1, 1)
    assert "BF16;" not in shown_of_int8(graph[:2]).reason


@pytest.mark.parametrize(("hint", "precision"), [(openvino_recipe.IN_FP32, "f32"), ("", None)])
def test_recipe_and_readme_compile_it_as_it_is_timed(hint: str, precision: str | None) -> None:
    from efficiency.techniques import openvino_model

    known: dict[str, Any] = {}
    exec(openvino_recipe.SETTINGS.format(threads=torch.get_num_threads(), precision=hint), known)
    assert known["settings"] == openvino_model.settings(precision)


def test_an_fp32_model_is_no_int8(small: nn.Module, images: torch.Tensor, artefact: Path) -> None:
    prepared = compose.prepare(("openvino",), None, images[:1], {}, artefact)
    shown = TECHNIQUES["openvino-int8"].evidence(prepared, images[:1], small)
    assert (shown.took_effect, shown.figures["int8_work_share"]) == ("no", 0.0)


def test_a_trace_of_one_batch_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VariantFailed, match="batch size"):
        compose.package(("openvino",), ForOneBatch().eval(), torch.randn(1, 4), {}, tmp_path / "artefact")


@pytest.mark.parametrize("key", ["openvino", "openvino-int8"])
def test_a_model_that_it_does_not_know_is_refused_with_a_sentence(key: str, tmp_path: Path) -> None:
    learned = {"calibration": torch.randn(8, 4)} if key == "openvino-int8" else {}
    said = r"cannot be converted to OpenVINO \(No conversion rule .*matrix_exp.*\); use it without OpenVINO\."
    with pytest.raises(VariantFailed, match=said):
        compose.package((key,), Unknown().eval(), torch.randn(1, 4), learned, tmp_path / "artefact")


SILENT = """
import sys
from pathlib import Path

seen = []
def heard(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        seen.append((event, args))
sys.addaudithook(heard)
import torch
from torch import nn
from efficiency.techniques import compose

linear = torch.nn.functional.linear
model, rows = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)).eval(), torch.randn(16, 8)
for key, learned in (("openvino", {}), ("openvino-int8", {"calibration": rows})):
    compose.package((key,), model, rows[:1], learned, Path(sys.argv[1]) / key)
    compose.prepare((key,), None, rows[:1], {}, Path(sys.argv[1]) / key).caller()(rows[:1])
assert not seen, seen
assert torch.nn.functional.linear is linear, "NNCF has put its own functions in PyTorch's place"
"""


def test_nothing_is_sent_nor_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-c", SILENT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list((tmp_path / "home").iterdir())
