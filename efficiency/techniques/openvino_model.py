"""A model in OpenVINO as a module, and what its CPU plugin made of it. Imports torch and openvino."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import nn

# OpenVINO and NNCF report to Google Analytics unless told not to in a file of the user's home. Both do without where
# the package that sends is missing, and nothing here may use the network or write there.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino as openvino  # noqa: E402  # whoever needs it takes it from here

INT8, BF16 = ("i8", "u8"), "bf16"
NO_WORK = ("Const", "Input", "Output")


def settings(precision: str | None) -> dict[str, Any]:
    """One call at a time on as many threads as PyTorch has now, tied to no core: others are timed in this process.

    `precision` is of what is not in 8 bits; None leaves it to OpenVINO, which takes BF16 where the processor has it.
    """
    chosen: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    return chosen if precision is None else chosen | {"INFERENCE_PRECISION_HINT": precision}


@dataclass(frozen=True)
class Node:
    """A node of the graph that the CPU plugin executes."""

    kind: str
    precision: str
    primitive: str
    """`brgconv_avx512_I8`: the kernel, its instruction set and its type."""
    multiply_accumulates: int


class OpenVinoModel(nn.Module):
    """Scores [N, classes] from inputs [N, ...], on the CPU, for any N; compiled for the shape of `sample` [B, ...]."""

    def __init__(self, file: Path, sample: torch.Tensor, precision: str | None) -> None:
        super().__init__()
        self.file, self._precision = file, precision
        self._shape = tuple(sample.shape)
        self._fixed = self._compiled(self._shape)
        self._any: openvino.CompiledModel | None = None

    def _compiled(self, shape: tuple[int, ...] | None) -> openvino.CompiledModel:
        core = openvino.Core()
        model = core.read_model(self.file)
        if shape is not None:
            model.reshape(list(shape))
        return core.compile_model(model, "CPU", settings(self._precision))

    def run(self, inputs: torch.Tensor) -> torch.Tensor:
        """The call that a user would make; the input shares its memory with the tensor, the output is the caller's."""
        array = inputs.numpy()
        if array.shape == self._shape:
            return torch.from_numpy(self._fixed(array)[0])
        if self._any is None:
            self._any = self._compiled(None)
        return torch.from_numpy(self._any(array)[0])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.run(inputs)

    def setting(self, name: str) -> Any:
        """As the CPU plugin has it, by its name of the property."""
        return self._fixed.get_property(name)

    def nodes(self) -> list[Node]:
        """What is executed in a call of the shape it was compiled for, after the plugin's optimizations."""
        found = []
        for operation in self._fixed.get_runtime_model().get_ordered_ops():
            told = {key: str(value.value) for key, value in operation.get_rt_info().items() if hasattr(value, "value")}
            kind = told.get("layerType", "")
            if kind and kind not in NO_WORK:
                work = _multiply_accumulates(kind, operation)
                found.append(Node(kind, told.get("runtimePrecision", ""), told.get("primitiveType", ""), work))
        return found


def _multiply_accumulates(kind: str, operation: Any) -> int:
    """Of the kinds that do nearly all the arithmetic; 0 for the rest."""
    if kind not in ("Convolution", "FullyConnected", "MatMul", "RNNSeq", "ScaledDotProductAttention"):
        return 0
    into = [tuple(port.get_shape()) for port in operation.inputs() if port.get_partial_shape().is_static]
    out = tuple(operation.output(0).get_shape())
    if kind == "Convolution":  # the weight is [out, in, ...], or [groups, out / groups, in / groups, ...]
        return prod(out) * prod(into[1]) // out[1]
    if kind == "RNNSeq":  # inputs [N, length, D] first; at the end weights of inputs, weights of states, biases
        return into[0][0] * into[0][1] * (prod(into[-3]) + prod(into[-2]))
    if kind == "ScaledDotProductAttention":  # queries by keys, then by values
        return 2 * prod(out) * into[1][-2]
    return prod(out) * into[0][-1]


def share(nodes: list[Node], *precisions: str) -> float:
    """Share of the multiply-accumulates that is computed in one of these precisions."""
    total = sum(node.multiply_accumulates for node in nodes)
    own = sum(node.multiply_accumulates for node in nodes if node.precision in precisions)
    return own / total if total else 0.0


def kernels(nodes: list[Node]) -> Counter[str]:
    """The primitives of the nodes that multiply, by name."""
    return Counter(node.primitive for node in nodes if node.multiply_accumulates)
