"""PT2E: quantization of an exported graph by torchao, lowered to integer kernels by Inductor, ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques import int8, qat_int8, torch_compile
from efficiency.techniques.amp import X86
from efficiency.techniques.base import Data, Evidence, Prepared, Runtime, Stage, Technique, Tensors
from efficiency.techniques.quiet import quiet
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.fx import GraphModule

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

CALIBRATION_BATCH = 64
CONFLICTS = torch_compile.TORCH_COMPILE.conflicts | {"bf16-weights", "fp16-weights", "int8-dynamic"}


def _why_not_here(condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "A compiled package answers only; it cannot be trained."
    if condition.device != "cpu":
        return "The quantizer that is used here is for x86 CPUs; on CUDA use torch-compile."
    if machine.architecture not in X86:
        return (
            f"This is torchao's quantizer for x86 processors, and this one is {machine.architecture}; use static-int8, "
            "qat-int8 or dynamic-int8, whose kernels it has."
        )
    if "torchao" not in machine.installed:
        return "This technique needs the package 'torchao'; run `pip install -r requirements.txt`."
    return None


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    return (
        torch_compile.why_not(workload, condition, machine)
        or _why_not_here(condition, machine)
        or int8.why_not_static(workload, condition, machine)
    )


def why_not_dynamic(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    instead = int8.OF_LSTM if workload.weights_in.get("lstm", 0.0) >= int8.WORTH_IT else "pt2e-static-int8"
    return (
        torch_compile.why_not(workload, condition, machine)
        or _why_not_here(condition, machine)
        or int8.why_not_reached(
            workload, "Dynamic quantization by PT2E", "Linear layers only", ("linear", "attention"), instead
        )
    )


def _exported(model: nn.Module, sample: torch.Tensor) -> GraphModule:
    """The model as one graph, for any batch size; strict, since torchao trips over modules that are called twice."""
    import torch

    try:
        batch = torch.export.Dim("batch")
        # One row alone would be taken for a size that is always 1.
        rows = torch.cat([sample, sample])
        return torch.export.export(model, (rows,), dynamic_shapes=({0: batch},), strict=True).module()
    except Exception as error:  # whatever a user's forward raises under the tracer
        raise VariantFailed(
            f"torch.export cannot take this model whole ({first_line(error)}); use it without PT2E."
        ) from error


def _observed(model: nn.Module, sample: torch.Tensor, *, training: bool = False, dynamic: bool = False) -> Any:
    """The exported model with an observer at everything that is to be quantized; in training, one that rounds too."""
    with quiet():
        from torchao.quantization.pt2e.quantize_pt2e import prepare_pt2e, prepare_qat_pt2e
        from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
            X86InductorQuantizer,
            get_default_x86_inductor_quantization_config,
        )

        quantizer = X86InductorQuantizer()
        quantizer.set_global(get_default_x86_inductor_quantization_config(is_qat=training, is_dynamic=dynamic))
        opened = int8.opened_copy(model).train(training)  # Inductor's patterns miss attention's own projections
        return (prepare_qat_pt2e if training else prepare_pt2e)(_exported(opened, sample), quantizer)


def learn_static(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Run the calibration rows through the observers; returns the observers' state alone."""
    import torch

    observed = _observed(model, sample)
    with quiet(), torch.no_grad():
        for batch in data.calibration().split(CALIBRATION_BATCH):
            observed(batch)
    return {name: value for name, value in observed.state_dict().items() if "activation_post_process" in name}


def freeze_exported(rounded: nn.Module) -> None:
    """Ranges, batch-norm statistics and dropout no longer move."""
    from torchao.quantization.pt2e import disable_observer, move_exported_model_to_eval

    rounded.apply(disable_observer)
    move_exported_model_to_eval(rounded)


def learn_qat(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Fine-tune on training rows; returns weights and ranges, from which `package_qat` rebuilds."""
    import torch

    torch.manual_seed(data.seed)
    with torch.enable_grad():
        rounded = _observed(model, sample, training=True)
        with quiet():
            qat_int8.fine_tune(rounded, *data.training(), seed=data.seed, stop=freeze_exported)
    return {name: value.detach() for name, value in rounded.state_dict().items()}


def _package(observed: Any, sample: torch.Tensor, folder: Path) -> None:
    """Convert what was observed to integers, and compile it for the sample's shape."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

    try:
        with quiet():
            converted = convert_pt2e(observed)
    except Exception as error:  # a graph that torchao's patterns do not fit
        raise VariantFailed(f"torchao could not quantize this model ({first_line(error)}).") from error
    torch_compile.package_module(converted, sample, folder)


def package_static(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    observed = _observed(prepared.module, sample)
    observed.load_state_dict(learned, strict=False)
    _package(observed, sample, folder)


def package_dynamic(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    import torch

    observed = _observed(prepared.module, sample, dynamic=True)
    with quiet(), torch.no_grad():
        observed(sample)  # observers of weights learn their ranges when they see them
    _package(observed, sample, folder)


def package_qat(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    rounded = _observed(prepared.module, sample, training=True)
    rounded.load_state_dict(learned)
    freeze_exported(rounded)
    _package(rounded, sample, folder)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The library calls in the package: how many of the products and convolutions compute in integers, and what share
    of the reference's multiply-accumulates these do, by oneDNN's log."""
    from efficiency.measure import kernels, work
    from efficiency.techniques.compiled_package import CompiledPackage

    if not isinstance(prepared.module, CompiledPackage):
        return Evidence("no", "The model is called eagerly: there is no compiled package.")
    integer, calls = prepared.module.integer_calls(), prepared.module.library_calls()
    figures = {"library_calls": float(calls), "int8_calls": float(integer)}
    said = f"{integer} of the {calls} calls of matrix and convolution libraries in the package compute in integers."
    if not integer:
        return Evidence("no", said, figures)
    done, whole = kernels.macs_by_type(prepared.caller(), sample), work.of(reference, sample)
    if whole is not None and (in_integers := done.get("u8", 0) + done.get("s8", 0)):
        # Two operations are one multiply-accumulate. Inductor may pad, which makes some more of them.
        share = min(1.0, 2 * in_integers / (whole.operations_per_row * len(sample)))
        figures["int8_mac_share"] = round(share, 4)
        said += f" They do {share:.0%} of the multiply-accumulates."
    return Evidence("yes" if integer >= int8.MOSTLY * calls else "partly", said, figures)


def _recipe(workload: Workload, condition: Condition, settings: str, prepare: str, learn: str) -> Recipe:
    """Export, `prepare` with a quantizer of these settings, `learn` (statements about `observed`), convert, compile."""
    model = "model.train()" if prepare == "prepare_qat_pt2e" else "model"
    quantize = f"""\
exported = torch.export.export(
    {model}, (torch.cat([sample, sample]),), dynamic_shapes=({{0: torch.export.Dim("batch")}},), strict=True
)
quantizer = X86InductorQuantizer()
quantizer.set_global(get_default_x86_inductor_quantization_config({settings}))
observed = {prepare}(exported.module(), quantizer)
{learn}model = convert_pt2e(observed)
"""
    quantizer = "torchao.quantization.pt2e.quantizer.x86_inductor_quantizer"
    imports = (
        "import torch",
        f"from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, {prepare}",
        f"from {quantizer} import X86InductorQuantizer, get_default_x86_inductor_quantization_config",
    )
    quantized = int8.opening(workload).then(Recipe(model=quantize, imports=imports))
    return quantized.then(torch_compile.recipe(workload, condition))


def recipe_static(workload: Workload, condition: Condition) -> Recipe:
    learn = f"""\
calibration = load_file(FOLDER / "calibration.safetensors")["inputs"]
with torch.no_grad():
    for rows in calibration.split({CALIBRATION_BATCH}):
        observed(rows)
"""
    return _recipe(workload, condition, "", "prepare_pt2e", learn)


def recipe_dynamic(workload: Workload, condition: Condition) -> Recipe:
    learn = "with torch.no_grad():\n    observed(sample)\n"
    return _recipe(workload, condition, "is_dynamic=True", "prepare_pt2e", learn)


def recipe_qat(workload: Workload, condition: Condition) -> Recipe:
    learn = """\
training = load_file(FOLDER / "training.safetensors")
fine_tune(observed, training["inputs"], training["labels"], SEED, freeze_exported)
freeze_exported(observed)
"""
    seeded = Recipe(
        model="torch.manual_seed(SEED)\n",
        uses=(f"{qat_int8.__name__}:fine_tune", f"{__name__}:freeze_exported"),
    )
    return seeded.then(_recipe(workload, condition, "is_qat=True", "prepare_qat_pt2e", learn))


def _technique(
    kind: str,
    summary: str,
    why_not: Callable[[Workload, Condition, Machine], str | None],
    package: Callable[[Prepared, torch.Tensor, Tensors, Path], None],
    recipe: Callable[[Workload, Condition], Recipe],
    learn: Callable[[nn.Module, torch.Tensor, Data], Tensors] | None = None,
    learns_from: Literal["nothing", "calibration", "training"] = "nothing",
) -> Technique:
    """A kind of PT2E. All three are compiled and loaded as torch.compile's package of the FP32 model is."""
    return Technique(
        key=f"pt2e-{kind.lower()}-int8",
        label=f"PT2E {kind} INT8",
        summary=summary,
        stage=Stage.RUNTIME,
        why_not=why_not,
        learn=learn,
        learns_from=learns_from,
        apply=torch_compile.apply,
        evidence=evidence,
        recipe=recipe,
        runtime=Runtime(package, torch_compile.load, specialised=True, packaging_s=15.0),
        fp32_of=torch_compile.TORCH_COMPILE.key,
        conflicts=CONFLICTS,
        arithmetic="int8",
    )


PT2E_STATIC_INT8 = _technique(
    "static",
    "Exported, quantized by torchao with calibrated ranges, compiled ahead of time by Inductor.",
    why_not,
    package_static,
    recipe_static,
    learn_static,
    "calibration",
)
PT2E_DYNAMIC_INT8 = _technique(
    "dynamic",
    "Exported, Linear weights in 8 bits by torchao, activations at every call; compiled by Inductor: no data.",
    why_not_dynamic,
    package_dynamic,
    recipe_dynamic,
)
PT2E_QAT_INT8 = _technique(
    "QAT",
    "Exported and fine-tuned with rounding in the loop, then compiled like PT2E static INT8.",
    why_not,
    package_qat,
    recipe_qat,
    learn_qat,
    "training",
)
