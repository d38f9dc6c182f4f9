"""Recurrent layers whose weights lie in memory as cuDNN reads them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def copied(model: nn.Module) -> nn.Module:
    """A deep copy with flat weights: a copy alone has a piece of memory for each tensor of an LSTM."""
    return flattened(copy.deepcopy(model))


def flattened(model: nn.Module) -> nn.Module:
    """The model, the weights of each recurrent layer in one piece where it is on CUDA.

    cuDNN reads them so. Where they are not, every call copies them together anew, and warns. PyTorch leaves layers on
    a CPU as they are; quantized LSTMs, which run on a CPU alone, are none of `nn.RNNBase`.
    """
    from torch import nn

    for part in model.modules():
        if isinstance(part, nn.RNNBase):
            part.flatten_parameters()
    return model
