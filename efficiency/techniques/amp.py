"""AMP: autocast runs matrix products and convolutions in BF16 or FP16, and in FP32 what needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.ceiling import Arithmetic
from efficiency.techniques import macs
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors, Training
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

X86 = ("x86_64", "AMD64")


def why_not_bf16(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    """Autocast hands an LSTM to oneDNN in BF16 without asking whether oneDNN has kernels for it here."""
    old = machine.architecture in X86 and "avx512f" not in machine.instruction_sets
    if condition.device == "cpu" and old and workload.weights_in.get("lstm", 0.0):
        return (
            "Autocast ends in an error on nn.LSTM here: oneDNN runs it in BF16 on processors with AVX512 only, which "
            "this one lacks; bf16-weights runs."
        )
    return None


def why_not_fp16(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.device != "cuda":
        return "FP16 autocast is for CUDA: CPUs have few FP16 kernels, so use amp-bf16 here."
    return None


def _apply(prepared: Prepared, sample: torch.Tensor, dtype: torch.dtype) -> Prepared:
    import torch

    device = sample.device.type

    def autocast() -> torch.autocast:
        return torch.autocast(device, dtype=dtype)

    return replace(prepared, call=(*prepared.call, autocast))


def apply_bf16(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return _apply(prepared, sample, torch.bfloat16)


def apply_fp16(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch

    return _apply(prepared, sample, torch.float16)


def _evidence(prepared: Prepared, sample: torch.Tensor, kind: Arithmetic) -> Evidence:
    """Share of the multiply-accumulates that really ran in 16 bits, and the casts that a call pays for it."""
    seen = macs.counted(prepared, sample)
    share, figures = seen.share(kind), seen.figures(kind)
    if share == 0:
        return Evidence("no", "Every matrix operation ran in FP32: autocast had no effect.", figures)
    said = f"{seen.said(kind)}, with {seen.conversions} casts a call."
    return Evidence("yes", said, figures) if share > 0.5 else Evidence("partly", f"Only {said}", figures)


def evidence_bf16(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    return _evidence(prepared, sample, "bf16")


def evidence_fp16(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    return _evidence(prepared, sample, "fp16")


def recipe_bf16(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(around=f'torch.autocast("{condition.device}", dtype=torch.bfloat16)', imports=("import torch",))


def recipe_fp16(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(around=f'torch.autocast("{condition.device}", dtype=torch.float16)', imports=("import torch",))


AMP_BF16 = Technique(
    key="amp-bf16",
    label="AMP BF16",
    summary="Autocast: matrix products and convolutions in BF16; what needs FP32 stays in it.",
    stage=Stage.CALL,
    why_not=why_not_bf16,
    apply=apply_bf16,
    evidence=evidence_bf16,
    recipe=recipe_bf16,
    conflicts=frozenset({"amp-fp16"}),
    arithmetic="bf16",
    evaluation_cost=2.5,
    training=Training(apply_bf16, evidence_bf16, recipe_bf16, conflicts=frozenset({"amp-fp16"}), cost=1.5),
)

AMP_FP16 = Technique(
    key="amp-fp16",
    label="AMP FP16",
    summary="Autocast: matrix products and convolutions in FP16; what needs FP32 stays in it; CUDA.",
    stage=Stage.CALL,
    why_not=why_not_fp16,
    apply=apply_fp16,
    evidence=evidence_fp16,
    recipe=recipe_fp16,
    conflicts=frozenset({"amp-bf16"}),
    arithmetic="fp16",
    training=Training(apply_fp16, evidence_fp16, recipe_fp16, conflicts=frozenset({"amp-bf16"}), scales_loss=True),
)
