"""Multiply-accumulates by arithmetic, against a count by hand; also of operations that no counter of PyTorch knows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest
import torch
from torch import nn
from torch._higher_order_ops.out_dtype import out_dtype

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.techniques import TECHNIQUES, compose, macs
from efficiency.techniques.base import Data, Evidence, Prepared
from efficiency.workloads.text_models import LSTMClassifier, TransformerClassifier

N, L = 2, 10
# 16 x 16 pixels, 14 x 14 after the first convolution and 12 x 12 after the second, which has two groups.
CONVOLUTIONS = N * (14 * 14 * 8 * 3 * 9 + 12 * 12 * 16 * 4 * 9)
HEAD = N * 16 * 5
# The second layer reads both directions of the first, or here the one.
LSTM = N * L * 4 * 32 * ((16 + 32) + (32 + 32)) + N * 32 * 4
PROJECTIONS, ATTENTION = 2 * N * L * (4 * 64 * 64 + 2 * 64 * 128), 2 * N * (2 * L * L * 64)


class Images(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3, groups=2)
        self.head = nn.Linear(16, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        states = torch.relu(self.second(torch.relu(self.first(images))))
        return self.head(states.mean(dim=(2, 3)))


IMAGES, IDS = torch.randn(N, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.ones(N, L, dtype=torch.long)


def prepared(model: nn.Module, sample: torch.Tensor, keys: tuple[str, ...]) -> Prepared:
    def training() -> tuple[torch.Tensor, torch.Tensor]:
        return sample, torch.zeros(len(sample), dtype=torch.long)

    return compose.prepare(keys, model, sample, compose.learn(keys, model, sample, Data(lambda: sample, training)))


def counted(model: nn.Module, sample: torch.Tensor, *keys: str) -> macs.Macs:
    variant = prepared(model.eval(), sample, keys)
    with ExitStack() as session:
        for manager in variant.session:
            session.enter_context(manager())
        return macs.counted(variant, sample)


def by_arithmetic(found: macs.Macs) -> Mapping[str, int]:
    kinds = {product.arithmetic for product in found.products}
    return {kind: sum(p.macs for p in found.products if p.arithmetic == kind) for kind in kinds}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), {"fp32": CONVOLUTIONS + HEAD}),
        (("inference-mode",), {"fp32": CONVOLUTIONS + HEAD}),
        (("static-int8",), {"int8": CONVOLUTIONS + HEAD}),
        (("static-int8", "channels-last"), {"int8": CONVOLUTIONS + HEAD}),
        (("amp-bf16",), {"bf16": CONVOLUTIONS + HEAD}),
        (("bf16-weights", "inference-mode"), {"bf16": CONVOLUTIONS + HEAD}),
    ],
)
def test_convolutions(keys: tuple[str, ...], expected: Mapping[str, int]) -> None:
    assert by_arithmetic(counted(Images(), IMAGES, *keys)) == expected


@pytest.mark.parametrize(("keys", "kind"), [((), "fp32"), (("dynamic-int8",), "int8"), (("amp-bf16",), "bf16")])
def test_recurrent_layers(keys: tuple[str, ...], kind: str) -> None:
    if reason := compose.why_not(keys, workloads.get("lstm-classifier"), Condition(), this_machine()):
        pytest.skip(reason)
    found = by_arithmetic(counted(LSTMClassifier(50, 16, 32, 2, 4), IDS, *keys))
    assert found == {kind: LSTM}


@pytest.mark.parametrize("keys", [("dynamic-int8",), ("static-int8", "inference-mode"), ("int8-dynamic",)])
def test_attention_stays_in_fp32_where_its_projections_do_not(keys: tuple[str, ...]) -> None:
    found = by_arithmetic(counted(TransformerClassifier(50, 64, 2, 2, 128, L, 4), IDS, *keys))
    assert found == {"int8": PROJECTIONS + N * 64 * 4, "fp32": ATTENTION}


class InDtype(nn.Module):
    """Multiplies as torchao does on CUDA: by a higher-order operator, and in floats where that is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Buffer(torch.randint(-127, 128, (32, 8), dtype=torch.int8))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        integers = (10 * inputs).to(torch.int8)
        try:
            product = out_dtype(torch.ops.aten.mm.default, torch.int32, integers, self.weight)
        except Exception:
            product = integers.float() @ self.weight.float()
        return product.float() + inputs @ torch.ones(32, 8)


def test_products_of_higher_order_operators_are_counted_and_not_refused() -> None:
    found = counted(InDtype(), torch.randn(20, 32))
    assert by_arithmetic(found) == {"int8": 20 * 32 * 8, "fp32": 20 * 32 * 8}
    assert [product.operation for product in found.products] == ["_int_mm", "mm"]
    assert found.calls_in("mm", "fp32") == 1
    assert found.share("int8") == 0.5


class Choosing(nn.Module):
    """A higher-order operator of another kind, which the count leaves closed."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.ops.higher_order.cond(inputs.sum() > 0, torch.neg, torch.relu, (inputs,)) @ torch.ones(32, 8)


def test_other_higher_order_operators_are_let_through() -> None:
    inputs = torch.ones(2, 32)
    assert by_arithmetic(counted(Choosing(), inputs)) == {"fp32": 2 * 32 * 8}
    torch.testing.assert_close(Choosing()(inputs), torch.full((2, 8), -32.0))


def test_the_fused_encoder_is_counted_and_so_is_what_it_leaves_out() -> None:
    model, short = TransformerClassifier(50, 64, 2, 2, 128, L, 4), IDS.clone()
    short[1, 4:] = 0
    whole, packed = (counted(model, ids, "fast-path") for ids in (IDS, short))
    assert sum(p.macs for p in whole.products) == PROJECTIONS + ATTENTION + N * 64 * 4
    assert whole.calls("_transformer_encoder_layer_fwd") == 2
    assert whole.share_in(macs.FUSED) == pytest.approx(1.0, abs=0.01)
    tokens, squares = L + 4, L * L + 4 * 4
    assert (
        sum(p.macs for p in packed.products)
        == 2 * (tokens * (4 * 64 * 64 + 2 * 64 * 128) + 2 * squares * 64) + N * 64 * 4
    )


def test_conversions_are_counted() -> None:
    assert counted(Images(), IMAGES).conversions == 0
    assert counted(Images(), IMAGES, "static-int8").conversions >= 2  # in at the start, out at the end
    # The input of each layer, and its weights and bias, since autocast is entered anew at every call.
    assert counted(Images(), IMAGES, "amp-bf16").conversions >= 3 * 2


class ManyLooks(nn.Module):
    """Nearly all weights are in a layer that works once a row, nearly all arithmetic in products of activations."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 64)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        mixed = states @ states.transpose(1, 2) @ states
        return self.head(mixed.mean(dim=1))


def test_int8_weights_whose_arithmetic_is_elsewhere_took_effect_in_part() -> None:
    model, states = ManyLooks().eval(), torch.randn(1, 200, 64)
    variant = prepared(model, states, ("dynamic-int8",))
    seen: Evidence = TECHNIQUES["dynamic-int8"].evidence(variant, states, model)
    assert (seen.took_effect, seen.figures["int8_weight_share"]) == ("partly", 1.0)
    expected = 64 * 64 / (64 * 64 + 2 * 200 * 200 * 64)
    assert seen.figures["int8_mac_share"] == pytest.approx(expected, abs=1e-4)
    assert "(bmm in FP32)" in seen.reason


def test_a_share_is_called_whole_only_where_it_is() -> None:
    found = macs.Macs((macs.Product("conv2d", "int8", 9_990), macs.Product("mm", "fp32", 10)), 0)
    assert found.said("int8").startswith("99.9% of")
    assert macs.Macs((), 0).share("int8") == 0.0
