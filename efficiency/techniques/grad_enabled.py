"""Gradients enabled: `torch.enable_grad` around the call in place of `torch.no_grad`, as code that forgot it has it."""

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
        return "Training records gradients in any case; compare with it in inference."
    return None


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return replace(prepared, grad_mode=torch.enable_grad)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The result itself says whether the call was recorded."""
    if prepared.caller()(sample).requires_grad:
        return Evidence("yes", "The result requires gradients: autograd recorded the call.")
    if not any(parameter.requires_grad for parameter in prepared.module.parameters()):
        reason = "No parameter of this model requires gradients, as INT8 layers have none in float: nothing to record."
        return Evidence("no", reason)
    return Evidence("no", "The result requires no gradients: a layer on the way, such as an INT8 one, records none.")


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(grad_mode="torch.enable_grad()")


GRAD_ENABLED = Technique(
    key="grad-enabled",
    label="Gradients enabled",
    summary="torch.enable_grad in place of torch.no_grad: what it costs to forget no_grad.",
    stage=Stage.CALL,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    # Both are modes of recording, of which one holds; PyTorch leaves the fused kernel where gradients are recorded.
    conflicts=frozenset({"inference-mode", "fast-path"}),
)
