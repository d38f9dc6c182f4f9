"""What a row's details keep of the kernels that oneDNN ran (`measure.kernels`), in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from efficiency.analysis.kept import mapping_of

REORDER = "reorder"


def ran(details: Mapping[Any, Any]) -> list[tuple[str, str, int]] | None:
    """(primitive, instruction set, calls); None where nothing is kept, which is not that nothing ran."""
    return _counted(details, "ran")


def slower_than_expected(details: Mapping[Any, Any], types: Collection[str], expected: Collection[str]) -> set[str]:
    """Instruction sets in which all that reads these types ran, where none of them is among the expected.

    A set is expected where its name holds one of these parts, as `avx512_core_vnni` does `vnni`. What the log names no
    set of (a reference implementation, another library's) says nothing.
    """
    used = {instruction_set for kind, instruction_set, _ in _counted(details, "read") or () if kind in types} - {""}
    return set() if any(part in one for one in used for part in expected) else used


def _counted(details: Mapping[Any, Any], name: str) -> list[tuple[str, str, int]] | None:
    listed = mapping_of(details.get("kernels")).get(name)
    if not isinstance(listed, list | tuple):
        return None
    found = []
    for one in listed:
        match one:
            case [str(what), str(instruction_set), int(count)]:
                found.append((what, instruction_set, count))
    return found


def reorders(details: Mapping[Any, Any]) -> int | None:
    """Tensors that oneDNN copied from one layout to another in a call; None where nothing is kept."""
    found = ran(details)
    return None if found is None else sum(count for primitive, _, count in found if primitive == REORDER)


def said(details: Mapping[Any, Any]) -> str:
    """`oneDNN ran, in a call: 8 × convolution in AVX512-VNNI; and 4 copies from one layout to another.`

    Empty where nothing is kept.
    """
    found = ran(details)
    if found is None:
        return ""
    computing: Counter[tuple[str, str]] = Counter()
    for primitive, instruction_set, count in found:
        if primitive != REORDER:
            computing[primitive, instruction_set] += count
    parts = [
        f"{count} × {primitive.replace('_', ' ')}" + (f" in {name(instruction_set)}" if instruction_set else "")
        for (primitive, instruction_set), count in computing.most_common(4)
    ]
    copied = reorders(details) or 0
    text = f"oneDNN ran, in a call: {', '.join(parts)}" if parts else "oneDNN computed nothing in a call: others did"
    if copied:
        text += f"; and {copied} {'copy' if copied == 1 else 'copies'} from one layout to another"
    kept = details["kernels"]
    text += "."
    if kept.get("onednn_limit"):
        text += f" ONEDNN_MAX_CPU_ISA={kept['onednn_limit']} keeps it from more."
    if kept.get("cpu_capability"):
        text += (
            f" PyTorch's own kernels use {kept['cpu_capability']}; its INT8 engine is {kept.get('quantized_engine')}."
        )
    return text


def name(instruction_set: str) -> str:
    """oneDNN's `avx512_core_vnni` as people write it: `AVX512-VNNI`."""
    return instruction_set.replace("_core", "").replace("_", "-").upper()
