"""Mixed INT8: static INT8, with the fewest layers in FP32 that keep the accuracy (FX graph mode)."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.techniques import int8
from efficiency.techniques.base import Data, Evidence, Layer, Prepared, Ranges, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe
from efficiency.techniques.traced import followed_by_fx

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.fx import GraphModule

    from efficiency.condition import Condition
    from efficiency.techniques.sensitivity import Sensitivity
    from efficiency.workloads.base import Workload

ANALYSIS = "sensitivity"
"""The attribute of the converted model that holds what was found of its layers."""


def learn(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Calibrate, score the layers, choose those that stay in FP32; returns what was found."""
    from torch.ao.quantization.quantize_fx import prepare_fx

    from efficiency.techniques import sensitivity
    from efficiency.techniques.halved_conv import quicker_halved
    from efficiency.techniques.partly_int8 import lowered

    opened = int8.opened_copy(model).eval()
    mapping = int8.static_mapping(opened, training=False)
    with int8.known_warnings():
        with followed_by_fx():  # first, since `analysed` is the recipe's, too, and raises what FX raises
            prepare_fx(copy.deepcopy(opened), mapping, (sample,))
        found = sensitivity.analysed(opened, mapping, sample, data.calibration(), data.training(), data.tolerance_pp)
        halves = quicker_halved(lowered(_observed(model, sample, found)), sample)
    return _packed(found, halves)


def _packed(found: Sensitivity, halves: Iterable[str]) -> Tensors:
    """As tensors; names are text in bytes, a line each."""
    import torch

    def text(names: Iterable[str]) -> torch.Tensor:
        return torch.tensor(list("\n".join(names).encode()), dtype=torch.uint8)

    return {
        "layers": text(found.layers),
        "gains": torch.tensor(found.gains, dtype=torch.float64),
        "in_fp32": torch.tensor([name in found.in_fp32 for name in found.layers], dtype=torch.bool),
        "modules_in_fp32": text(found.modules),
        "activations": text(found.grids),
        "scales": torch.tensor([scale for scale, _ in found.grids.values()], dtype=torch.float64),
        "zero_points": torch.tensor([zero_point for _, zero_point in found.grids.values()], dtype=torch.int64),
        "lost_pp": torch.tensor([found.static_lost_pp, found.lost_pp, found.allowed_pp], dtype=torch.float64),
        "rows": torch.tensor(found.rows, dtype=torch.int64),
        "in_halves": text(halves),
    }


def _names(learned: Tensors, key: str) -> tuple[str, ...]:
    return tuple(bytes(learned[key].tolist()).decode().split("\n")) if learned[key].numel() else ()


def _unpacked(learned: Tensors) -> Sensitivity:
    from efficiency.techniques.sensitivity import Sensitivity

    layers = _names(learned, "layers")
    grids = zip(learned["scales"].tolist(), learned["zero_points"].tolist(), strict=True)
    static_lost_pp, lost_pp, allowed_pp = learned["lost_pp"].tolist()
    return Sensitivity(
        layers=layers,
        gains=tuple(learned["gains"].tolist()),
        in_fp32=tuple(name for name, kept in zip(layers, learned["in_fp32"].tolist(), strict=True) if kept),
        modules=_names(learned, "modules_in_fp32"),
        grids=dict(zip(_names(learned, "activations"), grids, strict=True)),
        static_lost_pp=static_lost_pp,
        lost_pp=lost_pp,
        rows=int(learned["rows"]),
        allowed_pp=allowed_pp,
    )


def _observed(model: nn.Module, sample: torch.Tensor, found: Sensitivity) -> GraphModule:
    from efficiency.techniques.partly_int8 import partly_observed

    opened = int8.opened_copy(model).eval()
    mapping = int8.static_mapping(opened, training=False)
    return partly_observed(opened, mapping, sample, found.grids, found.modules)


def ranges(model: nn.Module, sample: torch.Tensor, learned: Tensors, batches: Iterable[torch.Tensor]) -> Ranges:
    """What these rows do to the calibrated ranges that are left."""
    from efficiency.techniques.ranges import watched

    with int8.known_warnings():
        return watched(_observed(model, sample, _unpacked(learned)), batches)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Insert the learned ranges, and lower all but the chosen layers to INT8 kernels."""
    from efficiency.techniques.halved_conv import halved
    from efficiency.techniques.partly_int8 import lowered

    found = _unpacked(learned)
    with int8.known_warnings():
        converted = int8.with_int8_embeddings(lowered(_observed(prepared.module, sample, found)))
    if len(sample) == 1:  # what was found of one row
        halved(converted, _names(learned, "in_halves"))
    setattr(converted, ANALYSIS, found)
    return replace(prepared, model=converted, module=converted)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """As of static INT8; besides which layers stayed in FP32, and what each of them costs."""
    from efficiency.techniques.halved_conv import HalvedConv2d

    shown = int8.evidence(prepared, sample, reference)
    found: Sensitivity | None = getattr(prepared.module, ANALYSIS, None)
    if found is None:
        return shown
    parts = dict(int8.opened_copy(reference).named_modules())
    layers = tuple(
        Layer(name, _kind(parts[name]), gain, name in found.in_fp32)
        for name, gain in zip(found.layers, found.gains, strict=True)
    )
    in_halves = [name for name, part in prepared.module.named_modules() if isinstance(part, HalvedConv2d)]
    # What a ReLU was fused into is the first of two: `7.0`.
    halves = [layer.name for layer in layers if {layer.name, f"{layer.name}.0"}.intersection(in_halves)]
    figures = {
        **shown.figures,
        "layers": float(len(layers)),
        "layers_in_fp32": float(len(found.in_fp32)),
        "layers_in_halves": float(len(halves)),
        "static_lost_on_training_pp": round(found.static_lost_pp, 3),
        "lost_on_training_pp": round(found.lost_pp, 3),
        "allowed_on_training_pp": round(found.allowed_pp, 3),
    }
    quicker = f" As two half convolutions, which is quicker here: {', '.join(halves)}." if halves else ""
    return Evidence(shown.took_effect, f"{_said(found, layers)}{quicker} {shown.reason}", figures, layers)


def _kind(layer: nn.Module) -> str:
    """`Conv2d 32→64, 3x3`, `Linear 128→47`: in a Sequential a layer's name is a number, which tells nothing."""
    from torch import nn

    name = type(layer).__name__
    if isinstance(layer, nn.Conv2d):
        grouped = f", {layer.groups} groups" if layer.groups > 1 else ""
        size = "x".join(map(str, layer.kernel_size))
        return f"{name} {layer.in_channels}→{layer.out_channels}, {size}{grouped}"
    return f"{name} {layer.in_features}→{layer.out_features}" if isinstance(layer, nn.Linear) else name


def _said(found: Sensitivity, layers: tuple[Layer, ...]) -> str:
    rows = f"on {found.rows:,} training rows"
    if not found.in_fp32 and found.enough:
        kept = f"{-found.static_lost_pp + 0.0:+.2g} pp {rows}"
        return f"All layers in INT8, as in static INT8, which keeps the accuracy by itself ({kept})."
    named = [f"{layer.name} ({layer.kind})" for layer in layers if layer.in_fp32]
    listed = ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
    lost = f"{found.static_lost_pp:.2g} pp are lost {rows} by static INT8, {found.lost_pp:.2g} pp so"
    if found.enough:
        return f"In FP32 {'stays' if len(named) == 1 else 'stay'} {listed}, of {len(layers)} layers: {lost}."
    return f"No set of layers in FP32 keeps the accuracy, not even all {len(layers)}: {lost}."


def recipe(workload: Workload, condition: Condition) -> Recipe:
    analyse = Recipe(
        model="""\
calibration = load_file(FOLDER / "calibration.safetensors")["inputs"]
training = load_file(FOLDER / "training.safetensors")
rows = training["inputs"], training["labels"]
found = analysed(model, mapping, sample, calibration, rows, TOLERANCE_PP)
print("Layers in FP32:", ", ".join(found.in_fp32) or "none")
model = lowered(partly_observed(model, mapping, sample, found.grids, found.modules))
""",
        uses=(
            "efficiency.techniques.sensitivity:analysed",
            "efficiency.techniques.partly_int8:partly_observed",
            "efficiency.techniques.partly_int8:lowered",
        ),
    )
    if condition.batch_size == 1:
        halve = Recipe(
            model="""\
halves = quicker_halved(model, sample)
print("As two half convolutions:", ", ".join(halves) or "none")
model = halved(model, halves)
""",
            uses=("efficiency.techniques.halved_conv:halved", "efficiency.techniques.halved_conv:quicker_halved"),
        )
        analyse = analyse.then(halve)
    mapped = int8.opening(workload).then(int8.mapping_recipe(workload, "get_default_qconfig_mapping"))
    return mapped.then(analyse).then(int8.embeddings_recipe(workload))


MIXED_INT8 = Technique(
    key="mixed-int8",
    label="Mixed INT8",
    summary="Static INT8, but the few layers that cost the accuracy stay in FP32: as few as a search finds.",
    stage=Stage.WEIGHTS,
    why_not=int8.why_not_static,
    learn=learn,
    learns_from="both",
    turns_on_rows=True,  # convolutions of one row may be taken in halves
    heeds_tolerance=True,
    apply=apply,
    ranges=ranges,
    evidence=evidence,
    recipe=recipe,
    conflicts=int8.CONFLICTS,
    arithmetic="int8",
    api_status="deprecated",
    successor="pt2e-static-int8 (torchao's prepare_pt2e, lowered by torch.compile)",
    evaluation_cost=0.8,
)
