"""What a technique is: a frozen declaration and a few functions, torch imported inside them.

why_not    whether it can stand here at all, judged without torch
learn      what has to be learned from data once (calibration, fine-tuning); optional
apply      put it in place, given what was learned; cheap and repeatable
evidence   proof, from the prepared model itself, that it took effect
recipe     the lines that do the same in a script without this project
runtime    of those that hand the model to another executor: how its artefact is made and loaded
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from efficiency.ceiling import Arithmetic
from efficiency.techniques.recipe import Recipe
from efficiency.tolerance import TOLERANCE_PP

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition, Phase
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

Tensors = dict[str, "torch.Tensor"]
Manager = Callable[[], AbstractContextManager[object]]
Ranges = dict[str, dict[str, float]]
"""By the layer that gives the activation: `clipped_share`, the squared error of cutting values off at the calibrated
range as a share of their variance; `range_ratio`, what the values span as a multiple of that range; and `reach`, how
wide it would have to be to hold them all, as a multiple of what it is."""
TookEffect = Literal["yes", "no", "partly"]


class Stage(StrEnum):
    """Techniques are applied stage by stage, in this order."""

    WEIGHTS = "weights"
    LAYOUT = "layout"
    RUNTIME = "runtime"
    CALL = "call"


@dataclass(frozen=True)
class Layer:
    """What a layer costs where it is quantized."""

    name: str
    kind: str
    """Its class and shape."""
    gain: float
    """Share of the squared error of the scores that goes when this layer alone stays in FP32."""
    in_fp32: bool
    """It stays in FP32."""


@dataclass(frozen=True)
class Evidence:
    """Whether a technique took effect, why that is said, and the figures behind it."""

    took_effect: TookEffect
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    """In the order they are called, of a technique that looks at each."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, for a row's details; layers only where there are some."""
        shown = {"took_effect": self.took_effect, "reason": self.reason, "figures": dict(self.figures)}
        return shown | ({"layers": [asdict(layer) for layer in self.layers]} if self.layers else {})


@dataclass(frozen=True)
class Data:
    """What `learn` may see: encoded training and calibration rows, never a test row.

    `calibration` is [N, ...] and `training` a pair of inputs [N, ...] and labels [N]; both are made
    when called. `tolerance_pp` is the accuracy that may be lost, in percentage points.
    """

    calibration: Callable[[], torch.Tensor]
    training: Callable[[], tuple[torch.Tensor, torch.Tensor]]
    seed: int = 0
    tolerance_pp: float = TOLERANCE_PP


@dataclass(frozen=True)
class Prepared:
    """A variant ready to be called: the model and what stands around the call in a user's code.

    `session` managers hold while the variant is in use (switches a user sets once); `call` managers
    are entered, and `convert` applied to the input, at every call, and are timed with it. A technique
    adds its conversion with `converting`, so that none replaces another's.
    """

    model: Callable[[torch.Tensor], torch.Tensor]
    module: nn.Module
    grad_mode: Manager
    session: tuple[Manager, ...] = ()
    call: tuple[Manager, ...] = ()
    convert: Callable[[torch.Tensor], torch.Tensor] | None = None

    def converting(self, convert: Callable[[torch.Tensor], torch.Tensor]) -> Prepared:
        """With this conversion of the input as well, after the one that is there."""
        earlier = self.convert
        if earlier is None:
            return replace(self, convert=convert)
        return replace(self, convert=lambda inputs: convert(earlier(inputs)))

    def caller(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The call exactly as a user would write it, without a wrapper that only we would pay for."""
        model, grad_mode, convert = self.model, self.grad_mode, self.convert
        if len(self.call) > 1:
            raise ValueError("Two techniques stand around the call; write their nesting out here.")
        around = self.call[0] if self.call else None

        # Four plain functions rather than one with an ExitStack, whose cost would be timed too.
        def plain(inputs: torch.Tensor) -> torch.Tensor:
            with grad_mode():
                return model(inputs)

        def converted(inputs: torch.Tensor) -> torch.Tensor:
            with grad_mode():
                return model(convert(inputs))  # type: ignore[misc]

        def managed(inputs: torch.Tensor) -> torch.Tensor:
            with grad_mode(), around():  # type: ignore[misc]
                return model(inputs)

        def managed_converted(inputs: torch.Tensor) -> torch.Tensor:
            with grad_mode(), around():  # type: ignore[misc]
                return model(convert(inputs))  # type: ignore[misc]

        if around is None:
            return plain if convert is None else converted
        return managed if convert is None else managed_converted


@dataclass(frozen=True)
class Runtime:
    """An executor that takes a whole model: packaged once, in the probe, and loaded wherever the variant is used.

    `package(prepared, sample, learned, folder)` writes the artefact into an empty folder, from what weights and layout
    made of the model; it raises `VariantFailed` with a sentence where it cannot. `load(folder, sample)` gives a module
    that takes what the packaged model took. The two need not happen in one process.
    """

    package: Callable[[Prepared, torch.Tensor, Tensors, Path], None]
    load: Callable[[Path, torch.Tensor], nn.Module]
    specialised: bool = False
    """The artefact holds for the batch size of the sample and the threads at packaging alone: every condition has one
    of its own, and test rows are answered in calls of that size."""
    packaging_s: float = 1.0
    """Rough seconds to package a model, for the estimate of a plan."""
    own_threads: bool = False
    """It computes with threads of its own, not with PyTorch's."""


@dataclass(frozen=True)
class Training:
    """How a technique serves training; what is said of `Technique` holds for the model that is trained."""

    apply: Callable[[Prepared, torch.Tensor, Tensors], Prepared]
    evidence: Callable[[Prepared, torch.Tensor, nn.Module], Evidence]
    """Judged by the trained model as it is called in a step."""
    recipe: Callable[[Workload, Condition], Recipe]
    """Its `model`, `convert` and `around` count; there is no `sample`, and the call is the script's own."""
    conflicts: frozenset[str] = frozenset()
    scales_loss: bool = False
    """Gradients of small losses would be 0 in this precision: a `GradScaler` multiplies the loss."""
    compiles_s: float = 0.0
    """Rough seconds that the first step compiles for; it is compiled ahead of the steps that count. 0 where it does
    not compile."""
    cost: float = 1.0
    """Time of a step, as a multiple of FP32's: for the estimate of a plan."""
    summary: str = ""
    """Where it does another thing than for inference."""


@dataclass(frozen=True)
class Technique:
    """One way to make a model cheaper. Its card is the Markdown file beside its module."""

    key: str
    label: str
    summary: str
    stage: Stage
    why_not: Callable[[Workload, Condition, Machine], str | None]
    apply: Callable[[Prepared, torch.Tensor, Tensors], Prepared]
    """(what is prepared so far, a sample input, what `learn` returned) to a new Prepared. Where there is a `runtime`,
    what is prepared so far holds the loaded module already."""
    evidence: Callable[[Prepared, torch.Tensor, nn.Module], Evidence]
    """(the prepared variant, a sample input, the FP32 reference) to what is seen."""
    recipe: Callable[[Workload, Condition], Recipe]
    """What it adds to the script that does the same without this project."""
    learn: Callable[[nn.Module, torch.Tensor, Data], Tensors] | None = None
    """(the FP32 reference, a sample input, data) to tensors that `apply` rebuilds from."""
    learns_from: Literal["nothing", "calibration", "training", "both"] = "nothing"
    """`both`: from calibration rows and labelled training rows."""
    turns_on_rows: bool = False
    """Whether what it makes of the model turns on how many rows a call has, which a runtime then writes down."""
    heeds_tolerance: bool = False
    """Whether what it learns turns on the accuracy that may be lost."""
    ranges: Callable[[nn.Module, torch.Tensor, Tensors, Iterable[torch.Tensor]], Ranges] | None = None
    """(the FP32 reference, a sample input, what `learn` returned, batches) to what these do to the activation ranges
    that were learned; of techniques that fix them."""
    runtime: Runtime | None = None
    fp32_of: str | None = None
    """Of a runtime that quantizes by itself: the key of the same runtime in FP32, to tell INT8's gain from its own."""
    hides_operations: bool = False
    """Whether a call of the variant no longer shows PyTorch's dispatcher what the model computes: evidence of weights
    and layout is taken from the variant without it."""
    conflicts: frozenset[str] = frozenset()
    """Those that it cannot stand with; `clashes.py` has the reasons."""
    api_status: Literal["stable", "deprecated"] = "stable"
    successor: str | None = None
    arithmetic: Arithmetic = "fp32"
    """What the model's matrix products run in, for the share of the hardware's peak that a row reaches."""
    evaluation_cost: float = 1.0
    """Time to evaluate a row, as a multiple of FP32's: for the estimate of a plan."""
    training: Training | None = None
    """How it serves training, too; None where it is for inference alone, of which `why_not` then tells the reason."""

    def summary_in(self, phase: Phase) -> str:
        """What it does there, in a sentence."""
        return (self.training.summary if phase == "training" and self.training else "") or self.summary

    @property
    def card(self) -> Path:
        """Markdown shown in the app: what it does, when it helps and hurts, cost, status, source."""
        own = self.apply if self.runtime is None else self.runtime.package  # runtimes may be called alike
        return Path(inspect.getfile(own)).with_suffix(".md")
