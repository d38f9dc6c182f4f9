"""The activation ranges that calibration fixed, and what new rows do to them. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.fx import GraphModule

from efficiency.techniques.observers import watching


class Watch(nn.Module):
    """In an observer's place: passes activations on and sums up what 8 bits would cut off there.

    How many values lie beyond the range says little: background that is a little darker than any that was calibrated
    is many values, and nothing is lost. How far they lie beyond it, squared, against the activation's variance is
    the noise that clipping adds to a signal.
    """

    def __init__(self, low: torch.Tensor, high: torch.Tensor) -> None:
        super().__init__()
        self.low, self.high = float(low), float(high)
        self.count = 0
        self.sum = self.squares = self.cut = 0.0
        self.least, self.most = 0.0, 0.0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        exact = values.double()  # the sums run over millions of values
        self.count += values.numel()
        self.sum += float(exact.sum())
        self.squares += float(exact.square().sum())
        self.cut += float((exact - exact.clamp(self.low, self.high)).square().sum())
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))
        return values

    def found(self) -> dict[str, float]:
        """Squared error of clipping / variance; the range that values span as a multiple of the calibrated one, and how
        wide that would have to be to hold them all."""
        span = self.high - self.low
        variation = self.squares - self.sum**2 / self.count if self.count else 0.0
        return {
            "clipped_share": self.cut / variation if variation > 0 else 0.0,
            "range_ratio": (self.most - self.least) / span if span > 0 else 0.0,
            "reach": (max(self.most, self.high) - min(self.least, self.low)) / span if span > 0 else 0.0,
        }


def _limits(observer: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The smallest and largest value that it lets 8 bits hold; None where it fixes none, or one a channel."""
    calculate = getattr(observer, "calculate_qparams", None)
    if calculate is None:
        return None
    scale, zero_point = calculate()
    if scale.numel() != 1:
        return None
    return (observer.quant_min - zero_point) * scale, (observer.quant_max - zero_point) * scale


def watched(observed: GraphModule, batches: Iterable[torch.Tensor]) -> dict[str, dict[str, float]]:
    """What every observed activation of these rows does to the range that was learned for it; `observed` is used up.

    By the name of what gives the activation; those that share an observer are told once.
    """
    watches: dict[str, Watch] = {}
    for node, giver, observer in watching(observed):
        limits, name = _limits(observer), str(giver.target if giver.op == "call_module" else giver.name)
        if limits is not None and name not in watches:
            watches[name] = Watch(*limits)
            observed.set_submodule(str(node.target), watches[name])
    with torch.no_grad():
        for batch in batches:
            observed(batch)
    return {name: watch.found() for name, watch in watches.items()}
