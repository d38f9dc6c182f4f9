"""How long a plan will take, from each workload's rough pace; the live estimate corrects it as it goes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from efficiency import techniques, workloads
from efficiency.effort import Effort
from efficiency.engine import prepared_plan
from efficiency.machine import Machine
from efficiency.measure import latency
from efficiency.study import Entry, Study, Variant, expand, heats
from efficiency.techniques import compose
from efficiency.techniques.base import Training
from efficiency.workloads import cards
from efficiency.workloads.base import Workload

TEST_ROWS = 7_000
"""Rows of a test set whose size is not declared."""
TRAINING_ROWS = 25_000
PACE_CORES = 2
"""The declared paces were taken on two cores."""
PROCESS_S = 0.5
"""A warm child: start, reading weights, building the variant."""
REPLICATE_S = 0.6
"""A replicate beside what it builds and times: forking, reading weights, and its share of a new server."""
BUILD_S = 0.15
"""Building one variant within a replicate, and warming it up."""
LEAST_SECONDS_PER_REPLICATE = 1.0
CACHED_SHARE = 0.15
"""Of the seconds that compiling takes: tracing once more, and loading what is in the compiler's cache."""
ROWS_AGAIN = 512
"""Test rows that a package for a further condition answers (`engine.answering`)."""
LAYERS_SCORED_ROWS = 8_000
"""Rows that layer sensitivity answers, in FP32's time: the layers' turns, and the sets that are tried."""
FAKE_QUANTIZED_COST = 2.5
"""A training step with rounding in the loop, as a multiple of a plain one."""


def _slowness(machine: Machine) -> float:
    return PACE_CORES / max(1, min(machine.threads, 8))


def reference_seconds(study: Study, name: str, machine: Machine) -> float:
    """Reading the data, and training on first use."""
    workload = workloads.describe(name)
    if study.phase == "training" or workload.trained or cards.find(workload, study.dataset_of(workload)):
        return 2.0
    passes = TRAINING_ROWS * workload.training.epochs_on(TRAINING_ROWS)
    return 5.0 + passes / workload.pace.trained_rows_per_s * _slowness(machine)


def _probe_seconds(
    workload: Workload, study: Study, variant: Variant, machine: Machine, *, again: bool = False
) -> float:
    """Packaging a variant and answering the test rows; `again`, for another condition, only some of them."""
    pace = workload.pace
    rows = min(study.effort.test_rows or TEST_ROWS, study.dataset_of(workload).test_rows or TEST_ROWS)
    rows = min(rows, ROWS_AGAIN) if again else rows
    cost, packaging_s = 1.0, 0.0
    for key in variant.techniques:
        technique = techniques.get(key)
        cost *= technique.evaluation_cost
        if technique.runtime is not None:
            packaging_s += technique.runtime.packaging_s
    return PROCESS_S + _slowness(machine) * (packaging_s + cost * rows / pace.evaluated_rows_per_s)


def _learning_seconds(workload: Workload, study: Study, key: str, machine: Machine) -> float:
    """Learning what a technique needs from data."""
    effort, pace, source = study.effort, workload.pace, techniques.get(key).learns_from
    if source == "nothing":
        return 0.0
    calibration_s = 2 * effort.calibration_rows / pace.evaluated_rows_per_s
    if source == "calibration":
        learning_s = calibration_s
    elif source == "both":
        learning_s = calibration_s + LAYERS_SCORED_ROWS / pace.evaluated_rows_per_s
    else:
        learning_s = FAKE_QUANTIZED_COST * effort.training_rows / pace.trained_rows_per_s
    return _slowness(machine) * (1.0 + learning_s)


def _training_seconds(workload: Workload, study: Study, variant: Variant, machine: Machine) -> float:
    """Taking a variant's steps and answering the test rows in FP32; the baseline is trained twice."""
    effort, pace, slow = study.effort, workload.pace, _slowness(machine)
    rows = min(effort.test_rows or TEST_ROWS, study.dataset_of(workload).test_rows or TEST_ROWS)
    once = _step_cost(variant) * effort.training_rows / pace.trained_rows_per_s + rows / pace.evaluated_rows_per_s
    return PROCESS_S + slow * (_compiling_seconds(variant) + (1 if variant.techniques else 2) * once)


def _serving(variant: Variant) -> list[Training]:
    return [t.training for t in map(techniques.get, variant.techniques) if t.training is not None]


def _step_cost(variant: Variant) -> float:
    return math.prod(training.cost for training in _serving(variant))


def _compiling_seconds(variant: Variant) -> float:
    return sum(training.compiles_s for training in _serving(variant))


def _timed_seconds(
    workload: Workload, heat: Sequence[Entry], machine: Machine, effort: Effort, seconds: float
) -> float:
    """What a replicate of a heat times: `seconds`, or as long as the fewest calls of it take in training, and where a
    number of calls is asked for.

    Of answers as if none were faster than FP32's. What is compiled for training is loaded from the compiler's cache,
    which takes a fraction of compiling.
    """
    condition = heat[0].condition
    least_calls = latency.calls_a_replicate(effort.calls_a_replicate)
    slow = PACE_CORES / max(1, min(condition.threads, 8))
    if condition.phase != "training":
        call_s = condition.batch_size / workload.pace.evaluated_rows_per_s * slow
        return max(seconds, least_calls * call_s * len(heat)) if effort.calls else seconds
    step_s = condition.batch_size / workload.pace.trained_rows_per_s * slow
    least_s = least_calls * step_s * sum(_step_cost(entry.variant) for entry in heat)
    loading_s = CACHED_SHARE * sum(_compiling_seconds(entry.variant) for entry in heat) * _slowness(machine)
    return max(seconds, least_s) + loading_s


def replicate_seconds(variants: int, seconds: float) -> float:
    """One replicate of a heat."""
    return REPLICATE_S + BUILD_S * variants + seconds


Step = tuple[object, ...]
"""`(workload,)` makes its reference ready; `(workload, condition, variant)` probes and starts cold;
`(workload, condition, number)` is a replicate."""


def steps(
    study: Study, entries: Sequence[Entry], machine: Machine, seconds: float, *, kept: Collection[Entry] = ()
) -> dict[Step, float]:
    """Estimated seconds of all that a study does; `seconds` are timed in each replicate.

    `kept`: rows that an earlier study has prepared, which is taken from the cache.
    """
    found: dict[Step, float] = {}
    probed: set[Step] = set()
    learned: set[Step] = set()
    for (name, condition), heat in heats(entries).items():
        workload = workloads.describe(name)
        found.setdefault((name,), reference_seconds(study, name, machine))
        for entry in heat:
            if entry.variant.control:
                continue
            step = (name, condition, entry.variant)
            under = compose.probed_under(entry.variant.techniques, condition)
            found[step] = PROCESS_S  # the cold start
            if (name, under, entry.variant) in probed:
                continue
            again = any(seen[::2] == (name, entry.variant) for seen in probed)
            probed.add((name, under, entry.variant))
            learner = compose.learner_of(entry.variant.techniques)
            shared = (name, condition.of_answers(), learner)
            learns = learner if shared not in learned else None
            learned.add(shared)
            if entry in kept:  # with what it learned, for others too
                continue
            if condition.phase == "training":
                found[step] += _training_seconds(workload, study, entry.variant, machine)
            else:
                found[step] += _probe_seconds(workload, study, entry.variant, machine, again=again)
            if learns is not None:
                found[step] += _learning_seconds(workload, study, learns, machine)
        for number in range(study.effort.replicates):
            timed_s = _timed_seconds(workload, heat, machine, study.effort, seconds)
            found[name, condition, number] = replicate_seconds(len(heat), timed_s)
    return found


def _total(study: Study, machine: Machine, seconds: float) -> float:
    entries = expand(study, machine)
    return sum(steps(study, entries, machine, seconds, kept=prepared_plan.kept(study, entries, machine)).values())


def seconds(study: Study, machine: Machine) -> float:
    """The whole study, in seconds, no longer than its budget; what an earlier study has prepared is not made again."""
    planned = _total(study, machine, study.effort.seconds_per_replicate)
    return planned if study.budget_s is None else min(planned, study.budget_s)


def most_seconds(study: Study, machine: Machine) -> float:
    """What it may come to where intervals stay wider than asked, and replicates are added."""
    effort, planned = study.effort, seconds(study, machine)
    limit = study.budget_s if study.budget_s is not None else effort.budget_s
    if limit is not None:
        return max(planned, limit)
    added = max(0, effort.most_replicates - effort.replicates)
    again = sum(
        replicate_seconds(
            len(heat), _timed_seconds(workloads.describe(name), heat, machine, effort, effort.seconds_per_replicate)
        )
        for (name, _), heat in heats(expand(study, machine)).items()
    )
    return planned + added * again


def least_seconds(study: Study, machine: Machine) -> float:
    """The shortest this plan can be: every probe that is not kept, and a second of timing in each replicate."""
    return _total(study, machine, min(LEAST_SECONDS_PER_REPLICATE, study.effort.seconds_per_replicate))


def affordable_seconds(effort: Effort, left_s: float, replicates_left: int, variants: int) -> float:
    """Timed seconds for each replicate that is left, within what the budget leaves."""
    share = left_s / max(1, replicates_left) - replicate_seconds(variants, 0.0)
    least = min(LEAST_SECONDS_PER_REPLICATE, effort.seconds_per_replicate)
    return max(least, min(effort.seconds_per_replicate, share))


def remaining_seconds(done_s: float, total_s: float, elapsed_s: float) -> float | None:
    """What is left of an estimate, scaled by how the estimate fared so far; None where there is none."""
    if total_s <= 0 or done_s >= total_s:  # what goes on after all that was planned ends nobody knows when
        return None
    left_s = total_s - done_s
    if done_s < 10:
        return left_s
    return left_s * min(5.0, max(0.2, elapsed_s / done_s))
