"""Of a runtime that runs a quantized model: what of its speed-up is the runtime's, and what the fewer bits'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from efficiency import techniques
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.ceiling import ARITHMETIC
from efficiency.techniques import compose


def said(row: Mapping[Any, Any], details: Mapping[Any, Any]) -> str:
    """`5.2x over FP32 eager: 1.6x that is the runtime's, times 3.3x [3.2, 3.4] that is INT8's own.`
    Empty where it is not known.

    The second factor is measured, paired, against the same runtime in FP32; the first is what it leaves of the whole.
    """
    names = ("speedup", "runtime_speedup", "runtime_speedup_ci_low", "runtime_speedup_ci_high")
    values = [number_of(row.get(name)) or 0.0 for name in names]
    if min(values) <= 0:
        return ""
    whole, own, low, high = values
    places = 1 if high - low >= 0.15 else 2
    return (
        f"{_times(whole)} over FP32 eager: {_times(whole / own)} that is the runtime's, times {_times(own)} "
        f"[{low:.{places}f}, {high:.{places}f}] that is {_whose(str(row.get('variant')), details)}."
    )


def _whose(variant: str, details: Mapping[Any, Any]) -> str:
    keys = tuple(key for key in variant.split("+") if key in techniques.TECHNIQUES)
    kind = compose.arithmetic(keys)
    if kind == "int8" and _rest_in_bf16(keys, details):
        return "INT8's and BF16's: what is not in 8 bits runs in BF16, where the same runtime's FP32 is FP32"
    return "the smaller weights' own" if kind == "fp32" else f"{ARITHMETIC[kind]}'s own"


def _rest_in_bf16(keys: tuple[str, ...], details: Mapping[Any, Any]) -> bool:
    """By the evidence of what quantizes: the nodes that it counts, or in older rows the kernels that it names."""
    for key in keys:
        shown = mapping_of(mapping_of(details.get("evidence")).get(key))
        counted = number_of(mapping_of(shown.get("figures")).get("bf16_nodes"))
        if counted or (counted is None and "_bf16" in str(shown.get("reason")).lower()):
            return True
    return False


def _times(ratio: float) -> str:
    return f"{ratio:.{1 if ratio >= 2 else 2}f}x"
