"""What a study is called that its user gave no name: a preset as it is by that, a choice of one's own by what it is."""

from __future__ import annotations

from efficiency.analysis.views import variant_label, workload_label
from efficiency.machine import Machine
from efficiency.results.values import LONGEST_NAME
from efficiency.study import Study, plan_preset

NAMED = 2
"""Of workloads and of variants: more workloads are counted, more variants are not told of."""
CHOSEN = ("variants", "conditions", "datasets")
"""What makes a study of a preset's workloads another one than the preset."""


def usual(study: Study, machine: Machine) -> str:
    """`quick on Some CPU`; where it measures otherwise `LSTM (quick) on Some CPU`, `QAT INT8 (quick) on Some CPU`,
    `own choice (quick) on Some CPU`."""
    preset = plan_preset(study.preset, machine, study.conditions[0].device, study.phase)
    own = set(study.variants) != set(preset.variants) and len(study.variants) <= NAMED
    variants = ", ".join(variant_label(variant.key) for variant in study.variants) if own else ""
    if set(study.workloads) != set(preset.workloads):
        chosen = ": ".join(filter(None, (_workloads(study.workloads), variants)))
    elif variants:
        chosen = variants
    elif any(set(getattr(study, name)) != set(getattr(preset, name)) for name in CHOSEN):
        chosen = "own choice"
    else:
        return preset.name
    training = " training" if study.phase == "training" else ""
    return f"{chosen} ({study.preset}{training}) on {machine.cpu_model}"[:LONGEST_NAME]


def _workloads(names: tuple[str, ...]) -> str:
    labels = list(map(workload_label, names))
    return ", ".join(labels) if len(labels) <= NAMED else f"{len(labels)} workloads"
