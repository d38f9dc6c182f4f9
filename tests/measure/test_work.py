"""Work against a count by hand: also of the operations that PyTorch runs fused and its own counter leaves out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from efficiency.measure import work
from efficiency.workloads.text_models import LSTMClassifier, TransformerClassifier

N, L = 3, 10
PLAIN = {"batch_first": True}


def with_state(layer: nn.Module) -> nn.Module:
    """A recurrent layer gives its states, too; only the output is looked at."""

    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.layer(inputs)[0]

    return First()


MULTIPLICATIONS = {
    # A gate's input weights [H, D] and state weights [H, H] for each token; the second layer reads H, or both ways 2H.
    "lstm": (with_state(nn.LSTM(16, 32, 2, **PLAIN)), N * L * 4 * 32 * (16 + 32 + 32 + 32)),
    "lstm, both ways": (
        with_state(nn.LSTM(16, 32, 2, bidirectional=True, **PLAIN)),
        N * L * 2 * 4 * 32 * (16 + 32 + 64 + 32),
    ),
    "gru": (with_state(nn.GRU(16, 32, 1, **PLAIN)), N * L * 3 * 32 * (16 + 32)),
    # Query, key and value, the output, two feed-forward layers of 64, and attention: L x L scores and as many sums.
    "encoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 64, **PLAIN), 2, enable_nested_tensor=False),
        2 * N * (L * (3 * 16 * 16 + 16 * 16 + 2 * 16 * 64) + 2 * L * L * 16),
    ),
    "linear": (nn.Linear(16, 7), N * L * 16 * 7),
}


@pytest.mark.parametrize("name", MULTIPLICATIONS)
def test_operations_are_what_a_count_by_hand_gives(name):
    model, multiplications = MULTIPLICATIONS[name]
    found = work.of(model.eval(), torch.randn(N, L, 16))
    assert found.operations_per_row * N == 2 * multiplications


def test_a_convolution_by_hand():
    found = work.of(nn.Conv2d(3, 8, 3, padding=1), torch.randn(2, 3, 10, 12))
    assert found.operations_per_row == 2 * 8 * 10 * 12 * 3 * 3 * 3


@pytest.mark.parametrize("model", [LSTMClassifier(50, 16, 32, 1, 4), TransformerClassifier(50, 16, 2, 2, 32, L, 4)])
def test_bytes_are_the_weights_and_of_an_embedding_what_is_looked_up(model):
    ids = torch.randint(1, 50, (N, L))
    ids[:, 7:] = 0
    found = work.of(model.eval(), ids)
    weights = sum(p.numel() for name, p in model.named_parameters() if "embedding" not in name)
    assert found.weight_bytes == 4 * weights
    assert found.bytes_per_row == L * 8 + L * 16 * 4 + 4 * 4  # ids, rows of the table, scores


def test_counting_leaves_the_model_as_it_was_and_a_row_counts_the_same_in_any_batch():
    model = LSTMClassifier(50, 16, 32, 2, 4).eval()
    ids = torch.randint(1, 50, (8, L))
    before = model(ids)
    few, many = work.of(model, ids[:2]), work.of(model, ids)
    assert few == many
    assert not model.embedding._forward_hooks
    assert torch.equal(model(ids), before)


@pytest.mark.parametrize("model", [nn.ReLU(), nn.Linear(3, 3)], ids=["no arithmetic", "raises"])
def test_what_cannot_be_counted_is_unknown(model):
    assert work.of(model, torch.randn(2, 4)) is None
