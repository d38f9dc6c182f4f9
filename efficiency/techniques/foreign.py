"""What the engines outside PyTorch share: where they apply, what they cannot stand with, what their quantizers see."""

from __future__ import annotations

import contextlib
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency import paths
from efficiency.techniques.base import Data, Prepared, Tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine

# Neither PyTorch's modes, layouts and kernels nor its 8- and 16-bit tensors reach an engine outside it.
CONFLICTS = frozenset(
    {
        "dynamic-int8",
        "int8-lstm",
        "static-int8",
        "mixed-int8",
        "qat-int8",
        "int8-weight-only",
        "int4-weight-only",
        "int8-dynamic",
        "bf16-weights",
        "fp16-weights",
        "amp-bf16",
        "amp-fp16",
        "channels-last",
        "fast-path",
        "inference-mode",
        "grad-enabled",
    }
)


def why_not(engine: str, optional: str, condition: Condition, machine: Machine) -> str | None:
    """`optional` is the engine's name in `machine.OPTIONAL`."""
    if condition.phase == "training":
        return f"{engine} answers only here; it does not train."
    if condition.device != "cpu":
        return f"{engine} is measured on the CPU only; on CUDA use torch-compile."
    if optional not in machine.installed:
        return not_installed(engine)
    return None


def not_installed(engine: str) -> str:
    """What brings it: named is the Python that runs, since another's pip would install elsewhere."""
    python = Path(sys.executable)
    if python.is_relative_to(paths.PROJECT):
        python = python.relative_to(paths.PROJECT)
    command = f"{shlex.quote(str(python))} -m pip install -r requirements-runtimes.txt"
    return f"{engine} is not installed; `{command}` brings it, and the app has it once it is started again."


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Call the loaded engine directly, as a user would, and outside PyTorch's modes."""
    return replace(prepared, model=prepared.module.run, grad_mode=contextlib.nullcontext)  # type: ignore[arg-type]


def learn(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """The calibration rows themselves: an engine's own quantizer runs its own observers over them."""
    return {"calibration": data.calibration()}
