"""What a trace can get wrong without a word: it follows one call, and holds the Python values of that call for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed

if TYPE_CHECKING:
    import torch
    from torch import nn

TOLERANCE = 1e-2
"""Of answers in floating point, relative and absolute; the wrong batch size is off by far more."""


def refuse_one_batch_size(
    traced: Callable[[torch.Tensor], torch.Tensor], module: nn.Module, inputs: torch.Tensor
) -> None:
    """Raises `VariantFailed` unless the trace answers three times the rows as the module does."""
    import torch

    more = torch.cat([inputs, inputs, inputs])
    try:
        with torch.no_grad():
            expected = module(more).float()
            same = torch.allclose(traced(more).float(), expected, rtol=TOLERANCE, atol=TOLERANCE)
    except RuntimeError:  # shapes that no longer fit
        same = False
    if not same:
        raise VariantFailed(
            "The trace holds for the batch size it was made with alone, since `forward` computes with it in Python; "
            "let `forward` take sizes from its tensors."
        )
