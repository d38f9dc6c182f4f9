"""Whether a study can be run: every problem with it, as a sentence that names the option and the mend."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.effort import LEAST_PRECISION
from efficiency.errors import BadRequest, EfficiencyError, UnknownName
from efficiency.estimate import least_seconds
from efficiency.machine import Machine
from efficiency.results.values import LONGEST_NAME
from efficiency.study import Entry, Study, expand
from efficiency.techniques import compose
from efficiency.workloads import cards

MOST_TOLERANCE_PP = 20.0
"""A model that lost more than this is another model."""
MOST_EQUIVALENCE_PCT = 50.0
"""Who calls more the same has no question of speed."""


def problems(study: Study, machine: Machine) -> list[str]:
    """Everything that keeps the study from being run, a sentence each; empty where it can run."""
    found: list[str] = []
    if len(study.name) > LONGEST_NAME:
        found.append(f"--name: choose a name of at most {LONGEST_NAME} characters, not {len(study.name):,}.")
    if not study.workloads:
        found.append("--workload: choose at least one workload.")
    if not study.variants:
        found.append("--technique: choose at least one technique or combination.")
    for name in study.workloads:
        found += _workload_problems(study, name)
    for variant in study.variants:
        if reason := compose.clash(variant.techniques, study.phase):
            found.append(f"--combine {variant.key}: {reason}")
    if len({condition.phase for condition in study.conditions}) > 1:
        found.append("--phase: a study measures either inference or training; make two studies.")
    for condition in study.conditions:
        found += _condition_problems(condition, machine)
    if not found:
        found += _repeated(study) + _idle_datasets(study)
    if study.effort.replicates < 2 or study.effort.seconds_per_replicate <= 0:
        found.append("A speed-up needs at least 2 replicates of more than 0 seconds each.")
    if study.budget_s is not None and not math.isfinite(study.budget_s):
        found.append(f"--budget: choose a number of seconds, not {study.budget_s}.")
    if not 0 < study.tolerance_pp <= MOST_TOLERANCE_PP:  # no number of test rows shows that nothing at all is lost
        found.append(
            f"--tolerance: choose more than 0 and at most {MOST_TOLERANCE_PP:g} percentage points of accuracy, "
            f"not {study.tolerance_pp:g}."
        )
    if not 0 < study.equivalence_pct <= MOST_EQUIVALENCE_PCT:
        found.append(
            f"--equivalence: choose more than 0 and at most {MOST_EQUIVALENCE_PCT:g} percent, not "
            f"{study.equivalence_pct:g}."
        )
    if not LEAST_PRECISION <= study.effort.precision < math.inf:
        found.append(
            f"--precision: choose {100 * LEAST_PRECISION:g} percent or more, not {100 * study.effort.precision:g}."
        )
    if study.effort.calls and study.phase == "training":
        found.append("--p99: it is of answers; leave it out where training is timed.")
    if not 0 <= study.seed < 2**32:
        found.append(f"--seed: choose 0 to {2**32 - 1}, not {study.seed}.")
    if not found and all(entry.why_not for entry in expand(study, machine) if entry.variant.techniques):
        reasons = {entry.why_not for entry in expand(study, machine) if entry.why_not}
        found.append("None of the techniques applies: " + " ".join(sorted(map(str, reasons))))
    if study.budget_s is not None and not study.budget_s > 0:
        found.append(f"--budget: choose more than 0 s, not {study.budget_s:g}.")
    if not found and study.budget_s is not None:
        least = least_seconds(study, machine)
        if study.budget_s < least:
            found.append(
                f"--budget: {study.budget_s:g} s is too small for this plan, which needs at least "
                f"{least:.0f} s; raise it or choose fewer workloads or techniques"
                f"{', or do without a p99 of each' if study.effort.calls else ''}."
            )
    return list(dict.fromkeys(found))


def _workload_problems(study: Study, name: str) -> list[str]:
    try:
        workload = workloads.describe(name)
    except UnknownName as error:
        return [f"--workload: {error}"]
    except EfficiencyError as error:  # of a user's file, which names the option itself
        return [str(error)]
    try:
        dataset = study.dataset_of(workload)
    except EfficiencyError as error:
        return [f"--dataset: {error}"]
    reason = dataset.why_not()
    if reason and dataset.fetch is None:
        return [f"--dataset: {reason}"]
    if study.phase == "training":
        if "train" not in dataset.splits:
            return [f"--phase: {name} has nothing to train on: {dataset.key} has no split `train`; measure inference."]
    elif reason := cards.broken(workload, dataset):
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


def _idle_datasets(study: Study) -> list[str]:
    """A data set that no workload takes was asked for in vain, and the user would not notice."""
    used = {study.dataset_of(workloads.describe(name)).key for name in study.workloads}
    return [
        f"--dataset: no workload of this study takes {key}; leave it out or choose one that does."
        for key in study.datasets
        if key not in used
    ]


def _repeated(study: Study) -> list[str]:
    """Rows are told apart by workload, variant and condition: none may be asked for twice."""
    found = []
    keys = Counter(workloads.describe(name).key for name in study.workloads)
    for key in (key for key, count in keys.items() if count > 1):
        found.append(f"--workload: two of the workloads are called {key}; give the other another key.")
    if len(set(study.variants)) < len(study.variants) or any(not v.techniques for v in study.variants):
        found.append("--technique: a variant is asked for twice, or has no technique; name each once.")
    if len(set(study.conditions)) < len(study.conditions):
        found.append("--batch-size, --threads: a value is given twice; name each once.")
    return found


def _condition_problems(condition: Condition, machine: Machine) -> list[str]:
    found = []
    if not 1 <= condition.batch_size <= 1024:
        found.append(f"--batch-size: choose 1 to 1024, not {condition.batch_size}.")
    if not 1 <= condition.threads <= machine.logical_cores:
        found.append(
            f"--threads: this machine has {machine.logical_cores} cores; choose 1 to "
            f"{machine.logical_cores}, not {condition.threads}."
        )
    if condition.device == "cuda" and (reason := machine.why_no_cuda):
        found.append(f"--device: {reason}; use the CPU.")
    if not 0 <= condition.padding_pct <= 95:
        found.append(f"--padding: choose 0 to 95 percent, not {condition.padding_pct}.")
    return found


@dataclass(frozen=True)
class Checked:
    """A study that has no problems, with its rows."""

    study: Study
    entries: list[Entry]


def check(study: Study, machine: Machine) -> Checked:
    """The study with its rows; raises `BadRequest` that lists every problem."""
    if found := problems(study, machine):
        raise BadRequest(" ".join(found))
    return Checked(study, expand(study, machine))
