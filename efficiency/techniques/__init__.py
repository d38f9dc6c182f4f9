"""The techniques: one visible table, in the order they are shown."""

from efficiency.errors import UnknownName
from efficiency.techniques.amp import AMP_BF16, AMP_FP16
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique
from efficiency.techniques.channels_last import CHANNELS_LAST
from efficiency.techniques.cuda_graphs import CUDA_GRAPHS
from efficiency.techniques.dynamic_int8 import DYNAMIC_INT8
from efficiency.techniques.fast_path import FAST_PATH
from efficiency.techniques.float8_dynamic import FLOAT8_DYNAMIC
from efficiency.techniques.grad_enabled import GRAD_ENABLED
from efficiency.techniques.half_weights import BF16_WEIGHTS, FP16_WEIGHTS
from efficiency.techniques.inference_mode import INFERENCE_MODE
from efficiency.techniques.int8_lstm import INT8_LSTM
from efficiency.techniques.mixed_int8 import MIXED_INT8
from efficiency.techniques.onnx_runtime import (
    ONNX_RUNTIME,
    ONNX_RUNTIME_DYNAMIC_INT8,
    ONNX_RUNTIME_STATIC_INT8,
)
from efficiency.techniques.openvino_runtime import OPENVINO, OPENVINO_INT8
from efficiency.techniques.optimize_for_inference import OPTIMIZE_FOR_INFERENCE
from efficiency.techniques.pt2e import PT2E_DYNAMIC_INT8, PT2E_QAT_INT8, PT2E_STATIC_INT8
from efficiency.techniques.qat_int8 import QAT_INT8
from efficiency.techniques.static_int8 import STATIC_INT8
from efficiency.techniques.torch_compile import TORCH_COMPILE
from efficiency.techniques.torchao_weights import INT4_WEIGHT_ONLY, INT8_DYNAMIC, INT8_WEIGHT_ONLY

__all__ = ["TECHNIQUES", "Evidence", "Prepared", "Stage", "Technique", "get", "in_order"]

TECHNIQUES: dict[str, Technique] = {
    technique.key: technique
    for technique in (
        DYNAMIC_INT8,
        INT8_LSTM,
        STATIC_INT8,
        MIXED_INT8,
        QAT_INT8,
        INT8_WEIGHT_ONLY,
        INT4_WEIGHT_ONLY,
        INT8_DYNAMIC,
        FLOAT8_DYNAMIC,
        BF16_WEIGHTS,
        FP16_WEIGHTS,
        AMP_BF16,
        AMP_FP16,
        CHANNELS_LAST,
        OPTIMIZE_FOR_INFERENCE,
        TORCH_COMPILE,
        CUDA_GRAPHS,
        PT2E_DYNAMIC_INT8,
        PT2E_STATIC_INT8,
        PT2E_QAT_INT8,
        ONNX_RUNTIME,
        ONNX_RUNTIME_DYNAMIC_INT8,
        ONNX_RUNTIME_STATIC_INT8,
        OPENVINO,
        OPENVINO_INT8,
        FAST_PATH,
        INFERENCE_MODE,
        GRAD_ENABLED,
    )
}


def get(key: str) -> Technique:
    """The technique of that key; raises `UnknownName` with the nearest one."""
    if key not in TECHNIQUES:
        raise UnknownName("technique", key, TECHNIQUES)
    return TECHNIQUES[key]


def in_order(keys: tuple[str, ...]) -> list[Technique]:
    """The techniques of a variant as they are applied: stage by stage, and within a stage as they are shown."""
    stages, shown = list(Stage), list(TECHNIQUES)
    return sorted(map(get, keys), key=lambda t: (stages.index(t.stage), shown.index(t.key)))
