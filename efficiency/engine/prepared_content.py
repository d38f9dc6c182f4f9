"""What a preparation follows from: where all of it is equal, what a probe made and found would be the same again.

No torch here; what only the loaded model and its data tell, `reference_content` reads in the child.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from efficiency import paths, techniques
from efficiency.condition import Condition
from efficiency.machine import Machine

PACKAGES = (
    "torch", "torchvision", "torchao", "onnxruntime", "onnx", "onnxscript", "openvino", "nncf", "numpy", "safetensors",
)  # fmt: skip
ENVIRONMENT = (
    "ATEN_", "CC", "CUBLAS", "CUDA_", "CUDNN_", "CXX", "DNNL_", "KMP_", "MKL_", "NVIDIA_TF32_OVERRIDE", "OMP_",
    "ONEDNN_", "OPENBLAS_", "ORT_", "OV_", "PYTORCH_", "TORCH", "TRITON_",
)  # fmt: skip
"""What the variables begin with by which users choose kernels, threads and compilers."""
OWN_CODE = (
    "condition.py", "techniques", "workloads", "measure",
    "engine/probe.py", "engine/answering.py", "engine/variants.py", "engine/inputs.py", "engine/arrays.py",
)  # fmt: skip
"""Of this project, what decides what a probe makes and finds."""


def of(asked: Mapping[str, Any], about: Mapping[str, str], under: Condition, machine: Machine) -> dict[str, Any]:
    """Plain JSON. `asked` is the probe's order, `about` what `reference_content` found, `under` the condition as far
    as answers depend on it (`compose.probed_under`)."""
    keys = tuple(asked["techniques"])
    chosen = techniques.in_order(keys)
    learns = any(technique.learn is not None for technique in chosen)
    return {
        "reference": dict(about),
        "dataset": asked["dataset"],
        "techniques": list(keys),
        "condition": asdict(under),
        "test_rows": asked["test_rows"],
        "learned_from": [asked["calibration_rows"], asked["training_rows"]] if learns else None,
        "tolerance_pp": asked["tolerance_pp"] if any(technique.heeds_tolerance for technique in chosen) else None,
        "seed": asked["seed"],
        "threads": asked["threads"],
        "versions": _versions(a_users_own=bool(about["code"])),
        "own_code": own_code(),
        "machine": [
            machine.cpu_model,
            machine.architecture,
            machine.cores,
            list(machine.instruction_sets),
            list(machine.gpus),
            machine.python_version,
        ],
        "compiler": _compiler(machine),
        "environment": {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT)},
    }


def weights_digest(stored: Iterable[tuple[str, str, Sequence[int], bytes | memoryview]]) -> str:
    """Of what a model stores: name, type (`float32`), shape and bytes of each, sorted by name."""
    total = hashlib.sha256()
    for name, kind, shape, content in stored:
        total.update(f"{name} {kind} {list(shape)}\n".encode())
        total.update(content)
    return total.hexdigest()


@cache
def own_code() -> str:
    """A digest of `OWN_CODE`."""
    total, package = hashlib.sha256(), paths.PROJECT / "efficiency"
    for part in OWN_CODE:
        place = package / part
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            total.update(f"{file.relative_to(package)}\n".encode())
            total.update(file.read_bytes())
    return total.hexdigest()


@cache
def _versions(*, a_users_own: bool) -> list[str]:
    """Of what techniques call; of all that is installed for a user's own model, which may call anything."""
    installed = {one.name: one.version for one in metadata.distributions()}
    return sorted(f"{name} {installed.get(name)}" for name in (installed if a_users_own else PACKAGES))


def _compiler(machine: Machine) -> str | None:
    """The file that the compiler's command leads to, whose name mostly has its version, and its size."""
    found = shutil.which(machine.cpp_compiler) if machine.cpp_compiler else None
    if found is None:
        return None
    file = Path(found).resolve()
    return f"{file} {file.stat().st_size}"
