"""BF16 and FP16 weights: the whole model cast to 16 bits, and its input at every call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.ceiling import Arithmetic
from efficiency.techniques import macs
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

# Autocast casts FP32 weights on the way; here there are none left. A frozen trace rounds otherwise than the model, so
# that it cannot be told from one that holds for a single batch size.
CONFLICTS = frozenset({"amp-bf16", "amp-fp16", "optimize-for-inference"})


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "Weights in 16 bits lose the small steps of training, so they are for inference; train with amp-bf16."
    return None


def _apply(prepared: Prepared, sample: torch.Tensor, dtype: torch.dtype) -> Prepared:
    def cast(inputs: torch.Tensor) -> torch.Tensor:
        return inputs.to(dtype)

    module = prepared.module.to(dtype)
    prepared = replace(prepared, model=module, module=module)
    # Integers are indices of embeddings; casting them would make nonsense of them.
    return prepared.converting(cast) if sample.is_floating_point() else prepared


def apply_bf16(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return _apply(prepared, sample, torch.bfloat16)


def apply_fp16(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return _apply(prepared, sample, torch.float16)


def _evidence(prepared: Prepared, sample: torch.Tensor, dtype: torch.dtype, kind: Arithmetic) -> Evidence:
    """What is stored in 16 bits, and what is computed in them: a model may cast its weights back on the way."""
    parameters = list(prepared.module.parameters())
    total = sum(parameter.numel() for parameter in parameters)
    stored = sum(p.numel() for p in parameters if p.dtype == dtype) / total if total else 0.0
    seen = macs.counted(prepared, sample)
    figures = {"half_parameter_share": round(stored, 4), **seen.figures(kind)}
    said = f"{stored:.0%} of the parameters are stored in 16 bits, and {seen.said(kind)}."
    if stored == 0:
        return Evidence("no", "No parameter is stored in 16 bits.", figures)
    if stored > 0.5 and seen.share(kind) > 0.5:
        return Evidence("yes", said, figures)
    return Evidence("partly", f"Only {said}", figures)


def evidence_bf16(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    import torch

    return _evidence(prepared, sample, torch.bfloat16, "bf16")


def evidence_fp16(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    import torch

    return _evidence(prepared, sample, torch.float16, "fp16")


def _recipe(workload: Workload, dtype: str) -> Recipe:
    kind = workload.datasets[0].kind
    convert = f"inputs = inputs.to({dtype})\n"
    if kind == "other":
        convert = f"if inputs.is_floating_point():\n    {convert}"
    # Tokens are indices of embeddings, and stay integers.
    return Recipe(
        model=f"model = model.to({dtype})\n", convert="" if kind == "text" else convert, imports=("import torch",)
    )


def recipe_bf16(workload: Workload, condition: Condition) -> Recipe:
    return _recipe(workload, "torch.bfloat16")


def recipe_fp16(workload: Workload, condition: Condition) -> Recipe:
    return _recipe(workload, "torch.float16")


BF16_WEIGHTS = Technique(
    key="bf16-weights",
    label="BF16 weights",
    summary="The whole model in BF16: half the size; fast on processors with BF16 instructions.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply_bf16,
    evidence=evidence_bf16,
    recipe=recipe_bf16,
    conflicts=CONFLICTS,
    arithmetic="bf16",
    evaluation_cost=0.8,
)

FP16_WEIGHTS = Technique(
    key="fp16-weights",
    label="FP16 weights",
    summary="The whole model in FP16: half the size; for CUDA, as most CPUs have no FP16 kernels.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply_fp16,
    evidence=evidence_fp16,
    recipe=recipe_fp16,
    conflicts=CONFLICTS,
    arithmetic="fp16",
    evaluation_cost=6.0,
)
