"""What is asked: a study, its variants and conditions; expanding, checking, estimating it.

Nothing here measures, and nothing here imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from efficiency import techniques, workloads
from efficiency.condition import Condition
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.machine import Machine
from efficiency.techniques import compose
from efficiency.workloads import cards

Preset = Literal["quick", "article", "full"]

BASELINE = "baseline"
CONTROL = "control"


@dataclass(frozen=True)
class Variant:
    """A set of techniques that stand together; the empty set is the baseline.

    The control is the baseline a second time, as if it were a variant: what it shows is noise.
    """

    techniques: tuple[str, ...] = ()
    control: bool = False

    @classmethod
    def of(cls, keys: Iterable[str]) -> Variant:
        """The variant of these technique keys, in the order they are applied."""
        return cls(tuple(technique.key for technique in techniques.in_order(tuple(keys))))

    @property
    def key(self) -> str:
        """`baseline`, `control`, or the technique keys joined by `+`."""
        if self.control:
            return CONTROL
        return "+".join(self.techniques) or BASELINE

    @property
    def label(self) -> str:
        """For people: `Static INT8 + Inference mode`."""
        if not self.techniques:
            return self.key.capitalize()
        return " + ".join(techniques.get(key).label for key in self.techniques)


@dataclass(frozen=True)
class Effort:
    """How much data and time a study gives each variant."""

    test_rows: int | None
    """Rows of the test set that accuracy is measured on; None for all."""
    calibration_rows: int
    training_rows: int
    """Rows that quantization-aware training fine-tunes on."""
    replicates: int
    seconds_per_replicate: float
    """Timed seconds in each fresh process, shared by all variants of a heat."""


@dataclass(frozen=True)
class Study:
    """One question: these variants of these workloads, under these conditions."""

    workloads: tuple[str, ...]
    variants: tuple[Variant, ...]
    conditions: tuple[Condition, ...]
    effort: Effort
    preset: Preset = "quick"
    dataset: str | None = None
    budget_s: float | None = None
    seed: int = 0
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, from which `from_dict` makes the same study."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Study:
        """The study of `as_dict`; raises `BadRequest` where the document is not one."""
        try:
            known = dict(document)
            known["workloads"] = tuple(known["workloads"])
            known["variants"] = tuple(Variant(tuple(v["techniques"]), bool(v["control"])) for v in known["variants"])
            known["conditions"] = tuple(Condition(**c) for c in known["conditions"])
            known["effort"] = Effort(**known["effort"])
            return cls(**known)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadRequest(f"This is not a study's description ({error}).") from error


QUICK_WORKLOADS = ("vision-small-cnn", "lstm-classifier", "transformer-encoder")
PRESETS: dict[Preset, tuple[tuple[str, ...], Effort]] = {
    "quick": (QUICK_WORKLOADS, Effort(2_000, 256, 512, 4, 2.5)),
    "article": (tuple(workloads.WORKLOADS), Effort(None, 512, 2_048, 5, 6.0)),
    "full": (tuple(workloads.WORKLOADS), Effort(None, 512, 4_096, 8, 10.0)),
}
COMBINATIONS: dict[Preset, tuple[tuple[str, ...], ...]] = {
    "quick": (("static-int8", "inference-mode"), ("channels-last", "inference-mode")),
    "article": (
        ("dynamic-int8", "inference-mode"),
        ("static-int8", "inference-mode"),
        ("channels-last", "inference-mode"),
        ("amp-bf16", "channels-last"),
    ),
    "full": (
        ("dynamic-int8", "inference-mode"),
        ("static-int8", "inference-mode"),
        ("qat-int8", "inference-mode"),
        ("static-int8", "channels-last"),
        ("channels-last", "inference-mode"),
        ("fast-path", "inference-mode"),
        ("amp-bf16", "inference-mode"),
        ("amp-bf16", "channels-last"),
        ("amp-bf16", "channels-last", "inference-mode"),
    ),
}


def plan_preset(preset: Preset, machine: Machine, device: str = "cpu") -> Study:
    """The study a preset stands for on this machine; change it with `dataclasses.replace`."""
    keys, effort = PRESETS[preset]
    variants = [Variant.of([key]) for key in techniques.TECHNIQUES]
    variants += [Variant.of(keys) for keys in COMBINATIONS[preset]]
    one = Condition(device="cuda" if device == "cuda" else "cpu")
    conditions = [one]
    if preset == "full":
        conditions += [replace(one, batch_size=8)]
        if machine.threads > 1:
            conditions += [replace(c, threads=machine.threads) for c in tuple(conditions)]
    return Study(
        workloads=keys,
        variants=tuple(variants),
        conditions=tuple(conditions),
        effort=effort,
        preset=preset,
        name=f"{preset} on {machine.cpu_model}",
    )


@dataclass(frozen=True)
class Entry:
    """One row to be: a variant of a workload under a condition, or why it cannot be."""

    workload: str
    variant: Variant
    condition: Condition
    why_not: str | None = None


Heat = tuple[str, Condition]
"""Workload and condition: the variants that share them are timed together."""


def heats(entries: Sequence[Entry]) -> dict[Heat, list[Entry]]:
    """The rows that can be measured, by what they share; the baseline and the control come first in each."""
    found: dict[Heat, list[Entry]] = {}
    for entry in entries:
        if entry.why_not is None:
            found.setdefault((entry.workload, entry.condition), []).append(entry)
    return found


def expand(study: Study, machine: Machine) -> list[Entry]:
    """Every row of the study, the baseline and the control first in each workload and condition."""
    entries = []
    for name in study.workloads:
        workload = workloads.describe(name)
        for condition in study.conditions:
            entries += [
                Entry(name, Variant(), condition),
                Entry(name, Variant(control=True), condition),
            ]
            for variant in study.variants:
                reason = compose.why_not(variant.techniques, workload, condition, machine)
                entries.append(Entry(name, variant, condition, reason))
    return entries


def problems(study: Study, machine: Machine) -> list[str]:
    """Everything that keeps the study from being run, a sentence each; empty where it can run."""
    found: list[str] = []
    if not study.workloads:
        found.append("--workload: choose at least one workload.")
    if not study.variants:
        found.append("--technique: choose at least one technique or combination.")
    for name in study.workloads:
        found += _workload_problems(study, name)
    for variant in study.variants:
        try:
            if reason := compose.clash(variant.techniques):
                found.append(f"--combine {variant.key}: {reason}")
        except EfficiencyError as error:
            found.append(f"--technique: {error}")
    for condition in study.conditions:
        found += _condition_problems(condition, study, machine)
    if study.effort.replicates < 2 or study.effort.seconds_per_replicate <= 0:
        found.append("A speed-up needs at least 2 replicates of more than 0 seconds each.")
    if study.budget_s is not None and not math.isfinite(study.budget_s):
        found.append(f"--budget: choose a number of seconds, not {study.budget_s}.")
    if not 0 <= study.seed < 2**32:
        found.append(f"--seed: choose 0 to {2**32 - 1}, not {study.seed}.")
    if not found and all(entry.why_not for entry in expand(study, machine) if entry.variant.techniques):
        reasons = {entry.why_not for entry in expand(study, machine) if entry.why_not}
        found.append("None of the techniques applies: " + " ".join(sorted(map(str, reasons))))
    if not found and study.budget_s is not None:
        from efficiency.estimate import least_seconds

        least = least_seconds(study, machine)
        if study.budget_s < least:
            found.append(
                f"--budget: {study.budget_s:g} s is too small for this plan, which needs at least "
                f"{least:.0f} s; raise it or choose fewer workloads or techniques."
            )
    return list(dict.fromkeys(found))


def _workload_problems(study: Study, name: str) -> list[str]:
    try:
        workload = workloads.describe(name)
        dataset = workload.dataset(study.dataset)
    except EfficiencyError as error:
        return [str(error)]
    reason = dataset.why_not()
    if reason and dataset.fetch is None:
        return [f"--dataset: {reason}"]
    if reason := cards.broken(workload, dataset):
        return [f"--workload: {reason}"]
    for condition in study.conditions:
        if condition.length is None and not condition.padding_pct:
            continue
        if workload.length is None:
            option = "--padding" if condition.length is None else "--length"
            return [f"{option}: {name} has no tokens; leave it out, or choose text workloads only."]
        if condition.length is not None and not 8 <= condition.length <= workload.length:
            return [f"--length: {name} takes 8 to {workload.length} tokens, not {condition.length}."]
    return []


def _condition_problems(condition: Condition, study: Study, machine: Machine) -> list[str]:
    found = []
    if not 1 <= condition.batch_size <= 1024:
        found.append(f"--batch-size: choose 1 to 1024, not {condition.batch_size}.")
    if not 1 <= condition.threads <= machine.logical_cores:
        found.append(
            f"--threads: this machine has {machine.logical_cores} cores; choose 1 to "
            f"{machine.logical_cores}, not {condition.threads}."
        )
    if condition.device == "cuda" and not machine.gpus:
        found.append("--device: no CUDA GPU was found on this machine; use --device cpu.")
    if not 0 <= condition.padding_pct <= 95:
        found.append(f"--padding: choose 0 to 95 percent, not {condition.padding_pct}.")
    if condition.phase != "inference":
        found.append("--phase: only inference is measured in this version.")
    return found


@dataclass(frozen=True)
class Checked:
    """A study that has no problems, with its rows."""

    study: Study
    entries: list[Entry] = field(default_factory=list)


def check(study: Study, machine: Machine) -> Checked:
    """The study with its rows; raises `BadRequest` that lists every problem."""
    if found := problems(study, machine):
        raise BadRequest(" ".join(found))
    return Checked(study, expand(study, machine))
