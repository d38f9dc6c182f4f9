"""A model that no tracer follows is refused with one sentence, which says what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from efficiency.errors import VariantFailed
from efficiency.techniques import compose
from efficiency.techniques.base import Data

ROWS = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 4


class Branches(nn.Module):
    """Takes another way by what its input holds."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.large(inputs) if inputs.sum() > 0 else self.small(inputs)


class Loops(nn.Module):
    """As often as its input says."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        for _ in range(inputs.argmax()):
            inputs = self.layer(inputs)
        return self.head(inputs)


FX = r"^FX cannot trace this model \(.+\); let `forward` .+ or use dynamic-int8 or bf16-weights, which trace nothing\.$"
EXPORT = r"^torch\.export cannot take this model whole \(.+\); use it without PT2E\.$"


@pytest.mark.parametrize("build", [Branches, Loops])
@pytest.mark.parametrize(
    ("key", "said"), [("static-int8", FX), ("mixed-int8", FX), ("qat-int8", FX), ("pt2e-static-int8", EXPORT)]
)
def test_it_is_refused_with_what_to_do(key: str, said: str, build: Callable[[], nn.Module]) -> None:
    data = Data(lambda: ROWS, lambda: (ROWS, LABELS))
    with pytest.raises(VariantFailed, match=said):
        compose.learn((key,), build().eval(), ROWS[:1], data)


@pytest.mark.parametrize("key", ["dynamic-int8", "bf16-weights"])
def test_what_the_sentence_names_runs(key: str) -> None:
    torch.manual_seed(0)
    model = Branches().eval()
    call = compose.prepare((key,), model, ROWS[:1], {}).caller()
    with torch.no_grad():
        torch.testing.assert_close(call(ROWS).float(), model(ROWS), rtol=0.1, atol=0.1)
