"""What a study is called that its user gave no name: a preset as it is by that, a choice of one's own by what it is."""

from __future__ import annotations

from pathlib import Path

from efficiency import workloads
from efficiency.machine import Machine
from efficiency.study import Study, plan_preset

NAMED = 2
"""More workloads than these are counted."""


def usual(study: Study, machine: Machine) -> str:
    """`quick on Some CPU`; `LSTM (quick) on Some CPU`, `own choice (quick) on Some CPU` where it measures otherwise."""
    preset = plan_preset(study.preset, machine, study.conditions[0].device, study.phase)
    chosen = [
        "" if set(study.workloads) == set(preset.workloads) else _workloads(study.workloads),
        "" if set(study.variants) == set(preset.variants) and set(study.conditions) == set(preset.conditions)
        else "own choice",
    ]  # fmt: skip
    if not any(chosen):
        return preset.name
    training = " training" if study.phase == "training" else ""
    return f"{next(filter(None, chosen))} ({study.preset}{training}) on {machine.cpu_model}"


def _workloads(names: tuple[str, ...]) -> str:
    labels = [workloads.WORKLOADS[name].label if name in workloads.WORKLOADS else Path(name).name for name in names]
    return ", ".join(labels) if len(labels) <= NAMED else f"{len(labels)} workloads"
