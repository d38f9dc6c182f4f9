"""The README's table of techniques, made from their declarations: `make readme`.

It is judged for one machine wherever it is made, an x86-64 CPU with AVX512 under Linux, with a C++ compiler and no
GPU, so that a test can compare.
"""

from __future__ import annotations

import sys

from efficiency import paths
from efficiency.condition import Condition
from efficiency.errors import EfficiencyError
from efficiency.machine import OPTIONAL, Machine
from efficiency.techniques import matrix
from efficiency.techniques.base import Technique
from efficiency.techniques.matrix import Matrix

README = paths.PROJECT / "README.md"
START, END = "<!-- techniques -->", "<!-- /techniques -->"

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


def renewed(text: str) -> str:
    """The README's text with the table of today's declarations; raises `EfficiencyError` where it has no place."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise EfficiencyError(f"README.md has no place for the table; put {START} and {END} where it belongs.")
    return f"{before}{START}\n{markdown(matrix.of(Condition(), MACHINE))}\n{END}{after}"


def markdown(found: Matrix) -> str:
    """The table, and below it the reasons that its numbers stand for."""
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


if __name__ == "__main__":
    try:
        README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    except EfficiencyError as error:
        sys.exit(str(error))
    print(f"Wrote {README}.")
