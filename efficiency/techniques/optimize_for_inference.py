"""Optimize for inference: the model traced to TorchScript, frozen, and its graph optimized."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed, first_line
from efficiency.techniques.base import Evidence, Prepared, Runtime, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe
from efficiency.techniques.traced import refuse_one_batch_size

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

FILE = "frozen.pt"
_CONVERSIONS = ("aten::to_mkldnn", "aten::to_dense", "aten::quantize_per_tensor", "aten::dequantize")
"""Operations that compute nothing: into oneDNN's layout or INT8, and back."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if condition.phase == "training":
        return "A frozen TorchScript graph holds its weights as constants, so it cannot be trained."
    return None


@contextmanager
def _known_warnings() -> Iterator[None]:
    """TorchScript warns of its deprecation, which the card says, and of Python values that a trace holds for good."""
    from torch.jit._trace import TracerWarning

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=TracerWarning)
        yield


def package(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Trace with the timed input, freeze, and keep the archive; another batch size must give the same answers."""
    import torch

    try:
        with _known_warnings(), torch.no_grad():
            traced = torch.jit.trace(prepared.module, sample, check_trace=False)
            frozen = torch.jit.freeze(traced)
            torch.jit.save(frozen, folder / FILE)
    except Exception as error:  # whatever a user's forward raises under the tracer
        raise VariantFailed(
            f"TorchScript cannot trace this model ({first_line(error)}); use it without optimize-for-inference."
        ) from error
    refuse_one_batch_size(frozen, prepared.module, sample)


def load(folder: Path, sample: torch.Tensor) -> nn.Module:
    """The frozen graph, optimized: that part cannot be stored. The first calls compile for the shapes they see."""
    import torch

    with _known_warnings():
        frozen = torch.jit.load(folder / FILE, map_location=sample.device)
        optimized: nn.Module = torch.jit.optimize_for_inference(frozen)
    return optimized


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Nothing is left to do: what was loaded is called as the model was."""
    return prepared


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """What is called is a graph that holds its weights; its operations, and those that oneDNN runs, are counted."""
    import torch

    if not isinstance(prepared.model, torch.jit.ScriptModule):
        return Evidence("no", "The model is called from Python: there is no TorchScript graph.")
    operations = list(_operations(prepared.model.graph))
    if "prim::GetAttr" in operations:
        return Evidence("partly", "The graph still looks its weights up at every call: freezing left some.")
    computing = [name for name in operations if not name.startswith("prim::Constant")]
    figures = {
        "graph_operations": float(len(computing)),
        "onednn_operations": float(sum("mkldnn" in name.lower() for name in computing)),
        "conversions": float(sum(name in _CONVERSIONS for name in computing)),
    }
    said = f"The model runs as a frozen graph of {len(computing)} operations, without Python"
    onednn = int(figures["onednn_operations"])
    return Evidence("yes", said + (f"; {onednn} of them are oneDNN's own." if onednn else "."), figures)


def _operations(graph: torch.Graph | torch.Block) -> Iterator[str]:
    """The kinds of all nodes, those of nested blocks too."""
    for node in graph.nodes():
        yield node.kind()
        for block in node.blocks():
            yield from _operations(block)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    return Recipe(
        model="""\
with torch.no_grad():
    frozen = torch.jit.freeze(torch.jit.trace(model, sample, check_trace=False))
model = torch.jit.optimize_for_inference(frozen)
""",
        imports=("import torch",),
    )


OPTIMIZE_FOR_INFERENCE = Technique(
    key="optimize-for-inference",
    label="Optimize for inference",
    summary="Traced to TorchScript, frozen, its graph optimized: no Python at the call.",
    stage=Stage.RUNTIME,
    why_not=why_not,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    runtime=Runtime(package, load),
    conflicts=frozenset(
        {
            # A trace holds the operations that it saw: what stands around the call no longer changes them.
            *("amp-bf16", "amp-fp16", "fast-path", "grad-enabled"),
            # Freezing folds weights in 8 or 4 bits back to FP32, and the tracer breaks on torchao's dynamic products.
            *("int8-weight-only", "int4-weight-only", "int8-dynamic"),
        }
    ),
    api_status="deprecated",
    successor="torch.export, and torch.compile with freezing",
    evaluation_cost=0.8,
)
