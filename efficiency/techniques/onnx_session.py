"""A model in ONNX Runtime as a module, and what its profiler sees. Imports torch, onnx and onnxruntime."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

INT8 = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
INT8_KERNELS = (
    "QLinear", "Integer", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM", "QGemm", "QAttention", "QOrdered",
    "MatMulNBits",
)  # fmt: skip
"""What their names hold. `DynamicQuantizeLinear` is none: it quantizes, and leaves the arithmetic to others."""


def _options() -> onnxruntime.SessionOptions:
    """As many threads as PyTorch has now.

    They spin while a call lasts, which is what a second thread gains by, and sleep when it is over: idle ones must not
    slow what is timed next.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return options


class OnnxSession(nn.Module):
    """Scores [N, classes] from inputs [N, ...], on the CPU."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self._session = onnxruntime.InferenceSession(str(file), _options(), providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def run(self, inputs: torch.Tensor) -> torch.Tensor:
        """The call that a user would make; the arrays share their memory with the tensors."""
        return torch.from_numpy(self._session.run(None, {self._name: inputs.numpy()})[0])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.run(inputs)

    def kernels(self, inputs: torch.Tensor) -> Counter[str]:
        """The kernels of one call by kind, as ONNX Runtime's own profiler sees them after its optimizations."""
        with tempfile.TemporaryDirectory() as folder:
            options = _options()
            options.enable_profiling, options.profile_file_prefix = True, f"{folder}/profile"
            session = onnxruntime.InferenceSession(str(self.file), options, providers=["CPUExecutionProvider"])
            session.run(None, {self._name: inputs.numpy()})
            events = json.loads(Path(session.end_profiling()).read_text())
        names = (
            event.get("args", {}).get("op_name") for event in events if event.get("name", "").endswith("_kernel_time")
        )
        return Counter(filter(None, names))

    def int8_weight_share(self) -> float:
        """Of the stored weights that are no vectors, the share held in 8 bits."""
        eight = total = 0
        for stored in onnx.load(str(self.file)).graph.initializer:
            if len(stored.dims) > 1:
                count = int(np.prod(stored.dims))
                total += count
                eight += count * (stored.data_type in INT8)
        return eight / total if total else 0.0


def int8_kernels(kernels: Counter[str]) -> int:
    """How many of the kernels compute in integers."""
    return sum(count for name, count in kernels.items() if any(part in name for part in INT8_KERNELS))
