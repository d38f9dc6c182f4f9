"""What the kinds of INT8 share: where they apply, how a model is opened to them, evidence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from efficiency.techniques import macs
from efficiency.techniques.base import Evidence, Prepared
from efficiency.techniques.flat_weights import copied
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.ao.quantization import QConfigMapping

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

# INT8 kernels take and give FP32 activations; autocast would hand them BF16.
CONFLICTS = frozenset({"amp-bf16", "amp-fp16"})
MOSTLY = 0.5
"""From this share of the weights on, quantization counts as having taken effect."""
WORTH_IT = 0.10
"""Least share of the weights that quantization must reach to be worth a row."""
OF_LSTM = "dynamic-int8 or int8-lstm"
"""What takes an LSTM to INT8, where a technique does not."""


def why_not_device(condition: Condition) -> str | None:
    """PyTorch's eager INT8 kernels exist for CPUs only, and answer only."""
    if condition.phase == "training":
        return "INT8 kernels give no gradients, so an INT8 model answers only; to train in fewer bits use amp-bf16."
    if condition.device != "cpu":
        return "PyTorch's eager INT8 kernels run on the CPU only; on CUDA use amp-fp16 or amp-bf16."
    return None


def why_not_reached(workload: Workload, who: str, layers: str, kinds: tuple[str, ...], instead: str) -> str | None:
    """Where the layers that it reaches hold next to nothing, next to nothing changes."""
    reached = sum(workload.weights_in.get(kind, 0.0) for kind in kinds)
    if reached < WORTH_IT:
        return f"{who} reaches {layers}, and they hold {reached:.0%} of this model's weights; use {instead}."
    return None


def why_not_static(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    """Static quantization and QAT leave `nn.LSTM` in FP32 without a word."""
    if reason := why_not_device(condition):
        return reason
    recurrent = workload.weights_in.get("lstm", 0.0)
    if recurrent >= WORTH_IT:
        return (
            f"Static quantization leaves nn.LSTM in FP32, and it holds {recurrent:.0%} of this model's "
            f"weights; use {OF_LSTM}."
        )
    return None


@contextmanager
def known_warnings() -> Iterator[None]:
    """`torch.ao.quantization` warns of its own deprecation, which the card already says."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r".*(torch\.ao\.quantization|quantized tensor creation).*")
        warnings.filterwarnings("ignore", message=r".*(reduce_range|qconfig|must run observer).*")
        yield


def opened_copy(model: nn.Module) -> nn.Module:
    """A copy whose encoder layers are written out as Linear layers, which quantizers can see."""
    from efficiency.techniques.open_encoder import open_encoders

    return open_encoders(copied(model))


def static_mapping(model: nn.Module, *, training: bool) -> Any:
    """PyTorch's default mapping for this CPU's engine, but for embeddings.

    A transformer's Linear layers alone are quantized: its LayerNorms, softmax and residual sums are
    what rounding hurts most, and they cost little in float.
    """
    import torch
    from torch import nn
    from torch.ao.quantization import (
        get_default_qat_qconfig_mapping,
        get_default_qconfig_mapping,
    )

    from efficiency.techniques.open_encoder import OpenEncoderLayer

    engine = torch.backends.quantized.engine
    make = get_default_qat_qconfig_mapping if training else get_default_qconfig_mapping
    mapping = make(engine)
    if any(isinstance(part, OpenEncoderLayer) for part in model.modules()):
        mapping = linear_layers_only(mapping)
    return mapping.set_object_type(nn.Embedding, None)


def linear_layers_only(mapping: QConfigMapping) -> QConfigMapping:
    """A mapping that quantizes Linear layers as the given one does, and nothing else."""
    from torch import nn
    from torch.ao.quantization import QConfigMapping

    linear = mapping.global_qconfig
    # A ReLU behind a Linear is fused into it, and has to share its settings.
    kept = QConfigMapping().set_global(None)
    for kind in (nn.Linear, nn.ReLU, nn.functional.relu):
        kept = kept.set_object_type(kind, linear)
    return kept


def with_int8_embeddings(model: nn.Module) -> nn.Module:
    """A copy whose embeddings are stored in 8 bits, a scale a row; a look-up dequantizes its rows."""
    from torch import nn
    from torch.ao.quantization import float_qparams_weight_only_qconfig, quantize_dynamic

    return quantize_dynamic(model, {nn.Embedding: float_qparams_weight_only_qconfig})


def opening(workload: Workload) -> Recipe:
    """The lines for `opened_copy`; none for a model without attention."""
    if workload.weights_in.get("attention", 0.0) == 0:
        return Recipe()
    return Recipe(model="model = open_encoders(model)\n", uses=("efficiency.techniques.open_encoder:open_encoders",))


def mapping_recipe(workload: Workload, default: str) -> Recipe:
    """The lines for `static_mapping`, which leave the mapping in `mapping`; `default` is PyTorch's function for it."""
    made = Recipe(
        model=f"mapping = {default}(torch.backends.quantized.engine)\n",
        imports=("import torch", f"from torch.ao.quantization import {default}"),
    )
    if workload.weights_in.get("attention", 0.0):
        only = "mapping = linear_layers_only(mapping)\n"
        used = ["efficiency.techniques.int8:linear_layers_only"]
        if workload.source:  # whose attention may stand outside an encoder
            only = f"if any(isinstance(part, OpenEncoderLayer) for part in model.modules()):\n    {only}"
            used.append("efficiency.techniques.open_encoder:OpenEncoderLayer")
        made = made.then(Recipe(model=only, uses=tuple(used)))
    if workload.weights_in.get("embedding", 0.0):
        apart = "mapping = mapping.set_object_type(nn.Embedding, None)\n"
        made = made.then(Recipe(model=apart, imports=("from torch import nn",)))
    return made


def embeddings_recipe(workload: Workload) -> Recipe:
    """The lines for `with_int8_embeddings`; none for a model without embeddings."""
    if workload.weights_in.get("embedding", 0.0) == 0:
        return Recipe()
    names = "float_qparams_weight_only_qconfig, quantize_dynamic"
    return Recipe(
        model="model = quantize_dynamic(model, {nn.Embedding: float_qparams_weight_only_qconfig})\n",
        imports=("from torch import nn", f"from torch.ao.quantization import {names}"),
    )


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """What is not float any more, and what computes in INT8."""
    return with_arithmetic(judged(quantized_share(prepared.module, reference)), prepared, sample)


def quantized_share(model: nn.Module, reference: nn.Module) -> float:
    """Share of the weights that are not float any more: a quantized module has no Parameters."""
    total = sum(p.numel() for p in reference.parameters() if p.dim() > 1)
    left = sum(p.numel() for p in model.parameters() if p.dim() > 1)
    return 1 - left / total if total else 0.0


def judged(share: float, bits: int = 8) -> Evidence:
    """What the share of the weights that were quantized says."""
    figures = {f"int{bits}_weight_share": round(share, 4)}
    if share >= MOSTLY:
        return Evidence("yes", f"{share:.1%} of the weights are INT{bits}.", figures)
    if share > 0.01:
        return Evidence("partly", f"Only {share:.1%} of the weights are INT{bits}.", figures)
    return Evidence("no", "No weight was quantized: the model still runs in FP32.", figures)


def with_arithmetic(weights: Evidence, prepared: Prepared, sample: torch.Tensor) -> Evidence:
    """Weights alone in 8 bits would leave the arithmetic in FP32: where most of it stays, the effect is partial."""
    return weights if weights.took_effect == "no" else with_products(weights, macs.counted(prepared, sample))


def with_products(weights: Evidence, seen: macs.Macs) -> Evidence:
    """As `with_arithmetic`, of products that were counted."""
    if weights.took_effect == "no":
        return weights
    reason = f"{weights.reason.removesuffix('.')}, and {seen.said('int8')}."
    took_effect = weights.took_effect if seen.share("int8") >= MOSTLY else "partly"
    return Evidence(took_effect, reason, {**weights.figures, **seen.figures("int8")})
