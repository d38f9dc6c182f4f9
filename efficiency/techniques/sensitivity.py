"""Which layers cost static INT8 its accuracy, and the fewest that have to stay in FP32. Imports torch.

Each layer is left in FP32 in turn, all others rounded as INT8 rounds them. How much of the error of the scores then
goes is what the layer costs. The error is the mean squared difference to FP32's scores, which rests on every score,
where accuracy would rest on the few answers that change. Rounding is simulated in one model whose layers are switched
(the roundings of a layer's weights, and of an activation once all beside it are in FP32), since to convert the model
for every layer would take minutes.

Then the set grows from the worst layer on, scored anew each time: two layers in a row may hand on an activation that
only both together can spare from rounding. It is the converted model that decides whether the set is large enough, by
the right answers that it loses on labelled training rows; and in the end what proves superfluous is taken out again.
No test row is seen. Sources of the method: PyTorch's numeric suite (a layer's error against FP32's), accuracy-aware
quantization of Intel's NNCF (layers are reverted by rank until the loss is small enough), and HAWQ (Dong et al.
2019).
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.ao.quantization.quantize_fx import convert_fx
from torch.fx import GraphModule, Node

from efficiency.techniques.observers import watching
from efficiency.techniques.partly_int8 import (
    Grids,
    following,
    fully_observed,
    grids_of,
    layers_of,
    lowered,
    partly_observed,
    weighted,
)

SPENT = 0.5
"""Share of the tolerance that may be lost on the training rows: other rows may cost more."""
LUCK = 2
"""Answers that may be lost in any case: of few rows, they may have tipped by luck."""
SCORED_ROWS = 2_048
"""Calibration rows that all layers of a model share for their scores: 38 for each of MobileNetV2's 53."""
MOST_SCORED_ROWS = 128
CHECKED_ROWS = 1_024
"""Training rows that decide whether a set is large enough, at most."""
CHECK_BATCH = 128
MOST_TRIED = 8
"""Layers that are tried to be taken out again."""


@dataclass(frozen=True)
class Sensitivity:
    """What was found; layers in the order they are called."""

    layers: tuple[str, ...]
    gains: tuple[float, ...]
    """Share of the squared error of the scores that goes when this layer alone stays in FP32."""
    in_fp32: tuple[str, ...]
    """The layers that stay in FP32."""
    modules: tuple[str, ...]
    """They, and the modules without weights that go with them."""
    grids: Grids
    static_lost_pp: float
    lost_pp: float
    """Right answers lost on the training rows by static INT8, and with these layers in FP32."""
    rows: int
    """The training rows."""
    allowed_pp: float
    """What may be lost of them."""

    @property
    def enough(self) -> bool:
        return self.lost_pp <= self.allowed_pp


class Rounding(nn.Module):
    """In an observer's place: rounds to the grid that was learned, where it is switched on."""

    def __init__(self, scale: float, zero_point: int, low: int, high: int) -> None:
        super().__init__()
        self.scale, self.zero_point, self.low, self.high = scale, zero_point, low, high
        self.on = True

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.on:
            return values
        return torch.fake_quantize_per_tensor_affine(values, self.scale, self.zero_point, self.low, self.high)


def rounded_weight(layer: nn.Module) -> torch.Tensor:
    """The layer's weight as INT8 holds it, in float."""
    settings: Any = layer.qconfig
    observer = settings.weight()
    part: Any = weighted(layer)
    weight: torch.Tensor = part.weight.detach()
    observer(weight)
    scale, zero_point = observer.calculate_qparams()
    limits = observer.quant_min, observer.quant_max
    if scale.numel() == 1:
        return torch.fake_quantize_per_tensor_affine(weight, float(scale), int(zero_point), *limits)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero_point.int(), observer.ch_axis, *limits)


def always_float(converted: GraphModule) -> set[str]:
    """The nodes that static INT8 leaves in float: what they take is dequantized, or what they give is quantized."""
    return {
        node.name
        for node in converted.graph.nodes
        if node.op in ("placeholder", "output")
        or any(one.target == "dequantize" for one in node.all_input_nodes)
        or any(one.target is torch.quantize_per_tensor for one in node.users)
    }


class Simulated:
    """Static INT8 in float, of which any layers can be left in FP32; what was `observed` is used up.

    An activation that one layer takes rounded and another in float is rounded for both.
    """

    def __init__(
        self, observed: GraphModule, grids: Grids, layers: Collection[str], after: dict[str, str], floats: set[str]
    ) -> None:
        self._model, self._layers, self._after, self._floats = observed, layers, after, floats
        parts = {name: observed.get_submodule(name) for name in layers}
        self._weights = {
            name: (weighted(part), weighted(part).weight.data, rounded_weight(part)) for name, part in parts.items()
        }
        self._roundings: list[tuple[Rounding, list[Node]]] = []
        for node, giver, observer in watching(observed):
            if giver.name in grids:
                rounding = Rounding(*grids[giver.name], observer.quant_min, observer.quant_max)
                observed.set_submodule(str(node.target), rounding)
                self._roundings.append((rounding, [giver, *node.users]))

    def scores(self, inputs: torch.Tensor, in_fp32: Collection[str]) -> torch.Tensor:
        """Scores [N, classes] with these layers in FP32."""

        def is_float(node: Node) -> bool:
            layer = self._after.get(str(node.target), str(node.target))
            return node.name in self._floats or layer in in_fp32

        for name, (part, exact, rounded) in self._weights.items():
            part.weight.data = exact if name in in_fp32 else rounded
        for rounding, beside in self._roundings:
            rounding.on = not all(map(is_float, beside))
        with torch.no_grad():
            scores: torch.Tensor = self._model(inputs)
        return scores

    def gains(self, inputs: torch.Tensor, exact: torch.Tensor, in_fp32: Collection[str]) -> dict[str, float]:
        """By layer: the share of the squared error that goes when it joins those in FP32."""

        def error(layers: Collection[str]) -> float:
            return float((self.scores(inputs, layers) - exact).double().square().mean())

        before = error(in_fp32)
        others = [name for name in self._layers if name not in in_fp32]
        return {name: 1 - error({*in_fp32, name}) / before if before else 0.0 for name in others}


def right_answers(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> int:
    """Of all rows [N, ...], how many the model answers with their label [N]."""
    with torch.no_grad():
        answers = torch.cat([model(batch).argmax(dim=1) for batch in inputs.split(CHECK_BATCH)])
    return int((answers == labels).sum())


def analysed(
    model: nn.Module,
    mapping: Any,
    sample: torch.Tensor,
    calibration: torch.Tensor,
    training: tuple[torch.Tensor, torch.Tensor],
    tolerance_pp: float,
) -> Sensitivity:
    """Of a model that is opened to quantizers, from calibration rows and labelled training rows.

    `tolerance_pp` is the accuracy that may be lost, in percentage points.
    """
    observed = fully_observed(model, mapping, sample, calibration)
    grids = grids_of(observed)
    converted = convert_fx(copy.deepcopy(observed))
    layers = layers_of(observed, converted)
    after = following(observed, layers)
    inputs, labels = (values[:CHECKED_ROWS] for values in training)
    right, allowed = right_answers(model, inputs, labels), max(SPENT * tolerance_pp, 100 * LUCK / max(1, len(labels)))

    def modules(in_fp32: Collection[str]) -> tuple[str, ...]:
        return (*in_fp32, *(module for module, layer in after.items() if layer in in_fp32))

    def lost_pp(in_fp32: Collection[str]) -> float:
        partly = lowered(partly_observed(model, mapping, sample, grids, modules(in_fp32)))
        return 100 * (right - right_answers(partly, inputs, labels)) / len(labels)

    simulated = Simulated(observed, grids, layers, after, always_float(converted))
    rows = calibration[: max(1, min(MOST_SCORED_ROWS, SCORED_ROWS // max(1, len(layers))))]
    with torch.no_grad():
        exact = model(rows)
    gains = simulated.gains(rows, exact, ())

    chosen: list[str] = []
    static_lost_pp = lost = lost_pp(chosen)
    scored, added = gains, 1
    while lost > allowed and scored:
        ranked = sorted(scored, key=scored.__getitem__, reverse=True)
        added = max(1, len(chosen))
        chosen += ranked[:added]
        lost = lost_pp(chosen)
        scored = simulated.gains(rows, exact, chosen) if lost > allowed else {}
    # Of those that were added last, the first may do; then those with the least gain are tried one by one.
    few, many = len(chosen) - min(added, len(chosen)), len(chosen)
    while many - few > 1:
        middle = (few + many) // 2
        if (found := lost_pp(chosen[:middle])) <= allowed:
            many, lost = middle, found
        else:
            few = middle
    if lost <= allowed:
        chosen = chosen[:many]
        for layer in chosen[-2 : -2 - MOST_TRIED : -1]:
            rest = [name for name in chosen if name != layer]
            if (found := lost_pp(rest)) <= allowed:
                chosen, lost = rest, found
    in_fp32 = tuple(name for name in layers if name in chosen)
    return Sensitivity(
        tuple(layers),
        tuple(gains[name] for name in layers),
        in_fp32,
        modules(in_fp32),
        grids,
        static_lost_pp,
        lost,
        len(labels),
        allowed,
    )
