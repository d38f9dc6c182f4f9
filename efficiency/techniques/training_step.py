"""From a model and a set of techniques to a training step: forward, loss, backward, optimizer.

As PyTorch's documentation writes it: forward and loss under autocast, backward outside of it, and the loss scaled where
FP16 gradients would be 0. https://docs.pytorch.org/docs/stable/notes/amp_examples.html
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency import techniques
from efficiency.errors import VariantFailed, first_line
from efficiency.techniques.base import Evidence, Prepared, Technique, Training
from efficiency.techniques.flat_weights import copied
from efficiency.techniques.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import nn

Loss = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""(scores [B, classes], labels [B]) to a scalar."""


@dataclass(frozen=True)
class Step:
    """A variant's training step, ready to be taken."""

    prepared: Prepared
    """The model in training mode, and what stands around its call."""
    optimizer: torch.optim.Optimizer
    loss: Loss
    scaler: torch.amp.GradScaler | None = None

    def caller(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """(inputs [B, ...], labels [B]) to the loss that the step began with, exactly as a user would write it."""
        forward, optimizer, scaler = self._forward(), self.optimizer, self.scaler

        def plain(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            optimizer.zero_grad()
            loss = forward(inputs, labels)
            loss.backward()
            optimizer.step()
            return loss

        def scaled(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            assert scaler is not None
            optimizer.zero_grad()
            loss = forward(inputs, labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            return loss

        return plain if scaler is None else scaled

    def _forward(self) -> Loss:
        """(inputs, labels) to the loss."""
        prepared, loss = self.prepared, self.loss
        if len(prepared.call) > 1:
            raise ValueError("Two techniques stand around the call; write their nesting out here.")
        model, convert = prepared.model, prepared.convert
        around = prepared.call[0] if prepared.call else nullcontext

        def forward(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            with around():
                return loss(model(inputs if convert is None else convert(inputs)), labels)

        return forward

    def compile_ahead(self, sample: torch.Tensor, labels: torch.Tensor, cache: Path) -> None:
        """Compile forward and backward for this shape, and leave weights, statistics and random numbers as they were.

        `cache` is where the compiler keeps what it made: where that is from before, it is loaded. Raises
        `VariantFailed`.
        """
        import torch

        module = self.prepared.module
        before = copy.deepcopy(module.state_dict())
        try:
            with quiet(), _compiler_cache(cache), torch.random.fork_rng():
                self._forward()(sample, labels).backward()
        except Exception as error:  # of the tracer, the code generator, or the C++ compiler that it calls
            raise VariantFailed(f"torch.compile could not compile the step ({first_line(error)}).") from error
        module.load_state_dict(before)
        self.optimizer.zero_grad()


@contextmanager
def _compiler_cache(folder: Path) -> Iterator[None]:
    """What torch.compile makes goes here: a study finds nothing that another left, and leaves nothing behind."""
    name = "TORCHINDUCTOR_CACHE_DIR"
    before = os.environ.get(name)
    os.environ[name] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _serving(keys: tuple[str, ...]) -> list[tuple[Technique, Training]]:
    """The techniques in order, and how each serves training; raises `VariantFailed` for one that does not."""
    found = []
    for technique in techniques.in_order(keys):
        if technique.training is None:
            raise VariantFailed(f"{technique.key} is for inference; leave it out of a training study.")
        found.append((technique, technique.training))
    return found


def prepare(
    keys: tuple[str, ...],
    model: nn.Module,
    sample: torch.Tensor,
    labels: torch.Tensor,
    *,
    optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    loss: Loss,
    cache: Path,
) -> Step:
    """The variant's step on a copy of this model, compiled where it is to be: nothing is left for the first step.

    With no technique this is the baseline: FP32, eager. `sample` [B, ...] and `labels` [B] are of the shape that every
    step has. Raises `VariantFailed`.
    """
    import torch

    module = copied(model).train()
    prepared = Prepared(model=module, module=module, grad_mode=torch.enable_grad)
    serving = _serving(keys)
    for _, training in serving:
        prepared = training.apply(prepared, sample, {})
    scaled = any(training.scales_loss for _, training in serving)
    step = Step(
        prepared, optimizer(prepared.module), loss, torch.amp.GradScaler(sample.device.type) if scaled else None
    )
    if any(training.compiles_s for _, training in serving):
        step.compile_ahead(sample, labels, cache)
    return step


def evidence(keys: tuple[str, ...], step: Step, sample: torch.Tensor, reference: nn.Module) -> dict[str, Evidence]:
    """What each technique can show for itself, of the forward pass.

    What looks into the model's operations sees the eager model: a compiler merges them.
    """
    eager = replace(step.prepared, model=step.prepared.module)
    return {
        technique.key: training.evidence(step.prepared if training.compiles_s else eager, sample, reference)
        for technique, training in _serving(keys)
    }
