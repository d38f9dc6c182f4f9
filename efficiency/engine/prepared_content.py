"""What a preparation follows from: where all of it is equal, what a probe made and found would be the same again.

`asked` is what a plan tells; what only the loaded model and its data tell, `reference_content` reads in the child.
No torch here.
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
from efficiency.machine import Machine
from efficiency.study import Entry, Study
from efficiency.techniques import compose
from efficiency.workloads.base import Workload

PACKAGES = (
    "torch", "torchvision", "torchao", "onnxruntime", "onnx", "onnxscript", "openvino", "nncf", "numpy", "safetensors",
)  # fmt: skip
ENVIRONMENT = (
    "ATEN_", "CC", "CUBLAS", "CUDA_", "CUDNN_", "CXX", "DNNL_", "KMP_", "MKL_", "NVIDIA_TF32_OVERRIDE", "OMP_",
    "ONEDNN_", "OPENBLAS_", "ORT_", "OV_", "PYTORCH_", "TORCH", "TRITON_",
)  # fmt: skip
"""What the variables begin with by which users choose kernels, threads and compilers."""
PLACES = ("_DIR", "_HOME", "_PATH")
"""What those end with that only say where something is kept."""
OWN_CODE = (
    "condition.py", "techniques", "workloads", "measure",
    "engine/probe.py", "engine/answering.py", "engine/variants.py", "engine/inputs.py", "engine/arrays.py",
)  # fmt: skip
"""Of this project, what decides what a probe makes and finds."""
CODE = (".py", ".cpp")


def asked(study: Study, workload: Workload, entry: Entry, around: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON; `workload` is that of the entry, described, `around` its `surroundings`. Of the condition there is
    what answers depend on."""
    chosen = techniques.in_order(entry.variant.techniques)
    effort, learns = study.effort, any(technique.learn is not None for technique in chosen)
    return {
        "workload": workload.key,
        "dataset": study.dataset_of(workload).key,
        "techniques": list(entry.variant.techniques),
        "condition": asdict(compose.probed_under(entry.variant.techniques, entry.condition)),
        "test_rows": effort.test_rows,
        "learned_from": [effort.calibration_rows, effort.training_rows] if learns else None,
        "tolerance_pp": study.tolerance_pp if any(technique.heeds_tolerance for technique in chosen) else None,
        "seed": study.seed,
        "versions": _versions(a_users_own=bool(workload.source)),
        **around,
    }


def surroundings(machine: Machine) -> dict[str, Any]:
    """What all preparations of this process have in common; to be asked once for many."""
    return {
        "threads": machine.threads,
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
        "environment": {
            name: value
            for name, value in os.environ.items()
            if name.startswith(ENVIRONMENT) and not name.endswith(PLACES)
        },
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
        for file in [place] if place.is_file() else sorted(f for f in place.rglob("*") if f.suffix in CODE):
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
