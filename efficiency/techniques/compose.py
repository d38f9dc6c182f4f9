"""From a reference model and a set of techniques to a variant that can be called."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency import techniques
from efficiency.ceiling import Arithmetic
from efficiency.techniques.base import Data, Evidence, Prepared, Ranges, Runtime, Stage, Technique, Tensors
from efficiency.techniques.clashes import because
from efficiency.techniques.fast_path import switched
from efficiency.techniques.flat_weights import copied

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition, Phase
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

ALONE_IN_STAGE = (Stage.WEIGHTS, Stage.RUNTIME)
"""Stages of which a variant takes one technique at most: two would undo each other."""


BEFORE_RUNTIME = (Stage.WEIGHTS, Stage.LAYOUT)
"""Stages of what is in a runtime's package."""


def clash(keys: tuple[str, ...], phase: Phase = "inference") -> str | None:
    """Why these techniques cannot stand together, or None. Unknown keys raise `UnknownName`.

    Two cannot that are in a stage which takes one alone, or of which either declares the other in `conflicts`.
    """
    chosen = techniques.in_order(keys)
    for number, first in enumerate(chosen):
        for second in chosen[number + 1 :]:
            if first.key == second.key:
                return f"{first.key} is named twice."
            if first.stage == second.stage and first.stage in ALONE_IN_STAGE:
                return f"{first.key} and {second.key} both change the {first.stage.value}; choose one."
            if second.key in _conflicts(first, phase) or first.key in _conflicts(second, phase):
                return f"{first.key} and {second.key} cannot be combined{because(first.key, second.key)}; choose one."
    return None


def _conflicts(technique: Technique, phase: Phase) -> frozenset[str]:
    """Those it declares for this phase; of an inference-only technique all, since it has no others."""
    served = technique.training if phase == "training" else None
    return technique.conflicts if served is None else served.conflicts


def conflicts(key: str, phase: Phase = "inference") -> list[str]:
    """The techniques that cannot stand with this one, in the order they are shown. Unknown keys raise `UnknownName`."""
    return [other for other in techniques.TECHNIQUES if other != key and clash((key, other), phase)]


def why_not(keys: tuple[str, ...], workload: Workload, condition: Condition, machine: Machine) -> str | None:
    """The first reason that keeps these techniques from this workload, or None."""
    for technique in techniques.in_order(keys):
        if reason := technique.why_not(workload, condition, machine):
            return reason
    return None


def arithmetic(keys: tuple[str, ...]) -> Arithmetic:
    """What the variant's matrix products run in; at most one technique of it changes that."""
    kinds = (technique.arithmetic for technique in techniques.in_order(keys))
    return next((kind for kind in kinds if kind != "fp32"), "fp32")


def learn(keys: tuple[str, ...], model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """What the variant has to learn from data, fit for safetensors; empty where it learns nothing."""
    import torch

    for technique in techniques.in_order(keys):
        if technique.learn is not None:
            learned = technique.learn(model, sample, data)
            # Safetensors takes neither shared memory, as observers have, nor a channels-last model's strides.
            return {
                name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in learned.items()
            }
    return {}


def learner_of(keys: tuple[str, ...]) -> str | None:
    """The technique whose `learn` the variant takes: variants that share it learn the same."""
    return next((t.key for t in techniques.in_order(keys) if t.learn is not None), None)


def calibrates(keys: tuple[str, ...]) -> bool:
    """Whether the variant can be calibrated anew, from unlabelled rows."""
    return any(technique.learns_from == "calibration" for technique in techniques.in_order(keys))


def ranges(
    keys: tuple[str, ...], model: nn.Module, sample: torch.Tensor, learned: Tensors, batches: Iterable[torch.Tensor]
) -> Ranges:
    """What these batches do to the activation ranges that the variant has fixed; empty where it fixes none."""
    watching = (t.ranges for t in techniques.in_order(keys) if t.ranges is not None)
    return next((watch(model, sample, learned, batches) for watch in watching), {})


def runtime_of(keys: tuple[str, ...]) -> Runtime | None:
    """The executor that the variant hands its model to; None for PyTorch's own eager one."""
    return next((t.runtime for t in techniques.in_order(keys) if t.runtime is not None), None)


def same_runtime_in_fp32(keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """The variant with the same runtime, layout and call whose weights are FP32: what it gains is the runtime's own.

    None where there is no runtime, or where these techniques leave the weights as they are.
    """
    if runtime_of(keys) is None:
        return None
    chosen = techniques.in_order(keys)
    alone = tuple(t.fp32_of or t.key for t in chosen if t.stage is not Stage.WEIGHTS)
    return None if alone == tuple(t.key for t in chosen) else alone


def probed_under(keys: tuple[str, ...], condition: Condition) -> Condition:
    """What of a condition the variant's preparation and answers depend on: where that is equal, a probe is shared.

    How a model is trained depends on all of it.
    """
    if condition.phase == "training":
        return condition
    runtime = runtime_of(keys)
    if runtime is None:
        return condition.of_answers()
    own = runtime.specialised or any(technique.turns_on_rows for technique in techniques.in_order(keys))
    return condition if own else condition.of_answers()


def package(keys: tuple[str, ...], model: nn.Module, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    """Make the artefact of the variant's runtime, from which `prepare` loads it; nothing where it has none.

    Raises `VariantFailed` where the runtime does not take the model.
    """
    runtime = runtime_of(keys)
    if runtime is None:
        return
    folder.mkdir(parents=True)
    eager = _converting(prepare(_before_runtime(keys), model, sample, learned))
    with ExitStack() as session:
        for manager in eager.session:
            session.enter_context(manager())
        runtime.package(eager, sample, learned, folder)


def _converting(prepared: Prepared) -> Prepared:
    """With what is done to the input inside the model, so that a package takes it as it comes."""
    if prepared.convert is None:
        return prepared
    from efficiency.techniques.converting import Converting

    module = Converting(prepared.module, prepared.convert).eval()
    return replace(prepared, model=module, module=module, convert=None)


def _before_runtime(keys: tuple[str, ...]) -> tuple[str, ...]:
    """What is done to the model before a runtime takes it."""
    return tuple(t.key for t in techniques.in_order(keys) if t.stage in BEFORE_RUNTIME)


def prepare(
    keys: tuple[str, ...],
    model: nn.Module | None,
    sample: torch.Tensor,
    learned: Tensors,
    folder: Path | None = None,
) -> Prepared:
    """The variant, built on a copy: the caller's model is left alone, and not needed where an artefact holds all.

    With no technique this is the baseline: FP32, eager, `no_grad`, and the encoder's fast path off,
    since that is a technique too. `folder` is where `package` left the artefact of the variant's runtime.
    """
    import torch

    runtime = runtime_of(keys)
    if runtime is None:
        if model is None:
            raise ValueError("A variant without a runtime is prepared from its model.")
        chosen, module = techniques.in_order(keys), copied(model).eval()
    else:
        if folder is None:
            raise ValueError("A variant with a runtime is prepared from the folder that it was packaged into.")
        # The model is in the artefact; what stands around the call is still to be set up.
        chosen = [t for t in techniques.in_order(keys) if t.stage not in BEFORE_RUNTIME]
        module = runtime.load(folder, sample)
    prepared = Prepared(model=module, module=module, grad_mode=torch.no_grad, session=(lambda: switched(False),))
    for technique in chosen:
        prepared = technique.apply(prepared, sample, learned)
    return prepared


def evidence(
    keys: tuple[str, ...], prepared: Prepared, sample: torch.Tensor, reference: nn.Module, learned: Tensors
) -> dict[str, Evidence]:
    """What each technique can show for itself: of weights and layout, before a runtime or a graph took the model."""
    chosen = techniques.in_order(keys)
    before = _before_runtime(keys)
    if runtime_of(keys) is None and not (before and any(t.hides_operations for t in chosen)):
        return {t.key: t.evidence(prepared, sample, reference) for t in chosen}
    eager = prepare(before, reference, sample, learned)
    return {t.key: t.evidence(eager if t.key in before else prepared, sample, reference) for t in chosen}
