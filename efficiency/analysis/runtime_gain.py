"""Of a runtime that runs a quantized model: what of its speed-up is the runtime's, and what the fewer bits'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from efficiency import techniques
from efficiency.analysis.kept import number_of
from efficiency.ceiling import ARITHMETIC
from efficiency.techniques import compose


def said(row: Mapping[Any, Any]) -> str:
    """`5.2x over FP32 eager: 1.6x of it is the runtime's, 3.3x [3.2, 3.4] is INT8's own.` Empty where it is not known.

    The second factor is measured, paired, against the same runtime in FP32; the first is what it leaves of the whole.
    """
    names = ("speedup", "runtime_speedup", "runtime_speedup_ci_low", "runtime_speedup_ci_high")
    values = [number_of(row.get(name)) or 0.0 for name in names]
    if min(values) <= 0:
        return ""
    whole, own, low, high = values
    places = 1 if high - low >= 0.15 else 2
    return (
        f"{_times(whole)} over FP32 eager: {_times(whole / own)} of it is the runtime's, {_times(own)} "
        f"[{low:.{places}f}, {high:.{places}f}] is {_whose(str(row.get('variant')))} own."
    )


def _whose(variant: str) -> str:
    keys = tuple(key for key in variant.split("+") if key in techniques.TECHNIQUES)
    kind = compose.arithmetic(keys)
    return "the smaller weights'" if kind == "fp32" else f"{ARITHMETIC[kind]}'s"


def _times(ratio: float) -> str:
    return f"{ratio:.{1 if ratio >= 2 else 2}f}x"
