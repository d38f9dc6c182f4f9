"""What ONNX Runtime's profiler shows of INT8."""

from __future__ import annotations

from collections import Counter

import pytest


def test_a_kernel_that_only_quantizes_computes_nothing_in_integers() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from efficiency.techniques.onnx_session import int8_kernels

    moves = Counter(DynamicQuantizeLinear=3, QuantizeLinear=2, DequantizeLinear=2, MatMul=4, Cast=1)
    assert int8_kernels(moves) == 0
    fused = Counter(DynamicQuantizeMatMul=1, DynamicQuantizeLSTM=2, MatMulIntegerToFloat=4, QLinearConv=8, QGemm=16)
    assert int8_kernels(moves + fused) == 31
