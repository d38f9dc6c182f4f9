"""OpenVINO: the model converted to Intel's engine and run by it, in FP32 or in INT8 by NNCF's quantizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques import foreign, int8
from efficiency.techniques.base import Evidence, Prepared, Runtime, Stage, Technique, Tensors, TookEffect
from efficiency.techniques.openvino_recipe import CALIBRATION_ROWS, recipe, recipe_int8
from efficiency.techniques.quiet import quiet
from efficiency.techniques.traced import refuse_one_batch_size

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.techniques.openvino_model import Node
    from efficiency.workloads.base import Workload

FILE = "model.xml"
_CONVERSIONS = ("Reorder", "Convert")
"""Nodes that compute nothing: into another layout or type."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    return foreign.why_not("OpenVINO", "openvino", condition, machine)


def why_not_int8(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if reason := why_not(workload, condition, machine):
        return reason
    if "nncf" not in machine.installed:
        return foreign.not_installed("OpenVINO's quantizer NNCF")
    return None


def _converted(prepared: Prepared, sample: torch.Tensor) -> Any:
    """An `openvino.Model` for any batch size."""
    import torch

    from efficiency.techniques.openvino_model import openvino

    try:
        with quiet(), torch.no_grad():
            model = openvino.convert_model(
                prepared.module,
                example_input=torch.cat([sample, sample]),
                input=[-1, *sample.shape[1:]],
            )
            compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except Exception as error:  # an operator that the converter does not know, or a forward that it cannot follow
        raise VariantFailed(
            f"The model cannot be converted to OpenVINO ({_told(error)}); use it without OpenVINO."
        ) from error
    refuse_one_batch_size(lambda rows: torch.from_numpy(compiled(rows.numpy())[0]), prepared.module, sample)
    return model


def _told(error: Exception) -> str:
    """The line that says what is amiss; the first ones name files of OpenVINO's own."""
    lines = [line.removeprefix("-- ") for line in str(error).splitlines()]
    named = [line for line in lines if line.startswith("No conversion rule")]
    plain = [line for line in lines if line.strip() and not line.startswith(("Exception from ", "Check '"))]
    return next(iter(named + plain), first_line(error))[:200]


def _save(model: Any, folder: Path) -> None:
    from efficiency.techniques.openvino_model import openvino

    openvino.save_model(model, folder / FILE, compress_to_fp16=False)


def package(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    _save(_converted(prepared, sample), folder)


def package_int8(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Weights, a scale a channel, and activations in 8 bits; ranges and corrected biases from the calibration rows."""
    from efficiency.techniques import openvino_model  # noqa: F401  # first: it keeps NNCF from the network

    _save(_quantized(_converted(prepared, sample), learned["calibration"], _attends(prepared.module)), folder)


def _quantized(model: Any, rows: torch.Tensor, attends: bool) -> Any:
    """Biases corrected layer by layer, or all at once where that is as good, or where a layer cannot run by itself.

    On the small CNN all at once changed 3 % of the answers, layer by layer 0.2 %; on the transformer there was no
    difference, and it takes half the time. Between a convolution and an LSTM the layers cannot be cut apart.
    """
    failure: Exception | None = None
    for all_at_once in (True,) if attends else (False, True):
        try:
            with quiet():
                import nncf

                return nncf.quantize(
                    model,
                    nncf.Dataset([row.numpy() for row in rows.split(1)]),
                    subset_size=CALIBRATION_ROWS,
                    model_type=nncf.ModelType.TRANSFORMER if attends else None,
                    fast_bias_correction=all_at_once,
                )
        except Exception as error:
            failure = error
    assert failure is not None
    raise VariantFailed(f"NNCF could not quantize this model ({_told(failure)}); use it in FP32.") from failure


def _attends(model: nn.Module) -> bool:
    """Attention is quantized by a scheme of its own, which leaves what rounding hurts most in float."""
    from torch import nn

    return any(isinstance(part, nn.MultiheadAttention) for part in model.modules())


def load(folder: Path, sample: torch.Tensor) -> nn.Module:
    from efficiency.techniques.openvino_model import OpenVinoModel

    return OpenVinoModel(folder / FILE, sample, "f32")


def load_int8(folder: Path, sample: torch.Tensor) -> nn.Module:
    """What is not in 8 bits runs as OpenVINO has it: in BF16 where the processor multiplies in it."""
    from efficiency.techniques.openvino_model import OpenVinoModel

    return OpenVinoModel(folder / FILE, sample, None)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The graph that OpenVINO executes, and the kernels that multiply in it."""
    from efficiency.techniques import openvino_model

    if not isinstance(prepared.module, openvino_model.OpenVinoModel):
        return Evidence("no", "The model is called from PyTorch: there is no OpenVINO model.")
    nodes = prepared.module.nodes()
    said = f"OpenVINO executes {len(nodes)} nodes a call; {_multiplied_by(nodes)}."
    return Evidence("yes", said, {"nodes": float(len(nodes)), "conversions": _conversions(nodes)})


def evidence_int8(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The graph that OpenVINO executes, and what of it runs in 8 bits."""
    from efficiency.techniques import openvino_model

    if not isinstance(prepared.module, openvino_model.OpenVinoModel):
        return Evidence("no", "The model is called from PyTorch: there is no OpenVINO model.")
    return shown_of_int8(prepared.module.nodes())


def shown_of_int8(nodes: list[Node]) -> Evidence:
    """The share of the multiply-accumulates that is computed in 8 bits, and whether others run in BF16."""
    from efficiency.techniques import openvino_model

    share = openvino_model.share(nodes, *openvino_model.INT8)
    eight, sixteen = (
        sum(node.precision in kinds for node in nodes) for kinds in (openvino_model.INT8, (openvino_model.BF16,))
    )
    said = f"{share:.1%} of the multiply-accumulates and {eight} of {len(nodes)} nodes a call run in INT8"
    said += f", and {sixteen} of the others in BF16" if sixteen else ""
    figures = {
        "int8_work_share": round(share, 4),
        "bf16_work_share": round(openvino_model.share(nodes, openvino_model.BF16), 4),
        "nodes": float(len(nodes)),
        "int8_nodes": float(eight),
        "bf16_nodes": float(sixteen),
        "conversions": _conversions(nodes),
    }
    took_effect: TookEffect = "yes" if share >= int8.MOSTLY else "partly" if share > 0.01 else "no"
    return Evidence(took_effect, f"{said}; {_multiplied_by(nodes)}.", figures)


def _conversions(nodes: list[Node]) -> float:
    return float(sum(node.kind in _CONVERSIONS for node in nodes))


def _multiplied_by(nodes: list[Node]) -> str:
    from efficiency.techniques.openvino_model import kernels

    found = kernels(nodes).most_common(3)
    return "it multiplies with " + (", ".join(f"{count} {name}" for name, count in found) or "nothing")


OPENVINO = Technique(
    key="openvino",
    label="OpenVINO",
    summary="Converted to OpenVINO and run by its CPU plugin, in FP32.",
    stage=Stage.RUNTIME,
    why_not=why_not,
    apply=foreign.apply,
    evidence=evidence,
    recipe=recipe,
    runtime=Runtime(package, load, packaging_s=3.0, own_threads=True),
    conflicts=foreign.CONFLICTS,
    evaluation_cost=0.7,
)

OPENVINO_INT8 = Technique(
    key="openvino-int8",
    label="OpenVINO INT8",
    summary="OpenVINO, weights and activations in 8 bits; NNCF calibrates the ranges and corrects the biases.",
    stage=Stage.RUNTIME,
    why_not=why_not_int8,
    learn=foreign.learn,
    learns_from="calibration",
    apply=foreign.apply,
    evidence=evidence_int8,
    recipe=recipe_int8,
    runtime=Runtime(package_int8, load_int8, packaging_s=20.0, own_threads=True),
    fp32_of=OPENVINO.key,
    conflicts=foreign.CONFLICTS,
    arithmetic="int8",
    evaluation_cost=0.4,
)
