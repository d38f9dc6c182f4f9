"""What a trace cannot follow, and what it gets wrong without a word: it holds one call's Python values for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line

if TYPE_CHECKING:
    import torch
    from torch import nn

TOLERANCE = 1e-2
"""Of answers in floating point, relative and absolute; the wrong batch size is off by far more."""


@contextmanager
def followed_by_fx() -> Iterator[None]:
    """What FX raises at a `forward` that it cannot follow becomes a sentence: `VariantFailed`."""
    try:
        yield
    except Exception as error:  # whatever a user's forward raises when it is given FX's proxies in place of tensors
        raise VariantFailed(
            f"FX cannot trace this model ({first_line(error)}); let `forward` neither branch on nor loop over what its "
            "tensors hold, or use dynamic-int8 or bf16-weights, which trace nothing."
        ) from error


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
