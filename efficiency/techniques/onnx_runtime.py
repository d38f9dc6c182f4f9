"""ONNX Runtime: the model exported to ONNX and run by Microsoft's engine, in FP32 or in INT8 by its own quantizers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques import foreign, int8
from efficiency.techniques.base import Evidence, Prepared, Runtime, Stage, Technique, Tensors
from efficiency.techniques.onnx_recipe import recipe, recipe_dynamic, recipe_static
from efficiency.techniques.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

FILE, FLOAT_FILE = "model.onnx", "float.onnx"
_CONVERSIONS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ReorderInput", "ReorderOutput")
"""Kernels that compute nothing: into INT8 or another layout, and back."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    return foreign.why_not("ONNX Runtime", "onnxruntime", condition, machine)


def why_not_dynamic(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    return why_not(workload, condition, machine) or int8.why_not_reached(
        workload,
        "ONNX Runtime's dynamic INT8",
        "Linear and LSTM layers (convolutions are not measured here)",
        ("linear", "attention", "lstm"),
        "onnxruntime-static-int8",
    )


def why_not_static(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    return why_not(workload, condition, machine) or int8.why_not_static(workload, condition, machine)


def _export(prepared: Prepared, sample: torch.Tensor, file: Path) -> None:
    """To ONNX, for any batch size."""
    import torch

    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                prepared.module,
                (torch.cat([sample, sample]),),  # one row alone would be taken for a size that is always 1
                str(file),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["inputs"],
                output_names=["scores"],
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # an operator that the exporter does not know, or a forward that it cannot follow
        raise VariantFailed(
            f"The model cannot be exported to ONNX ({first_line(error)}); use it without ONNX Runtime."
        ) from error


def package(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    _export(prepared, sample, folder / FILE)


def package_dynamic(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Weights in 8 bits; activations are quantized at every call."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _float_model(prepared, sample, folder) as model:
        quantize_dynamic(model, folder / FILE, weight_type=QuantType.QInt8)


def package_static(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Weights, a scale a channel, and activations in 8 bits; ranges from the calibration rows."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    from efficiency.techniques.onnx_calibration import CalibrationRows

    with _float_model(prepared, sample, folder) as model:
        quantize_static(
            model,
            folder / FILE,
            CalibrationRows(learned["calibration"]),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QInt8,  # its default; unsigned was 5 % slower on the small CNN
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


@contextmanager
def _float_model(prepared: Prepared, sample: torch.Tensor, folder: Path) -> Iterator[Path]:
    """The exported model, made ready for a quantizer; what it raises becomes a sentence, and the file goes."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    file = folder / FLOAT_FILE
    _export(prepared, sample, file)
    try:
        with quiet():
            quant_pre_process(file, file, skip_symbolic_shape=True)
            yield file
    except Exception as error:
        raise VariantFailed(f"ONNX Runtime could not quantize this model ({first_line(error)}).") from error
    finally:
        file.unlink(missing_ok=True)


def load(folder: Path, sample: torch.Tensor) -> nn.Module:
    from efficiency.techniques.onnx_session import OnnxSession

    return OnnxSession(folder / FILE)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The kernels of one call, by ONNX Runtime's profiler."""
    from efficiency.techniques.onnx_session import OnnxSession

    if not isinstance(prepared.module, OnnxSession):
        return Evidence("no", "The model is called from PyTorch: there is no ONNX Runtime session.")
    kernels = prepared.module.kernels(sample)
    most = ", ".join(f"{count} {name}" for name, count in kernels.most_common(3))
    return Evidence(
        "yes",
        f"ONNX Runtime's profiler saw {kernels.total()} kernels a call, most of them {most}.",
        {"kernels": float(kernels.total()), "conversions": _conversions(kernels)},
    )


def evidence_int8(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The share of the weights that is stored in 8 bits, and the kernels that compute in integers."""
    from efficiency.techniques.onnx_session import OnnxSession, int8_kernels

    if not isinstance(prepared.module, OnnxSession):
        return Evidence("no", "The model is called from PyTorch: there is no ONNX Runtime session.")
    kernels, share = prepared.module.kernels(sample), prepared.module.int8_weight_share()
    integer = int8_kernels(kernels)
    # No share of the multiply-accumulates: the profile leaves out the shapes of weights that were packed beforehand.
    figures = {"int8_weight_share": round(share, 4), "kernels": float(kernels.total()), "int8_kernels": float(integer)}
    figures["conversions"] = _conversions(kernels)
    said = (
        f"{share:.1%} of the weights are INT8, and {integer} of {kernels.total()} kernels a call compute in integers."
    )
    if not integer:
        return Evidence(
            "no", f"No kernel computes in integers: {share:.1%} of the weights are stored in 8 bits.", figures
        )
    return Evidence("yes" if share >= int8.MOSTLY else "partly", said, figures)


def _conversions(kernels: Counter[str]) -> float:
    return float(sum(kernels[name] for name in _CONVERSIONS))


ONNX_RUNTIME = Technique(
    key="onnxruntime",
    label="ONNX Runtime",
    summary="Exported to ONNX and run by ONNX Runtime, in FP32.",
    stage=Stage.RUNTIME,
    why_not=why_not,
    apply=foreign.apply,
    evidence=evidence,
    recipe=recipe,
    runtime=Runtime(package, load, packaging_s=5.0, own_threads=True),
    conflicts=foreign.CONFLICTS,
    evaluation_cost=0.7,
)

ONNX_RUNTIME_DYNAMIC_INT8 = Technique(
    key="onnxruntime-dynamic-int8",
    label="ONNX Runtime dynamic INT8",
    summary="ONNX Runtime, weights in 8 bits, activations quantized on the fly by its own quantizer: no data.",
    stage=Stage.RUNTIME,
    why_not=why_not_dynamic,
    apply=foreign.apply,
    evidence=evidence_int8,
    recipe=recipe_dynamic,
    runtime=Runtime(package_dynamic, load, packaging_s=5.0, own_threads=True),
    fp32_of=ONNX_RUNTIME.key,
    conflicts=foreign.CONFLICTS,
    arithmetic="int8",
    evaluation_cost=0.5,
)

ONNX_RUNTIME_STATIC_INT8 = Technique(
    key="onnxruntime-static-int8",
    label="ONNX Runtime static INT8",
    summary="ONNX Runtime, weights and activations in 8 bits; its own quantizer calibrates the ranges.",
    stage=Stage.RUNTIME,
    why_not=why_not_static,
    learn=foreign.learn,
    learns_from="calibration",
    apply=foreign.apply,
    evidence=evidence_int8,
    recipe=recipe_static,
    runtime=Runtime(package_static, load, packaging_s=8.0, own_threads=True),
    fp32_of=ONNX_RUNTIME.key,
    conflicts=foreign.CONFLICTS,
    arithmetic="int8",
    evaluation_cost=0.5,
)
