"""Dynamic INT8: weights stored in 8 bits, activations quantized on the fly at every call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques import int8
from efficiency.techniques.base import Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if reason := int8.why_not_device(condition):
        return reason
    kinds = ("linear", "attention", "lstm")
    return int8.why_not_reached(workload, "Dynamic INT8", "Linear and LSTM layers only", kinds, "static-int8")


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """One API call: LSTM and Linear layers dynamic, embeddings as 8-bit weights."""
    from torch import nn
    from torch.ao.quantization import (
        default_dynamic_qconfig,
        float_qparams_weight_only_qconfig,
        quantize_dynamic,
    )

    with int8.known_warnings():
        quantized = quantize_dynamic(
            int8.opened_copy(prepared.module).eval(),
            {
                nn.LSTM: default_dynamic_qconfig,
                nn.Linear: default_dynamic_qconfig,
                nn.Embedding: float_qparams_weight_only_qconfig,
            },
        )
    return replace(prepared, model=quantized, module=quantized)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    quantize = """\
in_8_bits = {
    nn.LSTM: default_dynamic_qconfig,
    nn.Linear: default_dynamic_qconfig,
    nn.Embedding: float_qparams_weight_only_qconfig,
}
model = quantize_dynamic(model, in_8_bits)
"""
    names = "default_dynamic_qconfig, float_qparams_weight_only_qconfig, quantize_dynamic"
    return int8.opening(workload).then(
        Recipe(model=quantize, imports=("from torch import nn", f"from torch.ao.quantization import {names}"))
    )


DYNAMIC_INT8 = Technique(
    key="dynamic-int8",
    label="Dynamic INT8",
    summary="Weights in 8 bits, activations quantized on the fly: one API call, no data.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    apply=apply,
    evidence=int8.evidence,
    recipe=recipe,
    conflicts=int8.CONFLICTS,
    arithmetic="int8",
    api_status="deprecated",
    successor="int8-dynamic, which is torchao's quantize_ with Int8DynamicActivationInt8WeightConfig (Linear only)",
    evaluation_cost=0.7,
)
