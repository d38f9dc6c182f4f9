"""The machine at hand, read without torch: what a result is labelled with."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import psutil

from efficiency import nvidia

# Instruction sets that decide how fast INT8 and BF16 run, in /proc/cpuinfo's spelling.
INSTRUCTION_SETS = (
    "avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


OPTIONAL = {
    "torchao": ("torchao",),
    "onnxruntime": ("onnxruntime", "onnx", "onnxscript"),
    "openvino": ("openvino",),
    "nncf": ("nncf",),
}
"""What techniques may need beside PyTorch, and the packages that each of it takes."""


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
    affinity_cores: int | None = None
    """Cores that the system lets this process run on; None where it does not tell."""
    quota_cores: float | None = None
    """Cores' worth of time that the container may use; None where there is no quota."""
    l2_cache_mb: float | None = None
    """Of one core, in 10^6 bytes."""
    l3_cache_mb: float | None = None
    """The last-level cache that a core shares with others, in 10^6 bytes."""
    clock_max_mhz: float | None = None
    governor: str | None = None
    """How Linux chooses the clock: `performance` is steadiest; None where it is hidden, as in most virtual machines."""
    cpp_compiler: str | None = None
    """The command of the C++ compiler that torch.compile would take; None where there is none."""
    installed: tuple[str, ...] = ()
    """What of `OPTIONAL` is installed."""
    torch_cuda: str | None = None
    """The version of CUDA that the installed PyTorch was built for; None of a build without, which sees no GPU."""
    compute_capability: str | None = None
    """What the GPU's kernels may use, as `8.9`, the least of several GPUs; None where the driver does not tell, and of
    machines that were stored before this was asked."""
    gpu_memory_mb: float | None = None
    """In 10^6 bytes, the least of several GPUs; None likewise."""

    @property
    def threads(self) -> int:
        """Threads that the quota really gives, at least one."""
        return max(1, int(self.cores))

    @property
    def why_no_cuda(self) -> str | None:
        """Why nothing can be measured on a GPU here, without a full stop; None where it can."""
        if not self.gpus:
            return "no CUDA GPU was found on this machine"
        if self.torch_cuda is None:
            return (
                f"PyTorch {self.torch_version} is built without CUDA (https://pytorch.org/get-started/locally/ has "
                "builds with it)"
            )
        return None

    def has_capability(self, major: int, minor: int) -> bool:
        """Whether a GPU is there that is known to have this compute capability or a higher one."""
        return self.compute_capability is not None and nvidia.version(self.compute_capability) >= (major, minor)

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


def _affinity_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _usable_cores() -> float:
    return min(float(_affinity_cores() or os.cpu_count() or 1), _quota_cores())


_CPU = Path("/sys/devices/system/cpu/cpu0")


def _cache_mb(level: int, cpu: Path = _CPU) -> float | None:
    """Of the first core's data or unified cache of that level, from Linux's `1024K` or `32M`; None elsewhere."""
    for folder in sorted(cpu.glob("cache/index*")):
        with suppress(OSError, ValueError, KeyError, IndexError):
            if int((folder / "level").read_text()) != level or (folder / "type").read_text().strip() == "Instruction":
                continue
            size = (folder / "size").read_text().strip()
            return round(int(size[:-1]) * {"K": 2**10, "M": 2**20, "G": 2**30}[size[-1]] / 1e6, 2)
    return None


def _clock_max_mhz() -> float | None:
    """As the system gives it; virtual machines mostly tell the clock now and no highest one."""
    with suppress(OSError, RuntimeError, AttributeError, NotImplementedError):
        clock = psutil.cpu_freq()
        return round(clock.max) if clock is not None and clock.max > 0 else None
    return None


def _governor(cpu: Path = _CPU) -> str | None:
    with suppress(OSError):
        return (cpu / "cpufreq" / "scaling_governor").read_text().strip() or None
    return None


def memory_free_mb() -> float:
    """Memory that a process could have now without swapping, in 10^6 bytes, within the container's limit."""
    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        free = min(free, max(0, limit - used))
    return round(free / 1e6)


def _memory_mb() -> float:
    total = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # "max", or no control group at all.
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return round(total / 1e6)


def _cpp_compiler() -> str | None:
    """The first that is there: what `CXX` names, as Inductor has it, else GCC or Clang."""
    return next(filter(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++")), None)


def _torch_version() -> str:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return "not installed"


def _torch_cuda(package: Path | None = None) -> str | None:
    """From the constants in PyTorch's folder: asking torch would import it."""
    if package is None:
        found = find_spec("torch")
        if found is None or found.origin is None:
            return None
        package = Path(found.origin).parent
    with suppress(OSError, SyntaxError, ValueError):
        for statement in ast.parse((package / "version.py").read_text()).body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="cuda")], value=ast.Constant(value=str(version)))
                    | ast.AnnAssign(target=ast.Name(id="cuda"), value=ast.Constant(value=str(version)))
                ):
                    return version
    return None


@cache
def this_machine() -> Machine:
    """The machine at hand, read once a process."""
    model, sets = _cpu_facts()
    quota, gpus = _quota_cores(), nvidia.gpus()
    return Machine(
        cpu_model=model,
        architecture=platform.machine(),
        cores=round(_usable_cores(), 2),
        logical_cores=os.cpu_count() or 1,
        instruction_sets=sets,
        memory_mb=_memory_mb(),
        gpus=gpus.names,
        system=f"{platform.system()} {platform.release()}",
        python_version=platform.python_version(),
        torch_version=_torch_version(),
        affinity_cores=_affinity_cores(),
        quota_cores=None if quota == float("inf") else round(quota, 2),
        l2_cache_mb=_cache_mb(2),
        l3_cache_mb=_cache_mb(3),
        clock_max_mhz=_clock_max_mhz(),
        governor=_governor(),
        cpp_compiler=_cpp_compiler(),
        installed=tuple(name for name, packages in OPTIONAL.items() if all(map(find_spec, packages))),
        torch_cuda=_torch_cuda(),
        compute_capability=gpus.compute_capability,
        gpu_memory_mb=gpus.memory_mb,
    )
