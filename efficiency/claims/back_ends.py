"""Which row is a quantized row's own in FP32: of the same runtime, so that INT8's gain and the runtime's stay apart."""

from __future__ import annotations

from collections.abc import Iterable

from efficiency import techniques, workloads
from efficiency.claims.asking import CONDITION
from efficiency.errors import UnknownName
from efficiency.machine import Machine
from efficiency.study import Variant
from efficiency.techniques import Stage, compose


def in_fp32(variant: Variant) -> Variant | None:
    """The variant without its INT8; None where it has none, or where nothing here runs that runtime in FP32.

    What quantizes the weights is left out. A runtime with a quantizer of its own is replaced by the technique
    that runs the same in FP32 (`Technique.fp32_of`).
    """
    try:
        chosen = techniques.in_order(variant.techniques)
    except UnknownName:  # a row of a newer version's technique
        return None
    quantizing = [technique for technique in chosen if technique.arithmetic == "int8"]
    if len(quantizing) != 1:
        return None
    rest = [technique.key for technique in chosen if technique not in quantizing]
    if quantizing[0].stage is not Stage.RUNTIME:
        return Variant.of(rest)
    plain = quantizing[0].fp32_of
    return None if plain is None else Variant.of([*rest, plain])


def int8_pairs(machine: Machine, workload: str, seen: Iterable[str]) -> list[tuple[Variant, Variant]]:
    """INT8 variants with their own in FP32: every technique that applies, and the combinations `seen`."""
    declared = workloads.describe(workload)
    singly = [Variant((key,)) for key, technique in techniques.TECHNIQUES.items() if technique.arithmetic == "int8"]
    combined = [Variant(tuple(key.split("+"))) for key in seen if "+" in key]
    found = []
    for variant in dict.fromkeys([*singly, *combined]):
        plain = in_fp32(variant)
        if plain is not None and compose.why_not(variant.techniques, declared, CONDITION, machine) is None:
            found.append((variant, plain))
    return found
