"""Inference mode: `torch.inference_mode` around the call in place of `torch.no_grad`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "Inference mode records no gradients, so a model cannot be trained under it."
    return None


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return replace(prepared, grad_mode=torch.inference_mode)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The result itself says whether it was made in inference mode."""
    if prepared.caller()(sample).is_inference():
        return Evidence("yes", "The result is an inference tensor.")
    return Evidence("no", "The result is an ordinary tensor: inference mode was left on the way.")


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(grad_mode="torch.inference_mode()")


INFERENCE_MODE = Technique(
    key="inference-mode",
    label="Inference mode",
    summary="torch.inference_mode in place of torch.no_grad: less bookkeeping a call.",
    stage=Stage.CALL,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
)
