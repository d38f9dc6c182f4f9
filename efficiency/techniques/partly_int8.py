"""Static INT8 with some layers left in FP32. Imports torch.

A *layer* is a module with weights that static INT8 turns into integers. What follows it without weights of its own,
such as a pooling, goes with it: between two layers in FP32 nothing is rounded. Ranges are kept by the node that gives
the activation, since which activations are rounded depends on the layers that are left in FP32, and their ranges do
not.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torch.ao.quantization import FixedQParamsObserver
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
from torch.fx import GraphModule, Node

from efficiency.techniques.observers import OBSERVER, watching

CALIBRATION_BATCH = 64
Grids = dict[str, tuple[float, int]]
"""Scale and zero point of an activation in 8 bits, by the name of the node that gives it."""


def weighted(module: nn.Module) -> nn.Module:
    """The part that holds the weights: of a layer that a ReLU was fused into, the first."""
    return module[0] if isinstance(module, nn.Sequential) and len(module) else module


def fully_observed(model: nn.Module, mapping: Any, sample: torch.Tensor, calibration: torch.Tensor) -> GraphModule:
    """A copy of the model, opened to quantizers, that has seen the calibration rows [N, ...]."""
    observed = prepare_fx(copy.deepcopy(model), mapping, (sample,))
    with torch.no_grad():
        for batch in calibration.split(CALIBRATION_BATCH):
            observed(batch)
    return observed


def grids_of(observed: GraphModule) -> Grids:
    """What calibration found."""
    found: Grids = {}
    for _, giver, observer in watching(observed):
        if hasattr(observer, "calculate_qparams"):
            scale, zero_point = observer.calculate_qparams()
            found[giver.name] = (float(scale), int(zero_point))
    return found


def layers_of(observed: GraphModule, converted: GraphModule) -> list[str]:
    """The modules that hold weights, and none that are float once they are converted; in the order they are called."""
    names = []
    for node in observed.graph.nodes:
        if node.op == "call_module" and OBSERVER not in str(node.target):
            weight = getattr(weighted(observed.get_submodule(node.target)), "weight", None)
            if isinstance(weight, torch.Tensor) and weight.dim() > 1:
                there = dict(converted.named_modules()).get(node.target)
                if there is not None and not list(there.parameters()):
                    names.append(str(node.target))
    return list(dict.fromkeys(names))


def following(observed: GraphModule, layers: Collection[str]) -> dict[str, str]:
    """By the module without weights that works on what a layer gives: that layer."""
    source: dict[Node, str] = {}
    found: dict[str, str] = {}
    for node in observed.graph.nodes:
        if node.op != "call_module" or not node.args:
            continue
        if node.target in layers:
            source[node] = str(node.target)
        elif len(node.all_input_nodes) == 1 and node.all_input_nodes[0] in source:
            module = observed.get_submodule(str(node.target))
            if OBSERVER in str(node.target) or not list(module.parameters()):
                source[node] = source[node.all_input_nodes[0]]
                if OBSERVER not in str(node.target):
                    found[str(node.target)] = source[node]
    return found


def partly_observed(
    model: nn.Module, mapping: Any, sample: torch.Tensor, grids: Grids, in_fp32: Collection[str]
) -> GraphModule:
    """A copy of the model, ready to be converted: its activations have these grids, and these modules stay in FP32."""
    own = copy.deepcopy(mapping)
    for name in in_fp32:
        own.set_module_name(name, None)
    observed = prepare_fx(copy.deepcopy(model), own, (sample,))
    for node, giver, observer in watching(observed):
        if giver.name in grids:
            scale, zero_point = grids[giver.name]
            fixed = FixedQParamsObserver(
                scale, zero_point, observer.dtype, observer.qscheme, observer.quant_min, observer.quant_max
            )
            observed.set_submodule(str(node.target), fixed)
    return observed


def lowered(observed: GraphModule) -> GraphModule:
    """Converted to INT8; a convolution in FP32 is laid out as quantized ones hand on what they give: channels last."""
    converted = convert_fx(observed)
    for part in converted.modules():
        if isinstance(part, nn.Conv2d):
            part.weight.data = part.weight.data.contiguous(memory_format=torch.channels_last)
    return converted
