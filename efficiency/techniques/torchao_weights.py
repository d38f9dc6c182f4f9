"""torchao's `quantize_`: Linear weights rounded to 8 or 4 bits, and activations too where products run in integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from efficiency.techniques import int8, macs
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.quiet import quiet
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

GROUP = 32
"""Weights that share a scale in 4 bits, along the input; torchao takes no layer that this does not divide."""
LEAST_ROWS = 17
"""Of a product in INT8 by cuBLAS; torchao computes one of fewer rows in FP32."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "Weights in 8 or 4 bits are for inference; to train in fewer bits use amp-bf16."
    instead = int8.OF_LSTM if workload.weights_in.get("lstm", 0.0) >= int8.WORTH_IT else "static-int8"
    if condition.device != "cpu":
        instead = "amp-bf16"
    if reason := int8.why_not_reached(
        workload, "torchao's quantize_", "Linear layers only", ("linear", "attention"), instead
    ):
        return reason
    if "torchao" not in machine.installed:
        return "This technique needs the package 'torchao'; run `pip install -r requirements.txt`."
    return None


def why_not_int8_dynamic(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    """On CUDA also where it is known that a call has too few rows: elsewhere the evidence tells."""
    if reason := why_not(workload, condition, machine):
        return reason
    length = condition.length or workload.length
    if condition.device == "cuda" and length and condition.batch_size * length < LEAST_ROWS:
        return (
            f"On CUDA, cuBLAS multiplies INT8 from {LEAST_ROWS} rows on, and a call has "
            f"{condition.batch_size * length} tokens here; take a larger batch or int8-weight-only."
        )
    return None


def library() -> Any:
    """`torchao.quantization`; its first import tells of kernels for other machines, and of PyTorch's deprecations."""
    with quiet():
        import torchao.quantization
    return torchao.quantization


def _integers(weight: torch.Tensor) -> torch.Tensor | None:
    """Of a quantized weight, which is a Parameter still, of a type that keeps its integers in `qdata`."""
    return getattr(weight, "qdata", None)


def is_taken(part: nn.Module, _name: str) -> bool:
    """Whether it is a Linear layer to be quantized: torchao's own filter, which takes one used in two places twice."""
    from torch import nn
    from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

    if not isinstance(part, nn.Linear) or isinstance(part, NonDynamicallyQuantizableLinear):
        return False
    return not hasattr(part.weight, "qdata")  # where a quantized weight keeps its integers


def is_taken_in_groups(part: nn.Module, name: str) -> bool:
    """Whether it is one whose inputs are whole groups; the others stay as they are."""
    from torch import nn

    return isinstance(part, nn.Linear) and is_taken(part, name) and part.in_features % GROUP == 0


def is_taken_by_cublas(part: nn.Module, name: str) -> bool:
    """Whether it is one whose widths cuBLAS multiplies in INT8: torchao takes the others to the CPU at every call."""
    from torch import nn

    if not isinstance(part, nn.Linear) or not is_taken(part, name):
        return False
    return part.in_features % 8 == 0 and part.out_features % 8 == 0


def quantized(prepared: Prepared, config: Any, takes: Callable[[nn.Module, str], bool] = is_taken) -> Prepared:
    """The Linear layers that `takes` says, quantized."""
    module = int8.opened_copy(prepared.module).eval()
    library().quantize_(module, config, takes)
    return replace(prepared, model=module, module=module)


def apply_int8_weights(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    # Inductor's options hold for the whole process, and so for the variants beside this one: they are left alone.
    return quantized(prepared, library().Int8WeightOnlyConfig(set_inductor_config=False))


def apply_int4_weights(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """`Int4WeightOnlyConfig` packs two values a byte, and wants another package for it; this one needs none."""
    import torch

    api = library()
    four: Any = torch.int4  # type: ignore[attr-defined]
    config = api.IntxWeightOnlyConfig(weight_dtype=four, granularity=api.PerGroup(GROUP))
    return quantized(prepared, config, is_taken_in_groups)


def apply_int8_dynamic(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    api = library()
    from torchao.utils import should_reduce_range

    # Without VNNI, a CPU adds two products in 16 bits, which full ranges overflow.
    config = api.Int8DynamicActivationInt8WeightConfig(
        set_inductor_config=False, reduce_range=should_reduce_range(sample.device)
    )
    return quantized(prepared, config, is_taken_by_cublas if sample.device.type == "cuda" else is_taken)


def _bits(integers: torch.Tensor) -> int:
    """The bits that each takes at least, in two's complement, the largest deciding."""
    return max(int(integers.max()), -int(integers.min()) - 1).bit_length() + 1


def _share(prepared: Prepared, reference: nn.Module, bits: int) -> float:
    """Share of the reference's weights that are left in integers of so many bits at most."""
    total = sum(p.numel() for p in reference.parameters() if p.dim() > 1)
    left = 0
    for weight in prepared.module.parameters():
        integers = _integers(weight)
        if weight.dim() > 1 and (integers is None or _bits(integers) > bits):
            left += weight.numel()
    return 1 - left / total if total else 0.0


def evidence_int8_weights(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    return _in_fp32(int8.judged(_share(prepared, reference, 8)), prepared, sample)


def _in_fp32(weights: Evidence, prepared: Prepared, sample: torch.Tensor) -> Evidence:
    """Weights that are stored in few bits and unpacked at every call: the arithmetic is looked at, and said to stay."""
    if weights.took_effect == "no":
        return weights
    figures = {**weights.figures, **macs.counted(prepared, sample).figures("int8")}
    reason = f"{weights.reason.removesuffix('.')}; they are unpacked at every call, for arithmetic in floating point."
    return replace(weights, reason=reason, figures=figures)


def evidence_int4_weights(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """Rounding to 4 bits is one thing, and storing 4 is another."""
    seen = _in_fp32(int8.judged(_share(prepared, reference, 4), bits=4), prepared, sample)
    if seen.took_effect == "no":
        return seen
    stored = _stored_bits(prepared.module)
    figures = {**seen.figures, "stored_bits_per_weight": round(stored, 2)}
    if stored <= 4:
        return replace(seen, figures=figures)
    reason = f"{seen.reason.removesuffix('.')}. Each is stored in {stored:.0f} bits all the same."
    return Evidence("partly", reason, figures)


def _stored_bits(module: nn.Module) -> float:
    """Bits that a quantized weight takes in memory, on average."""
    pairs = [(weight, _integers(weight)) for weight in module.parameters()]
    held = [(weight.numel(), integers.nbytes) for weight, integers in pairs if integers is not None]
    return 8 * sum(size for _, size in held) / sum(count for count, _ in held)


def evidence_int8_dynamic(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    shown = int8.with_arithmetic(int8.judged(_share(prepared, reference, 8)), prepared, sample)
    if sample.device.type != "cuda" or shown.took_effect == "no":
        return shown
    return told_of_few_rows(shown, macs.counted(prepared, sample))


def told_of_few_rows(shown: Evidence, seen: macs.Macs) -> Evidence:
    """With the reason why products were left to FP32, where some were."""
    left = seen.calls_in("mm", "fp32")
    if not left:
        return shown
    said = f"{left} products ran in FP32" if left > 1 else "One product ran in FP32"
    limits = f"cuBLAS multiplies INT8 only from {LEAST_ROWS} rows on, and in widths that are multiples of 8"
    return replace(shown, reason=f"{shown.reason} {said}: {limits}.")


def recipe_of(
    workload: Workload, config: str, imports: tuple[str, ...], takes: str = "is_taken", place: str = __name__
) -> Recipe:
    """The lines for `quantized`; `place` is the module that `takes` is from."""
    quantize = Recipe(
        model=f"config = {config}\nquantize_(model, config, {takes})\n",
        imports=("from torchao.quantization import quantize_", *imports),
        uses=(f"{place}:{takes}",),
    )
    return int8.opening(workload).then(quantize)


def recipe_int8_weights(workload: Workload, condition: Condition) -> Recipe:
    imports = ("from torchao.quantization import Int8WeightOnlyConfig",)
    return recipe_of(workload, "Int8WeightOnlyConfig(set_inductor_config=False)", imports)


def recipe_int4_weights(workload: Workload, condition: Condition) -> Recipe:
    config = "IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=PerGroup(GROUP))"
    imports = ("import torch", "from torchao.quantization import IntxWeightOnlyConfig, PerGroup")
    return recipe_of(workload, config, imports, "is_taken_in_groups")


def recipe_int8_dynamic(workload: Workload, condition: Condition) -> Recipe:
    config = (
        "Int8DynamicActivationInt8WeightConfig(\n"
        "    set_inductor_config=False, reduce_range=should_reduce_range(sample.device)\n)"
    )
    imports = (
        "from torchao.quantization import Int8DynamicActivationInt8WeightConfig",
        "from torchao.utils import should_reduce_range",
    )
    # Without VNNI, a CPU adds two products in 16 bits, which full ranges overflow.
    return recipe_of(workload, config, imports, "is_taken_by_cublas" if condition.device == "cuda" else "is_taken")


INT8_WEIGHT_ONLY = Technique(
    key="int8-weight-only",
    label="INT8 weights",
    summary="Linear weights stored in 8 bits; activations and arithmetic stay FP32.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply_int8_weights,
    evidence=evidence_int8_weights,
    recipe=recipe_int8_weights,
    # Activations meet integers up to 127, and the scale comes after: FP16 can overflow there.
    conflicts=frozenset({"amp-fp16"}),
)

INT4_WEIGHT_ONLY = Technique(
    key="int4-weight-only",
    label="INT4 weights",
    summary=f"Linear weights rounded to 4 bits, a scale for {GROUP} of them; arithmetic stays FP32.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply_int4_weights,
    evidence=evidence_int4_weights,
    recipe=recipe_int4_weights,
)

INT8_DYNAMIC = Technique(
    key="int8-dynamic",
    label="INT8 dynamic (torchao)",
    summary="Linear weights in 8 bits, activations quantized on the fly, products in integers; no data.",
    stage=Stage.WEIGHTS,
    why_not=why_not_int8_dynamic,
    apply=apply_int8_dynamic,
    evidence=evidence_int8_dynamic,
    recipe=recipe_int8_dynamic,
    conflicts=int8.CONFLICTS,
    arithmetic="int8",
)
