"""OpenVINO in a script of one's own: converted, quantized by NNCF, compiled for the batch that is timed."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    from efficiency.condition import Condition
    from efficiency.workloads.base import Workload

CALIBRATION_ROWS = 300
"""Calibration rows that NNCF looks at, as it does unless told otherwise."""

SETTINGS = """\
settings = {{
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": {threads},
    "ENABLE_CPU_PINNING": False,{precision}
}}
"""
"""The lines for `openvino_model.settings`."""
IN_FP32 = '\n    "INFERENCE_PRECISION_HINT": "f32",'
"""Their `precision`, without which a processor with BF16 would give other answers."""

_CONVERT = """\
with torch.no_grad():
    converted = openvino.convert_model(
        model,
        example_input=torch.cat([sample, sample]),  # one row alone would be taken for a size that is always 1
        input=[-1, *sample.shape[1:]],
    )
"""
_QUANTIZE = """\
calibration = load_file(FOLDER / "calibration.safetensors")["inputs"]
{attempts}"""
_ATTEMPT = """\
converted = nncf.quantize(
    converted,
    nncf.Dataset([row.numpy() for row in calibration.split(1)]),
    subset_size={rows},
    model_type={model_type},
    fast_bias_correction={all_at_once},
)
"""
_COMPILE = """\
openvino.save_model(converted, FOLDER / "model.xml", compress_to_fp16=False)
core = openvino.Core()
model = core.read_model(FOLDER / "model.xml")
model.reshape([BATCH_SIZE, *sample.shape[1:]])
{settings}\
model = core.compile_model(model, "CPU", settings)
"""


def _served(steps: str, precision: str, *imports: str) -> Recipe:
    return Recipe(
        model=_CONVERT + steps + _COMPILE.format(settings=SETTINGS.format(threads="THREADS", precision=precision)),
        answer="torch.from_numpy(model(inputs.numpy())[0])",
        grad_mode="",
        imports=("import openvino", "import torch", *imports),
        packages=("numpy",),
    )


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return _served("", IN_FP32)


def recipe_int8(workload: Workload, condition: Condition) -> Recipe:
    """As `openvino_runtime` does it: a convolution before an LSTM cannot be cut off to correct its biases alone."""
    attends, recurrent = (workload.weights_in.get(kind, 0.0) > 0 for kind in ("attention", "lstm"))
    model_type = "nncf.ModelType.TRANSFORMER" if attends else "None"
    layer_by_layer, at_once = (
        _ATTEMPT.format(rows=CALIBRATION_ROWS, model_type=model_type, all_at_once=flag) for flag in (False, True)
    )
    attempts = at_once if attends else layer_by_layer
    if recurrent and not attends:
        attempts = (
            f"try:\n{indent(layer_by_layer, '    ')}except Exception:  # where a layer cannot run by itself\n"
            f"{indent(at_once, '    ')}"
        )
    return _served(_QUANTIZE.format(attempts=attempts), "", "import nncf")
