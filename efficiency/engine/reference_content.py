"""What a reference model and its data are, by digests: what a preparation follows from. Imports torch. Child side."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from efficiency import paths
from efficiency.engine.prepared_content import weights_digest
from efficiency.workloads import file_and_function
from efficiency.workloads.base import Dataset, Rows, Workload


def of(workload: Workload, dataset: Dataset, model: nn.Module, test: Rows) -> dict[str, str]:
    """Digests of weights, data and a user's own code (empty for a built-in workload).

    A data set's fingerprint names its exact data. The test rows, which are at hand, are looked at besides: of a
    user's own data set nobody knows how well its fingerprint is made.
    """
    return {
        "workload": workload.key,
        "weights": weights(model),
        "data": dataset.fingerprint(),
        "test": _rows(test),
        "code": code(workload),
    }


def weights(model: nn.Module) -> str:
    """Names, types, shapes and values of all that the model stores; never the same again where that cannot be told."""

    def stored() -> Iterator[tuple[str, str, Sequence[int], bytes | memoryview]]:
        for name, value in sorted(model.state_dict().items()):
            if type(value) is torch.Tensor and value.layout is torch.strided and not value.is_quantized:
                plain = value.detach().cpu().contiguous()
                kind = str(plain.dtype).removeprefix("torch.")
                yield name, kind, plain.shape, plain.reshape(-1).view(torch.uint8).numpy().data
            else:  # what a user's module keeps in a form of its own: nobody can tell it from another
                yield name, "other", (), os.urandom(16)

    return weights_digest(stored())


def _rows(rows: Rows) -> str:
    total = hashlib.sha256()
    for array in (rows.inputs, rows.labels):
        plain = np.ascontiguousarray(array)
        total.update(f"{plain.dtype.str} {plain.shape}\n".encode())
        # Python's own objects have no bytes of their own: their addresses are never the same again, nor is the digest.
        total.update(plain.tobytes() if plain.dtype.hasobject else plain.reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def code(workload: Workload) -> str:
    """Of the user's file, of Python files beside it, and of modules below that folder which it imported; empty for a
    built-in workload."""
    if not workload.source:
        return ""
    file, function = file_and_function(workload.source)
    own = file.parent
    imported = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    below = {path for name in imported if name and (path := Path(name).resolve()).is_relative_to(own)}
    package = paths.PROJECT / "efficiency"
    total = hashlib.sha256(f"{file.name}:{function}\n".encode())
    for path in sorted({file, *own.glob("*.py"), *below}):
        if path.is_file() and not path.is_relative_to(package) and "site-packages" not in path.parts:
            total.update(f"{path.relative_to(own)}\n".encode())
            total.update(path.read_bytes())
    return total.hexdigest()
