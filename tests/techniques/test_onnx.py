"""What ONNX Runtime's profiler shows of INT8, and what its threads do between calls."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import torch


def test_a_kernel_that_only_quantizes_computes_nothing_in_integers() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from efficiency.techniques.onnx_session import int8_kernels

    moves = Counter(DynamicQuantizeLinear=3, QuantizeLinear=2, DequantizeLinear=2, MatMul=4, Cast=1)
    assert int8_kernels(moves) == 0
    fused = Counter(DynamicQuantizeMatMul=1, DynamicQuantizeLSTM=2, MatMulIntegerToFloat=4, QLinearConv=8, QGemm=16)
    assert int8_kernels(moves + fused) == 31


def test_its_threads_sleep_when_a_call_is_over(tmp_path: Path) -> None:
    """What is timed next in the same process would pay for threads that spin on."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from efficiency.measure import rest
    from efficiency.techniques.onnx_session import OnnxSession

    values = {name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [512, 512]) for name in "xy"}
    square = onnx.helper.make_node("MatMul", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([square], "square", [values["x"]], [values["y"]])
    opset = onnx.helper.make_opsetid("", 20)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10), str(tmp_path / "square.onnx"))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        session = OnnxSession(tmp_path / "square.onnx")
    finally:
        torch.set_num_threads(before)
    square_of = torch.ones(512, 512)
    rest.wait()  # PyTorch's threads may spin, too
    burned_s = []
    for _ in range(5):  # the least of them: other threads of this process may have had something to do
        session.run(square_of)
        started_s = time.process_time()
        time.sleep(0.02)
        burned_s.append(time.process_time() - started_s)
    assert min(burned_s) < 0.01
