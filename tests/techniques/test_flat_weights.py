"""Copies of recurrent layers: laid out as cuDNN reads them where there is cuDNN, and left alone elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from efficiency.techniques import compose, int8, training_step
from efficiency.techniques.flat_weights import copied


class Counting(nn.LSTM):
    """Counts how often its weights are asked to be laid out."""

    asked = 0

    def flatten_parameters(self) -> None:
        self.asked += 1
        super().flatten_parameters()


class Reader(nn.Module):
    def __init__(self, kind: type[nn.LSTM] = Counting) -> None:
        super().__init__()
        self.lstm, self.head = kind(8, 16, batch_first=True), nn.Linear(16, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(inputs)[0][:, -1])


ROWS = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))


def copies(model: Reader, folder: Path) -> dict[str, nn.Module]:
    step = training_step.prepare(
        (), model, ROWS, torch.tensor([0, 1]),
        optimizer=lambda module: torch.optim.SGD(module.parameters(), lr=0.1),
        loss=nn.functional.cross_entropy, cache=folder,
    )  # fmt: skip
    return {
        "a variant": compose.prepare((), model, ROWS, {}).module,
        "a training step": step.prepared.module,
        "what torchao quantizes": int8.opened_copy(model),
    }


def test_every_copy_that_is_prepared_is_laid_out(tmp_path: Path) -> None:
    """On a CPU PyTorch does nothing when it is asked; that it is asked is what a copy alone lacks."""
    model = Reader().eval()
    before = model.lstm.asked
    for name, module in copies(model, tmp_path).items():
        assert module.lstm.asked == before + 1, name
        assert module.lstm is not model.lstm
        with torch.no_grad():
            torch.testing.assert_close(module.eval()(ROWS), model(ROWS))
    assert model.lstm.asked == before, "the caller's model is left alone"


def test_a_quantized_lstm_is_passed_over() -> None:
    model = Reader(nn.LSTM).eval()
    quantized = compose.prepare(("dynamic-int8",), model, ROWS, {}).module
    assert not any(isinstance(part, nn.RNNBase) for part in quantized.modules())
    with torch.no_grad():
        torch.testing.assert_close(copied(quantized)(ROWS), quantized(ROWS))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="cuDNN reads weights on a GPU alone.")
def test_a_copy_on_cuda_calls_cudnn_without_a_warning() -> None:
    model = Reader().eval().cuda()
    with torch.no_grad():
        copied(model)(ROWS.cuda())  # warnings are errors here
