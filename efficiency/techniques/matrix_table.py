"""The README's table of techniques, made from their declarations.

It is judged for one machine wherever it is made, an x86-64 CPU with AVX512 under Linux, with a C++ compiler and no
GPU, so that a test can compare.
"""

from __future__ import annotations

from efficiency import paths
from efficiency.condition import Condition
from efficiency.machine import OPTIONAL, Machine
from efficiency.techniques import matrix
from efficiency.techniques.base import Technique

MACHINE = Machine(
    cpu_model="x86-64 CPU",
    architecture="x86_64",
    cores=2.0,
    logical_cores=2,
    instruction_sets=("avx2", "avx512f"),
    memory_mb=8_000,
    gpus=(),
    system="Linux",
    python_version="3.11",
    torch_version="",
    cpp_compiler="g++",
    installed=tuple(OPTIONAL),
)


def markdown() -> str:
    """The table, and below it the reasons that its numbers stand for."""
    found = matrix.of(Condition(), MACHINE)
    headings = ["Technique", "Stage", "API", *(w.label for w in found.workloads)]
    rows = [
        [
            f"[{row.technique.label}]({row.technique.card.relative_to(paths.PROJECT).as_posix()})",
            row.technique.stage.value,
            _status(row.technique),
            *found.cells(row, yes="✓", number="<sup>{}</sup>"),
        ]
        for row in found.rows
    ]
    aligned = ["---"] * 3 + [":-:"] * len(found.workloads)
    lines = [f"| {' | '.join(cells)} |" for cells in (headings, aligned, *rows)]
    reasons = [f"{number}. {reason}" for number, reason in enumerate(found.reasons, start=1)]
    return "\n".join(["", *lines, "", *reasons, ""])


def _status(technique: Technique) -> str:
    return f"{technique.api_status}; next: {technique.successor}" if technique.successor else technique.api_status
