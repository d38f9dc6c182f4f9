"""The machine at hand, read without torch: what a result is labelled with."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import psutil

# Instruction sets that decide how fast INT8 and BF16 run, in /proc/cpuinfo's spelling.
INSTRUCTION_SETS = (
    "avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """CPU, memory, accelerators and the versions that decide what a measurement means."""

    cpu_model: str
    architecture: str
    cores: float
    """Cores this process may use: the least of affinity and the container's quota."""
    logical_cores: int
    instruction_sets: tuple[str, ...]
    memory_mb: float
    gpus: tuple[str, ...]
    system: str
    python_version: str
    torch_version: str

    @property
    def threads(self) -> int:
        """Threads that the quota really gives, at least one."""
        return max(1, int(self.cores))

    @property
    def key(self) -> str:
        """Equal for machines whose results may be merged: same processor, cores, GPU and torch."""
        parts = (self.cpu_model, self.architecture, self.cores, self.instruction_sets, self.gpus)
        return hashlib.sha256(repr((*parts, self.torch_version)).encode()).hexdigest()[:10]

    @property
    def label(self) -> str:
        """One line for people and for the CSV."""
        cores = f"{self.cores:g} core{'s' if self.cores != 1 else ''}"
        return ", ".join([self.cpu_model, cores, *self.gpus])

    def as_dict(self) -> dict[str, object]:
        """Every field, the key and the label, ready for JSON."""
        return {**asdict(self), "threads": self.threads, "key": self.key, "label": self.label}


def _cpu_facts() -> tuple[str, tuple[str, ...]]:
    """CPU model and the instruction sets that matter; empty where the system does not tell."""
    model, flags = "", set()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Model"} and not model:
                model = value.strip()
            if name.strip() in {"flags", "Features"}:
                flags.update(value.split())
    except OSError:
        pass
    return model or platform.processor() or "unknown CPU", tuple(f for f in INSTRUCTION_SETS if f in flags)


def _quota_cores() -> float:
    """Cores the container's quota gives (cgroup v2, then v1); infinite where there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        folder = Path("/sys/fs/cgroup/cpu")
        quota_us = int((folder / "cpu.cfs_quota_us").read_text())
        return quota_us / int((folder / "cpu.cfs_period_us").read_text()) if quota_us > 0 else float("inf")
    except (OSError, ValueError, ZeroDivisionError):
        return float("inf")


def _usable_cores() -> float:
    logical = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return min(float(allowed), _quota_cores())


def _memory_mb() -> float:
    total = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # "max", or no control group at all.
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return round(total / 1e6)


def _gpus() -> tuple[str, ...]:
    """Names of NVIDIA GPUs as the driver's own tool gives them: asking torch would import it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        listed = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(filter(None, map(str.strip, listed.stdout.splitlines()))) if listed.returncode == 0 else ()


def _torch_version() -> str:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return "not installed"


@cache
def this_machine() -> Machine:
    """The machine at hand, read once a process."""
    model, sets = _cpu_facts()
    return Machine(
        cpu_model=model,
        architecture=platform.machine(),
        cores=round(_usable_cores(), 2),
        logical_cores=os.cpu_count() or 1,
        instruction_sets=sets,
        memory_mb=_memory_mb(),
        gpus=_gpus(),
        system=f"{platform.system()} {platform.release()}",
        python_version=platform.python_version(),
        torch_version=_torch_version(),
    )
