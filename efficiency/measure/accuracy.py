"""Answers to every test row, from which accuracy and its paired difference follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

BATCH = 256
"""Rows answered at a time."""


class Batches(Protocol):
    """Model inputs [n, ...], n at most `BATCH`: a list of them, or what makes them one after the other."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[torch.Tensor]: ...


def in_calls_of(rows: int, call: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """The same answers to inputs [N, ...] from a call that takes exactly `rows` of them; the last are repeated."""
    import torch

    def answer(inputs: torch.Tensor) -> torch.Tensor:
        missing = -len(inputs) % rows
        filled = torch.cat([inputs, inputs[-1:].expand(missing, *inputs.shape[1:])]) if missing else inputs
        return torch.cat([call(part.contiguous()).clone() for part in filled.split(rows)])[: len(inputs)]

    return answer


def predictions(
    call: Callable[[torch.Tensor], torch.Tensor],
    batches: Batches,
    device: str = "cpu",
    on_batch: Callable[[float], None] = lambda share: None,
    on_logits: Callable[[NDArray[np.float32]], None] = lambda logits: None,
) -> NDArray[np.uint16]:
    """The class with the highest logit for each of the N rows of all batches, [N] uint16.

    `on_batch` hears after each batch the share that is answered, 0 to 1; `on_logits` gets its logits [n, classes].
    """
    answers = []
    for number, batch in enumerate(batches, start=1):
        # Where gradients are recorded, a result holds on to all activations of its batch: let go of them at once.
        logits = call(batch.to(device)).detach()
        answers.append(logits.argmax(dim=1).cpu().numpy().astype(np.uint16))
        on_logits(logits.float().cpu().numpy())
        on_batch(number / len(batches))
    return np.concatenate(answers)
