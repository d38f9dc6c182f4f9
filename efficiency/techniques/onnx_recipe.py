"""ONNX Runtime in a script of one's own: exported, quantized by its own tools, called through a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    from efficiency.condition import Condition
    from efficiency.workloads.base import Workload

_EXPORT = """\
with torch.no_grad():
    torch.onnx.export(
        model,
        (torch.cat([sample, sample]),),  # one row alone would be taken for a size that is always 1
        FOLDER / "{file}",
        dynamo=True,
        dynamic_shapes=({{0: torch.export.Dim("batch")}},),
        input_names=["inputs"],
        output_names=["scores"],
        external_data=False,
        verbose=False,
    )
"""
_PREPARE = """\
quant_pre_process(FOLDER / "float.onnx", FOLDER / "float.onnx", skip_symbolic_shape=True)
"""
_DYNAMIC = """\
quantize_dynamic(FOLDER / "float.onnx", FOLDER / "model.onnx", weight_type=QuantType.QInt8)
"""
_STATIC = """\
quantize_static(
    FOLDER / "float.onnx",
    FOLDER / "model.onnx",
    CalibrationRows(load_file(FOLDER / "calibration.safetensors")["inputs"]),
    quant_format=QuantFormat.QDQ,
    activation_type=QuantType.QInt8,
    weight_type=QuantType.QInt8,
    per_channel=True,
)
"""
OPTIONS = """\
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = {threads}, 1
# Threads sleep when a call is over: idle ones that spin slow down what runs beside.
options.add_session_config_entry("session.force_spinning_stop", "1")
"""
"""The lines for the options of `onnx_session.py`."""
_SESSION = f"""\
{OPTIONS.format(threads="THREADS")}\
model = onnxruntime.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])
"""
_PRE_PROCESS = "from onnxruntime.quantization.shape_inference import quant_pre_process"


def _exported(file: str) -> Recipe:
    return Recipe(
        model=_EXPORT.format(file=file),
        answer='torch.from_numpy(model.run(None, {"inputs": inputs.numpy()})[0])',
        grad_mode="",
        imports=("import torch",),
        packages=("numpy", "onnx", "onnxscript"),
    )


_SERVED = Recipe(model=_SESSION, imports=("import onnxruntime",))


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return _exported("model.onnx").then(_SERVED)


def recipe_dynamic(workload: Workload, condition: Condition) -> Recipe:
    imports = ("from onnxruntime.quantization import QuantType, quantize_dynamic", _PRE_PROCESS)
    return _exported("float.onnx").then(Recipe(model=_PREPARE + _DYNAMIC, imports=imports)).then(_SERVED)


def recipe_static(workload: Workload, condition: Condition) -> Recipe:
    imports = ("from onnxruntime.quantization import QuantFormat, QuantType, quantize_static", _PRE_PROCESS)
    uses = ("efficiency.techniques.onnx_calibration:CalibrationRows",)
    return _exported("float.onnx").then(Recipe(model=_PREPARE + _STATIC, imports=imports, uses=uses)).then(_SERVED)
