"""A model in ONNX Runtime as a module, and what its profiler sees. Imports torch, onnx and onnxruntime."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

INT8 = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
_CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "NhwcFusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
"""By kind, which of the inputs are the weights."""
_PRODUCTS = (
    "MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
    "QLinearMatMul", "QGemm",
)  # fmt: skip
_RECURRENT = ("LSTM", "DynamicQuantizeLSTM")
INT8_KERNELS = ("QLinear", "Integer", "DynamicQuantize", "QGemm", "QAttention", "QOrdered", "MatMulNBits")


def _options() -> onnxruntime.SessionOptions:
    """As many threads as PyTorch has now, which wait without spinning: they must not slow what is timed next."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
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

    def profile(self, inputs: torch.Tensor) -> list[Kernel]:
        """The kernels of one call, as ONNX Runtime's own profiler sees them after its optimizations."""
        with tempfile.TemporaryDirectory() as folder:
            options = _options()
            options.enable_profiling, options.profile_file_prefix = True, f"{folder}/profile"
            session = onnxruntime.InferenceSession(str(self.file), options, providers=["CPUExecutionProvider"])
            session.run(None, {self._name: inputs.numpy()})
            events = json.loads(Path(session.end_profiling()).read_text())
        ran = [event["args"] for event in events if event.get("name", "").endswith("_kernel_time")]
        return [
            Kernel(args["op_name"], _shapes(args.get("input_type_shape")), _shapes(args.get("output_type_shape")))
            for args in ran
            if args.get("op_name")
        ]

    def int8_weight_share(self) -> float:
        """Of the stored weights that are no vectors, the share held in 8 bits."""
        eight = total = 0
        for stored in onnx.load(str(self.file)).graph.initializer:
            if len(stored.dims) > 1:
                count = int(np.prod(stored.dims))
                total += count
                eight += count * (stored.data_type in INT8)
        return eight / total if total else 0.0


@dataclass(frozen=True)
class Kernel:
    """A kernel that ran, with the shapes of what it was given and gave."""

    name: str
    inputs: list[list[int]]
    outputs: list[list[int]]

    @property
    def in_int8(self) -> bool:
        """Whether it computes in integers."""
        return any(part in self.name for part in INT8_KERNELS)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a convolution, a matrix product or an LSTM; 0 of any other kernel."""
        if not self.inputs or not self.outputs:
            return 0
        if self.name in _CONVOLUTIONS:
            return math.prod(self.outputs[0]) * math.prod(self.inputs[_CONVOLUTIONS[self.name]][1:])
        if self.name in _PRODUCTS:
            return math.prod(self.outputs[0]) * self.inputs[0][-1]
        if self.name in _RECURRENT:  # tokens [L, N, D], with the weights of the inputs and of the states
            return math.prod(self.inputs[0][:2]) * sum(map(math.prod, self.inputs[1:3]))
        return 0


def _shapes(listed: list[dict[str, list[int]]] | None) -> list[list[int]]:
    """Of `[{"float": [1, 3]}, ...]`, which names the type of each."""
    return [shape for typed in listed or [] for shape in typed.values()]


def int8_mac_share(kernels: list[Kernel]) -> float | None:
    """Share of the multiply-accumulates that run in integers; None where none are known."""
    total = sum(kernel.macs for kernel in kernels)
    return sum(kernel.macs for kernel in kernels if kernel.in_int8) / total if total else None
