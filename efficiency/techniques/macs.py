"""Multiply-accumulates: how many of a call's run in which arithmetic, and what is converted on the way between them.

Seen at PyTorch's dispatcher while the prepared variant runs once, so that what is counted is what ran, not what was
meant to run. Counted are matrix products, convolutions, recurrent layers and attention, as in `measure/work.py`, whose
formulas these are; PyTorch's INT8 operations, which no counter knows, by the shapes of their inputs and weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from efficiency.ceiling import ARITHMETIC, Arithmetic
from efficiency.measure import work
from efficiency.techniques.base import Prepared

if TYPE_CHECKING:
    import torch

FUSED = ("_transformer_encoder_layer_fwd", "_native_multi_head_attention")
"""What the encoder's fast path runs: a whole layer, and an attention that stands elsewhere."""
_QUANTIZES = ("quantize_per_tensor", "quantize_per_tensor_dynamic", "quantize_per_channel", "dequantize")


@dataclass(frozen=True)
class Product:
    """An operation that multiplies and accumulates, by the dispatcher's name."""

    operation: str
    arithmetic: Arithmetic
    macs: int


@dataclass(frozen=True)
class Macs:
    """Of one call."""

    products: tuple[Product, ...]
    conversions: int
    """Tensors that were quantized, dequantized or cast to another type of number."""

    def share(self, *kinds: Arithmetic) -> float:
        """Share of the multiply-accumulates that ran in these kinds of arithmetic; 0 where there are none."""
        return self._part(lambda product: product.arithmetic in kinds)

    def calls_in(self, operation: str, kind: Arithmetic) -> int:
        """How often it was called in this arithmetic."""
        return sum((product.operation, product.arithmetic) == (operation, kind) for product in self.products)

    def share_in(self, operations: Collection[str]) -> float:
        """Share of the multiply-accumulates that these operations did."""
        return self._part(lambda product: product.operation in operations)

    def calls(self, operation: str) -> int:
        """How often it was called."""
        return sum(product.operation == operation for product in self.products)

    def figures(self, kind: Arithmetic) -> dict[str, float]:
        """Figures of an `Evidence`: the share in this arithmetic, such as `int8_mac_share`, and conversions."""
        return {f"{kind}_mac_share": round(self.share(kind), 4), "conversions": float(self.conversions)}

    def said(self, kind: Arithmetic) -> str:
        """`97% of the multiply-accumulates run in INT8 (bmm in FP32)`: two operations at most, the largest first."""
        left: Counter[str] = Counter()
        for product in self.products:
            if product.arithmetic == "fp32":
                left["attention" if "attention" in product.operation else product.operation] += product.macs
        rest = " and ".join(operation for operation, _ in left.most_common(2))
        share = f"{_percent(self.share(kind))} of the multiply-accumulates run in {ARITHMETIC[kind]}"
        return share + (f" ({rest} in FP32)" if rest else "")

    def _part(self, chosen: Callable[[Product], bool]) -> float:
        total = sum(product.macs for product in self.products)
        return sum(product.macs for product in self.products if chosen(product)) / total if total else 0.0


def _percent(share: float) -> str:
    """Never `100%` of what is not all, nor `0%` of what is something."""
    return f"{share:.0%}" if share in (0.0, 1.0) or 0.005 <= share < 0.995 else f"{share:.1%}"


def counted(prepared: Prepared, sample: torch.Tensor) -> Macs:
    """The variant called once on the sample [B, ...], without gradients: inference mode would hide what is inside."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    formulas = _formulas()
    products: list[Product] = []
    conversions = 0

    class Seen(TorchDispatchMode):
        # Refused one, torchao would fall back to floating point without a word, and that would be what is counted.
        supports_higher_order_operators = True

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal conversions
            result = func(*args, **(kwargs or {}))
            operation, namespace, given = _looked_into(func, args)
            name = operation.__name__
            conversions += _converts(name, given, result)
            if formula := formulas.get(operation):
                operations = formula(*given, **(kwargs or {}), out_val=result)
                products.append(Product(name, _arithmetic(namespace, name, result), int(operations) // 2))
            return result

    with Seen():
        replace(prepared, grad_mode=torch.no_grad).caller()(sample)
    return Macs(tuple(products), conversions)


def _looked_into(func: Any, args: tuple[Any, ...]) -> tuple[Any, str, tuple[Any, ...]]:
    """The operation that is run, its namespace, and what it is given.

    A higher-order operator stands for the one inside: `out_dtype(aten.mm, torch.int32, a, b)`, as torchao multiplies
    INT8 on CUDA, for `_int_mm(a, b)`. Others of its kind stay closed, and nothing in them is counted.
    """
    import torch

    if not isinstance(func, torch._ops.HigherOrderOperator):
        return func.overloadpacket, func.namespace, args
    if func.__name__ != "out_dtype":
        return func, "", args
    inner, _, *operands = args
    integers = inner is torch.ops.aten.mm.default and all(matrix.dtype == torch.int8 for matrix in operands)
    return (torch.ops.aten._int_mm if integers else inner.overloadpacket), inner.namespace, tuple(operands)


def _converts(name: str, args: tuple[Any, ...], result: Any) -> bool:
    if name in _QUANTIZES:
        return True
    if name != "_to_copy":
        return False
    import torch

    types = {args[0].dtype, result.dtype}
    return len(types) == 2 and torch.bool not in types  # a mask is no number


def _arithmetic(namespace: str, name: str, result: Any) -> Arithmetic:
    """What an operation computes in: integers where it is one of the quantized, else the type of its result."""
    import torch

    if namespace == "quantized" or name == "_int_mm" or name.startswith("quantized_"):
        return "int8"
    if name.startswith("_scaled_mm"):
        return "fp8"  # whatever type it is given out in
    first = result[0] if isinstance(result, tuple) else result
    kinds: dict[torch.dtype, Arithmetic] = {torch.bfloat16: "bf16", torch.float16: "fp16"}
    return kinds.get(first.dtype, "fp32")


@cache
def _formulas() -> Mapping[Any, Callable[..., int]]:
    """By operation the arithmetic of a call, two for each multiply-accumulate; `out_val` is the result."""
    import torch
    from torch.utils.flop_counter import flop_registry, shape_wrapper

    quantized, aten = torch.ops.quantized, torch.ops.aten
    linear = (quantized.linear, quantized.linear_relu, quantized.linear_dynamic, quantized.linear_relu_dynamic)
    convolution = (
        *(quantized.conv1d, quantized.conv1d_relu, quantized.conv2d, quantized.conv2d_relu),
        *(quantized.conv2d_add, quantized.conv2d_add_relu, quantized.conv3d, quantized.conv3d_relu),
    )
    return {
        **flop_registry,
        **{operation: shape_wrapper(formula) for operation, formula in work.fused().items()},
        **dict.fromkeys(linear, _linear),
        **dict.fromkeys(convolution, _convolution),
        aten.quantized_lstm: _lstm,
        aten._int_mm: flop_registry[aten.mm],
        aten._transformer_encoder_layer_fwd: _encoder_layer,
        aten._native_multi_head_attention: _attention,
    }


def _linear(inputs: torch.Tensor, *_: Any, out_val: torch.Tensor, **__: Any) -> int:
    return 2 * inputs.numel() * out_val.shape[-1]


def _convolution(*args: Any, out_val: torch.Tensor, **_: Any) -> int:
    """The weights [out, in / groups, ...] are packed in the one argument that unpacks."""
    weight = next(value for value in args if hasattr(value, "unpack")).unpack()[0]
    return 2 * out_val.numel() * math.prod(weight.shape[1:])


def _lstm(inputs: torch.Tensor, *args: Any, out_val: Any, **_: Any) -> int:
    """All layers and directions; a packed sequence, which has its batch sizes beside it, holds fewer tokens."""
    import torch

    state, bidirectional = (args[1], args[7]) if isinstance(args[0], torch.Tensor) else (args[0], args[6])
    layers, _, hidden = state[0].shape
    tokens, ways = inputs.numel() // inputs.shape[-1], 2 if bidirectional else 1
    inner = (layers // ways - 1) * (hidden * ways + hidden)
    return 2 * tokens * ways * 4 * hidden * (inputs.shape[-1] + hidden + inner)


def _products(states: torch.Tensor, width: int, *weights: torch.Tensor) -> int:
    """Every matrix of weights once for each token, and attention: L x L scores a row, and as many weighted sums."""
    tokens = states.numel() // width
    lengths = [len(row) for row in states.unbind()]  # a nested tensor's rows differ, since padding is left out
    return 2 * (tokens * sum(weight.numel() for weight in weights) + 2 * width * sum(n * n for n in lengths))


def _encoder_layer(states: torch.Tensor, width: int, *args: Any, **_: Any) -> int:
    in_projection, out_projection, first, second = args[1], args[3], args[12], args[14]
    return _products(states, width, in_projection, out_projection, first, second)


def _attention(query: torch.Tensor, _key: Any, _value: Any, width: int, *args: Any, **_: Any) -> int:
    in_projection, out_projection = args[1], args[3]
    return _products(query, width, in_projection, out_projection)
