"""torch.compile ahead of time: exported, compiled to machine code by Inductor, packaged; loaded without a compiler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques.base import Evidence, Prepared, Runtime, Stage, Technique, Tensors
from efficiency.techniques.quiet import quiet
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

FILE = "model.pt2"


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "A compiled package answers only; it cannot be trained."
    if machine.cpp_compiler is None:
        return (
            "torch.compile needs a C++ compiler, and there was none here at the start; install g++ "
            "(Debian: apt install g++) and start again."
        )
    return None


def package(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Compile for the sample's shape and the threads that PyTorch has now, with the weights frozen into the code."""
    import torch
    from torch._inductor import aoti_compile_and_package

    inputs = sample if prepared.convert is None else prepared.convert(sample)
    try:
        with quiet(), torch.no_grad():
            exported = torch.export.export(prepared.module, (inputs,))
    except Exception as error:  # whatever a user's forward raises under the tracer
        raise VariantFailed(
            f"torch.export cannot take this model whole ({first_line(error)}); use it without torch-compile."
        ) from error
    try:
        with quiet(), torch.no_grad():
            aoti_compile_and_package(exported, package_path=str(folder / FILE), inductor_configs={"freezing": True})
    except Exception as error:  # of the code generator, or of the C++ compiler that it calls
        raise VariantFailed(f"Inductor could not compile this model ({first_line(error)}).") from error


def load(folder: Path, sample: torch.Tensor) -> nn.Module:
    """The machine code; nothing is compiled here."""
    from efficiency.techniques.compiled_package import CompiledPackage

    with quiet():
        return CompiledPackage(folder / FILE)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Call the package directly, as a user would: a module around it would cost on top."""
    return replace(prepared, model=prepared.module.run)  # type: ignore[arg-type]


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The code in the package: how many kernels Inductor wrote, and how many library calls are left beside them."""
    from efficiency.techniques.compiled_package import CompiledPackage

    if not isinstance(prepared.module, CompiledPackage):
        return Evidence("no", "The model is called eagerly: there is no compiled package.")
    written, library = prepared.module.written_kernels(), prepared.module.library_calls()
    return Evidence(
        "yes",
        f"The whole model runs as compiled code, without a graph break: {written} kernels written by Inductor "
        f"and {library} calls of matrix and convolution libraries.",
        {"written_kernels": float(written), "library_calls": float(library)},
    )


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(
        model="""\
package = str(FOLDER / "model.pt2")
with torch.no_grad():
    exported = torch.export.export(model, (sample,))
    aoti_compile_and_package(exported, package_path=package, inductor_configs={"freezing": True})
# Where the package lies already, this line alone serves the model.
model = aoti_load_package(package)
""",
        imports=("import torch", "from torch._inductor import aoti_compile_and_package, aoti_load_package"),
    )


TORCH_COMPILE = Technique(
    key="torch-compile",
    label="torch.compile",
    summary="Compiled ahead of time by Inductor (AOTInductor) for this batch size: fused kernels, no Python.",
    stage=Stage.RUNTIME,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    runtime=Runtime(package, load, specialised=True, packaging_s=15.0),
    conflicts=frozenset(
        {
            # Eager INT8 cannot be exported; torchao's weights in a package are untried.
            *("dynamic-int8", "static-int8", "qat-int8", "int8-weight-only", "int4-weight-only", "int8-dynamic"),
            # Inductor chooses layouts by itself, and a package holds the operations it was compiled from.
            *("channels-last", "amp-bf16", "amp-fp16", "fast-path", "grad-enabled"),
        }
    ),
    evaluation_cost=2.0,
)
