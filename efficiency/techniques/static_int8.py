"""Static INT8: activation ranges fixed beforehand by calibration (FX graph mode)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques import int8
from efficiency.techniques.base import Data, Prepared, Ranges, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe
from efficiency.techniques.traced import followed_by_fx

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.fx import GraphModule

    from efficiency.condition import Condition
    from efficiency.workloads.base import Workload

CALIBRATION_BATCH = 64


def _observed(model: nn.Module, sample: torch.Tensor) -> GraphModule:
    """A copy of the model with an observer at every activation to be quantized."""
    from torch.ao.quantization.quantize_fx import prepare_fx

    opened = int8.opened_copy(model).eval()
    with followed_by_fx():
        return prepare_fx(opened, int8.static_mapping(opened, training=False), (sample,))


def learn(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Run the calibration rows through the observers; returns the observers' state alone."""
    import torch

    with int8.known_warnings(), torch.no_grad():
        observed = _observed(model, sample)
        for batch in data.calibration().split(CALIBRATION_BATCH):
            observed(batch)
    return {name: value for name, value in observed.state_dict().items() if "activation_post_process" in name}


def ranges(model: nn.Module, sample: torch.Tensor, learned: Tensors, batches: Iterable[torch.Tensor]) -> Ranges:
    """What these rows do to the calibrated ranges."""
    from efficiency.techniques.ranges import watched

    with int8.known_warnings():
        observed = _observed(model, sample)
        observed.load_state_dict(learned, strict=False)
        return watched(observed, batches)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Insert the learned ranges and lower to INT8 kernels."""
    from torch.ao.quantization.quantize_fx import convert_fx

    with int8.known_warnings():
        observed = _observed(prepared.module, sample)
        observed.load_state_dict(learned, strict=False)
        converted = int8.with_int8_embeddings(convert_fx(observed))
    return replace(prepared, model=converted, module=converted)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    calibrate = Recipe(
        model=f"""\
observed = prepare_fx(model, mapping, (sample,))
calibration = load_file(FOLDER / "calibration.safetensors")["inputs"]
with torch.no_grad():
    for batch in calibration.split({CALIBRATION_BATCH}):
        observed(batch)
model = convert_fx(observed)
""",
        imports=("import torch", "from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx"),
    )
    mapped = int8.opening(workload).then(int8.mapping_recipe(workload, "get_default_qconfig_mapping"))
    return mapped.then(calibrate).then(int8.embeddings_recipe(workload))


STATIC_INT8 = Technique(
    key="static-int8",
    label="Static INT8",
    summary="Weights and activations in 8 bits; activation ranges are calibrated beforehand.",
    stage=Stage.WEIGHTS,
    why_not=int8.why_not_static,
    learn=learn,
    learns_from="calibration",
    apply=apply,
    ranges=ranges,
    evidence=int8.evidence,
    recipe=recipe,
    conflicts=int8.CONFLICTS,
    arithmetic="int8",
    api_status="deprecated",
    successor="pt2e-static-int8 (torchao's prepare_pt2e, lowered by torch.compile)",
    evaluation_cost=0.7,
)
