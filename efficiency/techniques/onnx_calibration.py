"""Calibration rows as ONNX Runtime's quantizer asks for them. Imports torch and onnxruntime."""

from __future__ import annotations

import torch
from onnxruntime.quantization import CalibrationDataReader

CALIBRATION_BATCH = 16


class CalibrationRows(CalibrationDataReader):
    """Rows [N, ...], a batch at a time."""

    def __init__(self, inputs: torch.Tensor) -> None:
        self._batches = iter([{"inputs": batch.numpy()} for batch in inputs.split(CALIBRATION_BATCH)])

    def get_next(self) -> dict[str, object] | None:
        return next(self._batches, None)
