"""torch.compile ahead of time: exported, compiled to machine code by Inductor, packaged; loaded without a compiler.

A package cannot be trained. In training the model is compiled where it runs, forward and backward, as
`torch.compile(model)` does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques.base import Evidence, Prepared, Runtime, Stage, Technique, Tensors, Training
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
    if machine.cpp_compiler is None:
        return (
            "torch.compile needs a C++ compiler, and there was none here at the start; install g++ "
            "(Debian: apt install g++) and start again."
        )
    return None


def settings(device: str) -> dict[str, bool]:
    """Inductor's, for a package. On CUDA its weights come from PyTorch's allocator, or no peak of memory has them."""
    frozen = {"freezing": True}
    return frozen | {"aot_inductor.weight_use_caching_allocator": True} if device == "cuda" else frozen


def single_threaded(device: str) -> bool:
    """One thread calls it here, and without what keeps several apart a CUDA graph can capture the call."""
    return device == "cuda"


def package(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Compile for the sample's shape and the threads that PyTorch has now, with the weights frozen into the code."""
    package_module(prepared.module, sample, folder)


def package_module(module: nn.Module, inputs: torch.Tensor, folder: Path) -> None:
    """Compile for these inputs' shape; raises `VariantFailed` where the exporter or the compiler does not take it."""
    import torch
    from torch._inductor import aoti_compile_and_package

    configs = settings(inputs.device.type)
    try:
        with quiet(), torch.no_grad():
            exported = torch.export.export(module, (inputs,))
    except Exception as error:  # whatever a user's forward raises under the tracer
        raise VariantFailed(
            f"torch.export cannot take this model whole ({first_line(error)}); use it uncompiled."
        ) from error
    try:
        with quiet(), torch.no_grad():
            aoti_compile_and_package(exported, package_path=str(folder / FILE), inductor_configs=configs)
    except Exception as error:  # of the code generator, or of the C++ compiler that it calls
        raise VariantFailed(f"Inductor could not compile this model ({first_line(error)}).") from error


def load(folder: Path, sample: torch.Tensor) -> nn.Module:
    """The machine code; nothing is compiled here."""
    from efficiency.techniques.compiled_package import CompiledPackage

    with quiet():
        return CompiledPackage(folder / FILE, single_threaded=single_threaded(sample.device.type))


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Call the package directly, as a user would: a module around it would cost on top."""
    return replace(prepared, model=prepared.module.run)  # type: ignore[arg-type]


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The code in the package: how many kernels Inductor wrote, and how many library calls are left beside them."""
    from efficiency.techniques.compiled_package import CompiledPackage

    if not isinstance(prepared.module, CompiledPackage):
        return Evidence("no", "The model is called eagerly: there is no compiled package.")
    written, library = prepared.module.written_kernels(), prepared.module.library_calls()
    # A model that breaks the graph is none that torch.export takes.
    figures = {"graph_breaks": 0.0, "written_kernels": float(written), "library_calls": float(library)}
    said = (
        f"The whole model runs as compiled code, without a graph break: {written} kernels written by Inductor "
        f"and {library} calls of matrix and convolution libraries"
    )
    if integer := prepared.module.integer_calls():
        figures["int8_calls"] = float(integer)
        said += f", {integer} of which compute in integers"
    if eight := prepared.module.fp8_calls():
        figures["fp8_calls"] = float(eight)
        said += f", {eight} of which compute in FP8"
    return Evidence("yes", f"{said}.", figures)


def apply_to_training(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Compiled at its first call. By one thread: a pool of compilers would stay beside what is timed."""
    import torch

    with quiet():
        model = torch.compile(prepared.module, dynamic=False, options={"compile_threads": 1})
    return replace(prepared, model=model)


def evidence_of_training(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """How much of the model the tracer takes: its graphs, and the breaks between them, where Python runs as ever."""
    import torch

    if prepared.model is prepared.module:
        return Evidence("no", "The model is called eagerly: nothing is compiled.")
    inputs = sample if prepared.convert is None else prepared.convert(sample)
    with quiet():
        seen = torch._dynamo.explain(prepared.module)(inputs)
    figures = {
        "graphs": float(seen.graph_count),
        "graph_breaks": float(seen.graph_break_count),
        "compiled_operations": float(seen.op_count),
    }
    if not seen.op_count:
        return Evidence("no", "The tracer could take no operation of this model: it runs eagerly.", figures)
    if seen.graph_break_count:
        return Evidence(
            "partly",
            f"{seen.op_count} operations are compiled in {seen.graph_count} graphs; what lies between them, such as "
            "an nn.LSTM, runs eagerly.",
            figures,
        )
    return Evidence("yes", f"The whole model is one compiled graph of {seen.op_count} operations.", figures)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    chosen = ", ".join(f'"{name}": {value}' for name, value in settings(condition.device).items())
    loaded = "package, run_single_threaded=True" if single_threaded(condition.device) else "package"
    return Recipe(
        model=f"""\
package = str(FOLDER / "model.pt2")
settings = {{{chosen}}}
with torch.no_grad():
    exported = torch.export.export(model, (sample,))
    aoti_compile_and_package(exported, package_path=package, inductor_configs=settings)
# Where the package lies already, this line alone serves the model.
model = aoti_load_package({loaded})
""",
        imports=("import torch", "from torch._inductor import aoti_compile_and_package, aoti_load_package"),
    )


def recipe_of_training(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(model="model = torch.compile(model, dynamic=False)\n", imports=("import torch",))


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
            # Eager INT8 cannot be exported; freezing folds weights that are only stored in 8 or 4 bits back to FP32.
            *("dynamic-int8", "static-int8", "mixed-int8", "qat-int8"),
            *("int8-weight-only", "int4-weight-only"),
            # Inductor chooses layouts by itself, and a package holds the operations it was compiled from.
            *("channels-last", "amp-bf16", "amp-fp16", "fast-path", "grad-enabled"),
        }
    ),
    evaluation_cost=2.0,
    training=Training(
        apply_to_training,
        evidence_of_training,
        recipe_of_training,
        compiles_s=45.0,
        cost=1.3,
        summary="Compiled by Inductor where it runs, forward and backward, for this batch size: fused kernels.",
    ),
)
