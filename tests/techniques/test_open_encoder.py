"""Encoders are opened where that leaves what they compute as it is, and left alone elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from efficiency.techniques.open_encoder import OpenEncoder, open_encoders

ROWS = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))


class Louder(nn.TransformerEncoderLayer):
    """As PyTorch tells users to make a layer of their own."""

    def forward(self, *inputs: Any, **named: Any) -> torch.Tensor:
        return 2 * super().forward(*inputs, **named)


def encoder(layer: type[nn.TransformerEncoderLayer], *, batch_first: bool = True) -> nn.Module:
    torch.manual_seed(0)
    encoder = nn.TransformerEncoder(layer(8, 2, 16, batch_first=batch_first), 2, enable_nested_tensor=False)
    return nn.Sequential(encoder).eval()


@pytest.mark.parametrize(
    ("layer", "batch_first", "opened"),
    [(nn.TransformerEncoderLayer, True, True), (nn.TransformerEncoderLayer, False, False), (Louder, True, False)],
)
def test_what_it_computes_stays(layer: type[nn.TransformerEncoderLayer], batch_first: bool, opened: bool) -> None:
    model = encoder(layer, batch_first=batch_first)
    with torch.no_grad():
        before = model(ROWS)
        found = open_encoders(model)
        torch.testing.assert_close(found(ROWS), before)
    assert isinstance(found[0], OpenEncoder) == opened
