"""CUDA graphs: what a call launches on the GPU, captured once and launched as one from then on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line
from efficiency.measure import launches
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "The graph that is captured here is the forward pass alone; to train use torch-compile."
    if condition.device != "cuda":
        return "A CUDA graph saves launches of a GPU's kernels, of which a CPU has none; use torch-compile."
    return None


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Capture the timed input's shape; what is done to the input before stays before."""
    from efficiency.techniques.graphed import Graphed

    graphed = Graphed(prepared.model)
    inputs = sample if prepared.convert is None else prepared.convert(sample)
    try:
        with ExitStack() as session:
            for manager in prepared.session:
                session.enter_context(manager())
            graphed.capture(inputs)
    except Exception as error:  # of CUDA, or of a forward that waits for the GPU, which a capture forbids
        raise VariantFailed(
            f"CUDA could not capture this model's call ({first_line(error)}); a forward that reads values back, as "
            "`.item()` does, cannot be captured. Use it without cuda-graphs."
        ) from error
    return replace(prepared, model=graphed)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """The launches of a call, and of the same call that is not replayed, as the profiler sees them."""
    from efficiency.techniques.graphed import Graphed

    if not isinstance(prepared.model, Graphed):
        return Evidence("no", "The model is called as it is: nothing was captured.")
    eager = replace(prepared, model=prepared.model.model)
    return judged(launches.of(prepared.caller(), sample), launches.of(eager.caller(), sample))


def judged(now: launches.Launches | None, before: launches.Launches | None) -> Evidence:
    """What the launches of a replayed call say beside those of the same call without."""
    if now is None or before is None:
        return Evidence("partly", "A graph was captured, but how a call launches it could not be seen.")
    figures = {
        "graph_launches": float(now.graphs),
        "kernel_launches": float(now.kernels),
        "kernel_launches_before": float(before.kernels),
    }
    if not now.graphs:
        return Evidence("no", f"A call launches no graph, but {now.kernels} kernels.", figures)
    beside = f"{now.kernels} kernels beside" if now.kernels else "nothing else"
    said = f"A call launches one graph and {beside}; without it, {before.kernels} kernels."
    return Evidence("yes" if now.kernels < before.kernels else "partly", said, figures)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(model="model = Graphed(model)\n", uses=("efficiency.techniques.graphed:Graphed",))


CUDA_GRAPHS = Technique(
    key="cuda-graphs",
    label="CUDA graphs",
    summary="The call captured once and replayed as one launch: for small models on a GPU; same numbers.",
    stage=Stage.CALL,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    hides_operations=True,
    conflicts=frozenset(
        {
            # A replay launches what was captured: what stands around the call no longer changes it.
            *("amp-bf16", "amp-fp16", "fast-path", "grad-enabled"),
            # TorchScript compiles in its first calls; other engines launch nothing that CUDA could capture here.
            *("optimize-for-inference", "onnxruntime", "onnxruntime-dynamic-int8", "onnxruntime-static-int8"),
            *("openvino", "openvino-int8"),
        }
    ),
)
