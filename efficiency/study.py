"""What is asked: a study, its variants and conditions, and the rows that it stands for.

Nothing here measures, and nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from efficiency import techniques, workloads
from efficiency.condition import Condition, Device, Phase
from efficiency.effort import Effort
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.errors import BadRequest
from efficiency.machine import Machine
from efficiency.techniques import compose
from efficiency.tolerance import TOLERANCE_PP
from efficiency.workloads.base import Dataset, Workload

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
class Study:
    """One question: these variants of these workloads, under these conditions."""

    workloads: tuple[str, ...]
    variants: tuple[Variant, ...]
    conditions: tuple[Condition, ...]
    effort: Effort
    preset: Preset = "quick"
    datasets: tuple[str, ...] = ()
    """Keys; each workload takes the first that it has. Empty: each workload's own."""
    budget_s: float | None = None
    seed: int = 0
    name: str = ""
    tolerance_pp: float = TOLERANCE_PP
    """Percentage points that may be lost before accuracy counts as lost."""
    equivalence_pct: float = EQUIVALENCE_PCT
    """Percent within which two speeds are the same for all practical purposes."""
    anew: bool = False
    """Prepare everything again, also what an earlier study has kept."""
    confirms: str = ""
    """The id of the study whose winner this one times again (`confirm.plan`); empty for all others."""
    of_code: str = ""
    """The digest of a user's own code (`code_digest` of a row) that alone may be measured; empty where any may."""

    def dataset_of(self, workload: Workload) -> Dataset:
        """The data set that this workload is measured on; raises `UnknownName` where it has none of those asked for."""
        having = {dataset.key for dataset in workload.datasets}
        named = [key for key in self.datasets if key in having] or list(self.datasets)
        return workload.dataset(named[0] if named else None)

    @property
    def phase(self) -> Phase:
        """What is measured; `check` holds that all conditions have the same."""
        return self.conditions[0].phase if self.conditions else "inference"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, from which `from_dict` makes the same study."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Study:
        """The study of `as_dict`; raises `BadRequest` where the document is not one."""
        from pydantic import TypeAdapter, ValidationError  # here, since most commands read no study

        try:
            known = dict(document)
            known["workloads"] = tuple(known["workloads"])
            known["variants"] = tuple(Variant(tuple(v["techniques"]), bool(v["control"])) for v in known["variants"])
            known["conditions"] = tuple(Condition(**c) for c in known["conditions"])
            known["effort"] = Effort(**known["effort"])
            one = known.pop("dataset", None)  # as it was written before there could be several
            known["datasets"] = tuple(known.get("datasets") or ([one] if one else ()))
            return TypeAdapter(cls).validate_python(asdict(cls(**known)))
        except (KeyError, TypeError, AttributeError, ValidationError) as error:
            raise BadRequest(
                "What this study asks for is not understood here: it was written by another version of this program. "
                "Measure it anew."
            ) from error


QUICK_WORKLOADS = ("vision-small-cnn", "lstm-classifier", "transformer-encoder")
PRESETS: dict[Preset, tuple[tuple[str, ...], Effort]] = {
    "quick": (QUICK_WORKLOADS, Effort(2_000, 256, 512, 8, 0.5, 20, budget_s=165)),
    "article": (tuple(workloads.WORKLOADS), Effort(None, 512, 2_048, 8, 3.0, 24)),
    "full": (tuple(workloads.WORKLOADS), Effort(3_000, 512, 1_024, 6, 3.0, 32, budget_s=1_700)),
}
"""Full has four times the rows of article, so it takes 3,000 test rows for each, and six processes: half an hour
on two cores where all is prepared, an hour where nothing is. What that leaves of the half hour narrows intervals."""
PRESET_TECHNIQUES: dict[Preset, tuple[str, ...]] = {
    "quick": (
        "dynamic-int8",
        "static-int8",
        "qat-int8",
        "amp-bf16",
        "amp-fp16",
        "channels-last",
        "fast-path",
        "inference-mode",
    ),
    "article": (
        "dynamic-int8",
        "static-int8",
        "qat-int8",
        "bf16-weights",
        "int8-weight-only",
        "int4-weight-only",
        "amp-bf16",
        "amp-fp16",
        "channels-last",
        "optimize-for-inference",
        "fast-path",
        "inference-mode",
        "grad-enabled",
    ),
    "full": tuple(techniques.TECHNIQUES),
}
"""Each is a variant of its own: quick has room for those that differ most, article has what the article names."""
COMBINATIONS: dict[Preset, tuple[tuple[str, ...], ...]] = {
    "quick": (("static-int8", "inference-mode"), ("channels-last", "inference-mode")),
    "article": (
        ("dynamic-int8", "inference-mode"),
        ("static-int8", "inference-mode"),
        ("channels-last", "inference-mode"),
        ("amp-bf16", "channels-last"),
        ("dynamic-int8", "optimize-for-inference"),
        ("static-int8", "optimize-for-inference"),
    ),
    "full": (
        ("dynamic-int8", "inference-mode"),
        ("static-int8", "inference-mode"),
        ("qat-int8", "inference-mode"),
        ("static-int8", "channels-last"),
        ("channels-last", "inference-mode"),
        ("fast-path", "inference-mode"),
        ("amp-bf16", "channels-last"),
        ("amp-bf16", "channels-last", "inference-mode"),
        ("int8-dynamic", "torch-compile"),
        ("float8-dynamic", "torch-compile"),
        ("torch-compile", "cuda-graphs"),
        ("channels-last", "optimize-for-inference"),
        ("dynamic-int8", "optimize-for-inference"),
        ("static-int8", "optimize-for-inference"),
        ("qat-int8", "optimize-for-inference"),
    ),
}


TRAINING_EFFORTS: dict[Preset, Effort] = {
    "quick": Effort(1_000, 0, 2_048, 4, 1.0, 8, budget_s=210),
    "article": Effort(None, 0, 8_192, 5, 3.0, 8),
    "full": Effort(None, 0, 16_384, 6, 4.0, 12),
}
TRAINING_TECHNIQUES: dict[Preset, tuple[str, ...]] = {
    "quick": ("amp-bf16", "amp-fp16", "channels-last"),
    "article": ("amp-bf16", "amp-fp16", "channels-last", "torch-compile"),
    "full": ("amp-bf16", "amp-fp16", "channels-last", "torch-compile"),
}
"""Compiling forward and backward takes a minute a model, for which quick has no room."""
TRAINING_COMBINATIONS: dict[Preset, tuple[tuple[str, ...], ...]] = {
    "quick": (("amp-bf16", "channels-last"),),
    "article": (("amp-bf16", "channels-last"), ("amp-bf16", "torch-compile")),
    "full": (
        ("amp-bf16", "channels-last"),
        ("amp-fp16", "channels-last"),
        ("amp-bf16", "torch-compile"),
        ("amp-fp16", "torch-compile"),
        ("channels-last", "torch-compile"),
        ("amp-bf16", "channels-last", "torch-compile"),
    ),
}
TRAINING_BATCH_SIZES: dict[Preset, tuple[int, ...]] = {"quick": (16,), "article": (32,), "full": (16, 64)}
"""Quick takes small steps, so that it has time for enough of them to learn something."""


def plan_preset(preset: Preset, machine: Machine, device: str = "cpu", phase: Phase = "inference") -> Study:
    """The study a preset stands for on this machine; change it with `dataclasses.replace`.

    Training takes all threads that there are, as who trains does.
    """
    if phase == "training":
        return _plan_training(preset, machine, "cuda" if device == "cuda" else "cpu")
    keys, effort = PRESETS[preset]
    variants = [Variant.of([key]) for key in PRESET_TECHNIQUES[preset]]
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


def _plan_training(preset: Preset, machine: Machine, device: Device) -> Study:
    variants = [(key,) for key in TRAINING_TECHNIQUES[preset]] + list(TRAINING_COMBINATIONS[preset])
    return Study(
        workloads=PRESETS[preset][0],
        variants=tuple(map(Variant.of, variants)),
        conditions=tuple(
            Condition(device, size, machine.threads, phase="training") for size in TRAINING_BATCH_SIZES[preset]
        ),
        effort=TRAINING_EFFORTS[preset],
        preset=preset,
        name=f"{preset} training on {machine.cpu_model}",
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
