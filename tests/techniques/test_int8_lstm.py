"""The INT8 LSTM kernel computes what `nn.LSTM` does, whatever it is compiled for, and says what it does not take."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.errors import VariantFailed
from efficiency.machine import this_machine
from efficiency.techniques import int8_lstm, int8_lstm_module
from efficiency.techniques.base import Data
from efficiency.techniques.int8_lstm_module import FLAGS, Int8LSTM, compiled

NATIVE = "-march=native"
BUILDS = {"this processor's": NATIVE}
if platform.machine() == "x86_64":
    BUILDS |= {"no instructions for bytes": "-march=x86-64"}
    if "avx2" in this_machine().instruction_sets:
        BUILDS["AVX2"] = "-march=haswell"
NOTHING = Data(lambda: torch.empty(0), lambda: (torch.empty(0), torch.empty(0)))
pytestmark = pytest.mark.skipif(this_machine().cpp_compiler is None, reason="There is no C++ compiler here.")


def learned(model: nn.Module) -> bytes:
    return int8_lstm.learn(model, torch.empty(0), NOTHING)[int8_lstm.LIBRARY].numpy().tobytes()


@pytest.fixture(scope="module", params=BUILDS.values(), ids=BUILDS)
def library(request: pytest.FixtureRequest) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8_lstm_module, "FLAGS", tuple(request.param if flag == NATIVE else flag for flag in FLAGS))
        return compiled(int8_lstm.SOURCE.read_text(), this_machine().cpp_compiler or "")


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("given", "length", "batch"),
    [
        ({"input_size": 30, "hidden_size": 48, "num_layers": 3, "bias": False}, 7, 1),
        ({"input_size": 30, "hidden_size": 48, "num_layers": 3, "batch_first": True}, 70, 5),
        ({"input_size": 64, "hidden_size": 128, "num_layers": 2}, 33, 4),
        ({"input_size": 1, "hidden_size": 16}, 1, 1),
    ],
)
def test_it_computes_what_pytorchs_does(
    library: bytes, given: dict[str, int], length: int, batch: int, threads: int
) -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(**given).eval()
    ours = Int8LSTM(lstm, library)
    inputs = 0.5 * torch.randn(*((batch, length) if lstm.batch_first else (length, batch)), lstm.input_size)
    shape = (lstm.num_layers, batch, lstm.hidden_size)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for state in (None, (torch.rand(shape) - 0.5, torch.randn(shape))):
            with torch.no_grad():
                output, (hidden, cells) = lstm(inputs, state)
                found, (last, cell) = ours(inputs, state)
            assert found.shape == output.shape
            for mine, theirs in ((found, output), (last, hidden), (cell, cells)):
                assert (mine - theirs).abs().max() < 0.03
            spread = output.std()
            assert (found - output).std() < 0.03 * spread if spread > 0.01 else True
    finally:
        torch.set_num_threads(before)


def test_an_answer_does_not_turn_on_who_else_is_in_the_batch(library: bytes) -> None:
    ours = Int8LSTM(nn.LSTM(8, 16, batch_first=True), library)
    alone, beside = torch.randn(1, 5, 8), 100 * torch.randn(6, 5, 8)
    assert torch.equal(ours(alone)[0][0], ours(torch.cat([alone, beside]))[0][0])


def test_a_call_changes_nothing_that_it_was_given(library: bytes) -> None:
    ours = Int8LSTM(nn.LSTM(8, 16), library)
    inputs, hidden, cells = torch.randn(5, 2, 8), torch.zeros(1, 2, 16), torch.ones(1, 2, 16)
    first = ours(inputs, (hidden, cells))[0]
    assert (hidden == 0).all()
    assert (cells == 1).all()
    assert torch.equal(first, ours(inputs, (hidden, cells))[0])


@pytest.mark.parametrize("given", [{"bidirectional": True}, {"proj_size": 8}, {"hidden_size": 20}])
def test_what_it_does_not_take_is_a_sentence(given: dict[str, int]) -> None:
    lstm = nn.LSTM(**({"input_size": 8, "hidden_size": 16} | given))
    with pytest.raises(VariantFailed, match="takes LSTMs of one direction"):
        learned(nn.Sequential(lstm))


def test_a_kernel_that_does_not_compile_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.cpp"
    broken.write_text("int main( {")
    monkeypatch.setattr(int8_lstm, "SOURCE", broken)
    with pytest.raises(VariantFailed, match="could not be compiled"):
        learned(nn.Sequential(nn.LSTM(8, 16)))


def test_it_needs_an_lstm_a_compiler_and_a_cpu() -> None:
    machine = replace(this_machine(), cpp_compiler="g++")
    reasons = {
        "vision-small-cnn": "reaches LSTM layers only, and they hold 0%",
        "lstm-classifier": None,
    }
    for name, reason in reasons.items():
        said = int8_lstm.why_not(workloads.get(name), Condition(), machine)
        assert said is None if reason is None else reason in (said or "")
    lstm = workloads.get("lstm-classifier")
    assert "needs a C++ compiler" in (int8_lstm.why_not(lstm, Condition(), replace(machine, cpp_compiler=None)) or "")
    assert "CPU" in (int8_lstm.why_not(lstm, Condition(device="cuda"), machine) or "")
