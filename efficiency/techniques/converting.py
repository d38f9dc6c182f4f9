"""A model together with what is done to its input. Imports torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Converting(nn.Module):
    """Takes the input as it comes, which what is exported has to: a package holds all of the variant."""

    def __init__(self, model: nn.Module, convert: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.model, self.convert = model, convert

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.model(self.convert(inputs))
        return scores
