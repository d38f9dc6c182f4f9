"""What a study is called that its user gave no name: a preset as it is by that, a choice of one's own by what it is."""

from __future__ import annotations

from efficiency.analysis.views import workload_label
from efficiency.machine import Machine
from efficiency.study import Study, plan_preset

NAMED = 2
"""More workloads than these are counted."""
CHOSEN = ("variants", "conditions", "datasets")
"""What makes a study of a preset's workloads another one than the preset."""


def usual(study: Study, machine: Machine) -> str:
    """`quick on Some CPU`; `LSTM (quick) on Some CPU`, `own choice (quick) on Some CPU` where it measures otherwise."""
    preset = plan_preset(study.preset, machine, study.conditions[0].device, study.phase)
    if set(study.workloads) != set(preset.workloads):
        chosen = _workloads(study.workloads)
    elif any(set(getattr(study, name)) != set(getattr(preset, name)) for name in CHOSEN):
        chosen = "own choice"
    else:
        return preset.name
    training = " training" if study.phase == "training" else ""
    return f"{chosen} ({study.preset}{training}) on {machine.cpu_model}"


def _workloads(names: tuple[str, ...]) -> str:
    labels = list(map(workload_label, names))
    return ", ".join(labels) if len(labels) <= NAMED else f"{len(labels)} workloads"
