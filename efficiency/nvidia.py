"""NVIDIA's GPUs as the driver's own tool tells of them: asking torch would import it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Gpus:
    """All that the driver sees, and what the least of them has."""

    names: tuple[str, ...] = ()
    compute_capability: str | None = None
    memory_mb: float | None = None
    """In 10^6 bytes."""


def gpus() -> Gpus:
    """None where there is no driver."""
    # A driver too old to tell of capabilities refuses the whole question.
    return of(_listed("name,compute_cap,memory.total") or _listed("name"))


def of(listed: Sequence[Sequence[str]]) -> Gpus:
    """Of a line's parts for each GPU: its name and, where the driver tells, its capability and memory in 2^20 bytes."""
    capabilities = [parts[1] for parts in listed if len(parts) > 1 and re.fullmatch(r"\d+\.\d+", parts[1])]
    sizes = [int(parts[2]) for parts in listed if len(parts) > 2 and parts[2].isdigit()]

    def known(found: Sequence[object]) -> bool:
        return 0 < len(found) == len(listed)  # one that hides what it has may have less than the others

    return Gpus(
        tuple(parts[0] for parts in listed),
        min(capabilities, key=version) if known(capabilities) else None,
        float(round(min(sizes) * 2**20 / 1e6)) if known(sizes) else None,
    )


def version(text: str) -> tuple[int, ...]:
    """`12.0` is more than `8.9`."""
    return tuple(map(int, text.split(".")))


def _listed(fields: str) -> list[list[str]]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [[part.strip() for part in line.split(",")] for line in lines if line.strip()]
