"""From what is chosen on the page Run to a study. No widgets here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from efficiency import study_name, techniques, workloads
from efficiency.condition import Condition, Device, Phase
from efficiency.effort import PRECISION_PCT
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.errors import BadRequest
from efficiency.machine import Machine
from efficiency.study import (
    COMBINATIONS,
    PRESET_TECHNIQUES,
    PRESETS,
    TRAINING_COMBINATIONS,
    TRAINING_TECHNIQUES,
    Preset,
    Study,
    Variant,
    expand,
    plan_preset,
)
from efficiency.techniques import compose
from efficiency.tolerance import TOLERANCE_PP

LONGEST_BATCH = 6
"""Digits; what is too large for this machine the form says."""


@dataclass(frozen=True)
class Chosen:
    """The form's values, as the widgets give them."""

    preset: Preset
    workloads: tuple[str, ...]
    techniques: tuple[str, ...]
    combinations: tuple[str, ...]
    """Technique keys joined by `+`."""
    device: Device = "cpu"
    batch_sizes: tuple[str, ...] = ("1",)
    threads: tuple[int, ...] = (1,)
    datasets: tuple[str, ...] = ()
    budget_s: float | None = None
    tolerance_pp: float = TOLERANCE_PP
    equivalence_pct: float = EQUIVALENCE_PCT
    precision_pct: float = PRECISION_PCT
    p99: bool = False
    length: int | None = None
    padding_pct: int = 0
    own_file: str = ""
    name: str = ""
    phase: Phase = "inference"


def defaults(preset: Preset, machine: Machine, phase: Phase = "inference") -> Chosen:
    """What a preset stands for, as the form shows it."""
    study = plan_preset(preset, machine, phase=phase)
    return Chosen(
        preset=preset,
        workloads=study.workloads,
        techniques=(TRAINING_TECHNIQUES if phase == "training" else PRESET_TECHNIQUES)[preset],
        combinations=tuple("+".join(keys) for keys in _combinations(phase)[preset]),
        phase=phase,
        batch_sizes=tuple(str(size) for size in sorted({c.batch_size for c in study.conditions})),
        threads=tuple(sorted({c.threads for c in study.conditions})),
    )


def _combinations(phase: Phase) -> dict[Preset, tuple[tuple[str, ...], ...]]:
    return TRAINING_COMBINATIONS if phase == "training" else COMBINATIONS


def combinations(phase: Phase = "inference") -> list[str]:
    """Every combination that a preset names, and in inference each technique together with inference mode."""
    named = ["+".join(keys) for preset in PRESETS for keys in _combinations(phase)[preset]]
    if phase == "training":
        return list(dict.fromkeys(named))
    with_inference_mode = [
        f"{key}+inference-mode"
        for key in techniques.TECHNIQUES
        if key != "inference-mode" and compose.clash((key, "inference-mode")) is None
    ]
    return list(dict.fromkeys(named + with_inference_mode))


def study_of(chosen: Chosen, machine: Machine) -> Study:
    """The study that is asked for; raises `BadRequest` for text that is no number."""
    names = chosen.workloads + ((chosen.own_file,) if chosen.own_file else ())
    variants = [Variant.of([key]) for key in chosen.techniques]
    variants += [Variant.of(part.strip() for part in keys.split("+")) for keys in chosen.combinations]
    conditions = tuple(
        Condition(chosen.device, size, threads, chosen.length, chosen.padding_pct, chosen.phase)
        for threads, size in product(chosen.threads, _whole(chosen.batch_sizes))
    )
    if not conditions:
        raise BadRequest("Choose at least one batch size and one number of threads.")
    preset = plan_preset(chosen.preset, machine, chosen.device, chosen.phase)
    effort = preset.effort.within(chosen.precision_pct)
    study = replace(
        preset,
        workloads=names,
        variants=tuple(dict.fromkeys(variants)),
        conditions=tuple(dict.fromkeys(conditions)),
        datasets=chosen.datasets,
        budget_s=chosen.budget_s,
        tolerance_pp=chosen.tolerance_pp,
        equivalence_pct=chosen.equivalence_pct,
        effort=effort.for_p99() if chosen.p99 else effort,
    )
    return replace(study, name=chosen.name.strip() or study_name.usual(study, machine))


def as_number(text: str) -> tuple[int, str]:
    """By which what is typed as a batch size is sorted: numbers as such, words after them."""
    return (int(text), "") if _is_size(text) else (10**LONGEST_BATCH, text)


def _whole(texts: Sequence[str]) -> list[int]:
    for text in texts:
        if not _is_size(text):
            raise BadRequest(f"Batch size: give whole numbers such as 1 or 32, not '{text[:40]}'.")
    return [int(text) for text in texts]


def _is_size(text: str) -> bool:
    return text.strip().isdecimal() and len(text.strip()) <= LONGEST_BATCH


def command(study: Study, machine: Machine) -> str:
    """The command that asks for the same study; short where that is a preset as it is."""
    preset = plan_preset(study.preset, machine, study.conditions[0].device, study.phase)
    as_it_is = replace(study, name=preset.name, variants=preset.variants) == preset
    if as_it_is and _running(study, machine) == _running(preset, machine):
        device = study.conditions[0].device
        words = [_run(study), f"--device {device}" if device != "cpu" else ""]
        return " ".join(filter(None, [*words, *_name(study, machine)]))
    first = study.conditions[0]
    words = [_run(study)]
    words += [f"--workload {shlex.quote(name)}" for name in study.workloads]
    for variant in study.variants:
        words.append(f"--{'technique' if len(variant.techniques) == 1 else 'combine'} {variant.key}")
    words += [f"--dataset {key}" for key in study.datasets]
    # Several of both stand for every pair of them, as in the form.
    words += [f"--batch-size {size}" for size in dict.fromkeys(c.batch_size for c in study.conditions)]
    words += [f"--threads {count}" for count in dict.fromkeys(c.threads for c in study.conditions)]
    options = {
        "device": first.device if first.device != "cpu" else None,
        "length": first.length,
        "padding": first.padding_pct or None,
        "budget": None if study.budget_s is None else f"{study.budget_s:g}",
        "tolerance": None if study.tolerance_pp == preset.tolerance_pp else f"{study.tolerance_pp:g}",
        "equivalence": None if study.equivalence_pct == preset.equivalence_pct else f"{study.equivalence_pct:g}",
        "precision": None if study.effort.precision == preset.effort.precision else f"{100 * study.effort.precision:g}",
    }
    words += [f"--{name} {value}" for name, value in options.items() if value is not None]
    return " ".join([*words, *(["--p99"] if study.effort.calls else []), *_name(study, machine)])


def _name(study: Study, machine: Machine) -> list[str]:
    return [] if study.name == study_name.usual(study, machine) else [f"--name {shlex.quote(study.name)}"]


def _run(study: Study) -> str:
    """How the command begins."""
    phase = f"--phase {study.phase} " if study.phase != "inference" else ""
    return f"python -m efficiency run {phase}--preset {study.preset}"


def _running(study: Study, machine: Machine) -> set[tuple[str, str]]:
    """Workload and variant of every row that would be measured."""
    return {(e.workload, e.variant.key) for e in expand(study, machine) if e.why_not is None}


@dataclass(frozen=True)
class Availability:
    """Whether a technique can be used on what is chosen, and the sentence beside its toggle."""

    state: Literal["all", "some", "none"]
    note: str = ""


def availability(
    key: str, names: Sequence[str], device: Device, machine: Machine, phase: Phase = "inference"
) -> Availability:
    """Judged for every chosen workload; with none chosen, nothing stands in the way."""
    technique, condition = techniques.get(key), Condition(device=device, phase=phase)
    reasons: dict[str, str | None] = {}
    for name in names:
        workload = workloads.describe(name)
        reasons[workload.label] = technique.why_not(workload, condition, machine)
    refused = [reason for reason in reasons.values() if reason]
    if not refused:
        return Availability("all")
    if len(refused) == len(reasons):
        if len(set(refused)) == 1:
            return Availability("none", refused[0])
        return Availability("none", " ".join(f"{label}: {reason}" for label, reason in reasons.items()))
    return Availability("some", f"For {', '.join(label for label, reason in reasons.items() if not reason)}.")


def for_inference_alone(machine: Machine) -> list[tuple[str, str]]:
    """Label and reason of the techniques that do not serve training, whatever the workload."""
    workload, condition = next(iter(workloads.WORKLOADS.values())), Condition(phase="training")
    others = [technique for technique in techniques.TECHNIQUES.values() if technique.training is None]
    return [(technique.label, technique.why_not(workload, condition, machine) or "") for technique in others]


def datasets(names: Sequence[str]) -> dict[str, str]:
    """Label by key of the data sets that a chosen workload takes."""
    return {dataset.key: dataset.label for name in names for dataset in workloads.describe(name).datasets}
