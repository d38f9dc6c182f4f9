"""Answers to every test row, from which accuracy and its paired difference follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

BATCH = 256


def predictions(
    call: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor, device: str = "cpu"
) -> NDArray[np.uint16]:
    """The class with the highest logit for each of N rows, [N] uint16."""
    answers = [call(batch.to(device)).argmax(dim=1).cpu().numpy().astype(np.uint16) for batch in inputs.split(BATCH)]
    return np.concatenate(answers)
