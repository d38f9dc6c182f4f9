"""FP8 dynamic (torchao): Linear weights and activations in floating point of 8 bits, as GPUs since Ada multiply it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from efficiency.techniques import int8, macs, torchao_weights
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe
from efficiency.techniques.torchao_weights import is_taken

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

LEAST_CAPABILITY = (8, 9)
"""Ada's; Hopper has 9.0 and Blackwell 10.0 and more."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "Weights in FP8 are for inference here; to train in fewer bits use amp-bf16."
    least = ".".join(map(str, LEAST_CAPABILITY))
    if condition.device != "cuda":
        return f"It needs a GPU with FP8 units (CUDA compute capability {least} or more); a CPU takes INT8 instead."
    if reason := torchao_weights.why_not(workload, condition, machine):
        return reason
    if not machine.has_capability(*LEAST_CAPABILITY):
        here = (
            "the driver does not tell this GPU's"
            if machine.compute_capability is None
            else f"this GPU's is {machine.compute_capability}"
        )
        return f"FP8 needs CUDA compute capability {least} or more, and {here}; use int8-dynamic."
    return None


def is_taken_in_fp8(part: nn.Module, name: str) -> bool:
    """Whether it is a Linear layer whose widths FP8 products take; torchao leaves the others as they are."""
    from torch import nn

    if not isinstance(part, nn.Linear) or not is_taken(part, name):
        return False
    return part.in_features % 16 == 0 and part.out_features % 16 == 0


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """One scale for each tensor: with one for each row, torchao takes BF16 models alone."""
    config = torchao_weights.library().Float8DynamicActivationFloat8WeightConfig(set_inductor_config=False)
    return torchao_weights.quantized(prepared, config, is_taken_in_fp8)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The share of the weights that are held in FP8, and of the arithmetic that ran in it: `_scaled_mm` alone does."""
    share = _share(prepared.module, reference)
    figures = {"fp8_weight_share": round(share, 4)}
    if share <= 0.01:
        return Evidence("no", "No weight is in FP8: the model still runs in FP32.", figures)
    seen = macs.counted(prepared, sample)
    figures |= seen.figures("fp8")
    ran = f"{seen.calls('_scaled_mm')} calls of _scaled_mm; {seen.said('fp8')}"
    if not seen.products:
        ran = "which operations compute with them could not be seen"
    mostly = share >= int8.MOSTLY and seen.share("fp8") >= int8.MOSTLY
    said = f"{share:.1%} of the weights are FP8: {ran}."
    return Evidence("yes", said, figures) if mostly else Evidence("partly", f"Only {said}", figures)


def _share(module: nn.Module, reference: nn.Module) -> float:
    """Share of the reference's weights that are left in FP8."""
    import torch

    kinds = (torch.float8_e4m3fn, torch.float8_e4m3fnuz)
    total = sum(p.numel() for p in reference.parameters() if p.dim() > 1)
    held = (weight for weight in module.parameters() if weight.dim() > 1)
    taken = sum(w.numel() for w in held if getattr(getattr(w, "qdata", None), "dtype", None) in kinds)
    return taken / total if total else 0.0


def recipe(workload: Workload, condition: Condition) -> Recipe:
    imports = ("from torchao.quantization import Float8DynamicActivationFloat8WeightConfig",)
    config = "Float8DynamicActivationFloat8WeightConfig(set_inductor_config=False)"
    return torchao_weights.recipe_of(workload, config, imports, "is_taken_in_fp8", __name__)


FLOAT8_DYNAMIC = Technique(
    key="float8-dynamic",
    label="FP8 dynamic (torchao)",
    summary="Linear weights in FP8, activations cast on the fly, products in FP8; GPUs since Ada, no data.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    conflicts=frozenset(
        {
            # What takes float tensors of one type, and engines and quantizers that take the FP32 model.
            *("amp-bf16", "amp-fp16", "fast-path", "optimize-for-inference"),
            *("onnxruntime", "onnxruntime-dynamic-int8", "onnxruntime-static-int8", "openvino", "openvino-int8"),
            *("pt2e-dynamic-int8", "pt2e-static-int8", "pt2e-qat-int8"),
        }
    ),
    arithmetic="fp8",
)
