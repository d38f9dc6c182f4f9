"""From what claims miss to as few studies as measure that and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from efficiency import estimate, workloads
from efficiency.analysis import wording
from efficiency.claims.asking import study_of
from efficiency.claims.base import Judged, Need
from efficiency.condition import Condition
from efficiency.machine import Machine
from efficiency.study import Study, Variant
from efficiency.techniques import compose

Wanted = dict[Variant, None]
"""Variants in the order in which they were asked for."""


def missing(found: Iterable[Judged]) -> list[Need]:
    """What all of these claims miss, each once."""
    return list(dict.fromkeys(need for one in found for need in one.needs))


def drifts(found: Iterable[Judged]) -> list[str]:
    """Workloads of which these claims miss a measurement of drift, each once."""
    return list(dict.fromkeys(workload for one in found for workload in one.needs_drift))


def studies(needs: Iterable[Need], machine: Machine) -> list[Study]:
    """What serves them all: what shares workload and condition is timed together, and no row is there that none needs.

    Workloads share a study where each takes no more of its variants than it needs, conditions where all the rest
    is equal.
    """
    places: dict[tuple[Condition, str], Wanted] = {}
    for need in needs:
        places.setdefault((need.condition, need.workload), {}).update(dict.fromkeys(need.variants))
    groups: list[tuple[Condition, dict[str, Wanted]]] = []
    for (condition, workload), wanted in places.items():
        for at, together in groups:
            if at == condition and _nothing_more(together | {workload: wanted}, condition, machine):
                together[workload] = wanted
                break
        else:
            groups.append((condition, {workload: wanted}))
    merged: dict[tuple[object, ...], tuple[dict[str, Wanted], list[Condition]]] = {}
    for condition, together in groups:
        # A study is of one device, and of inference or training.
        alike = (tuple(together), tuple(_all_of(together)), condition.device, condition.phase)
        merged.setdefault(alike, (together, []))[1].append(condition)
    found = [study_of(tuple(group), tuple(_all_of(group)), tuple(at)) for group, at in merged.values()]
    if len(found) < 2:
        return found
    return [replace(study, name=f"{study.name}, {place + 1} of {len(found)}") for place, study in enumerate(found)]


def _all_of(together: dict[str, Wanted]) -> Wanted:
    return {variant: None for wanted in together.values() for variant in wanted}


def _nothing_more(together: dict[str, Wanted], condition: Condition, machine: Machine) -> bool:
    """Whether each workload needs all of the variants together that it takes."""
    return all(
        variant in wanted
        or compose.why_not(variant.techniques, workloads.describe(workload), condition, machine) is not None
        for workload, wanted in together.items()
        for variant in _all_of(together)
    )


def missing_time(found: Iterable[Judged], machine: Machine) -> str:
    """As `time`, of what these claims miss, were it measured for them alone; empty where that is nothing."""
    return time(studies(missing(found), machine), machine)


def time(asked: Sequence[Study], machine: Machine) -> str:
    """How long these studies take, `18 min to 45 min`: replicates are added where intervals are wider than asked."""
    return wording.between(seconds(asked, machine), most_seconds(asked, machine)) if asked else ""


def seconds(asked: Iterable[Study], machine: Machine) -> float:
    """About how long these studies take with the replicates that are planned."""
    return sum(estimate.seconds(study, machine) for study in asked)


def most_seconds(asked: Iterable[Study], machine: Machine) -> float:
    """About how long they take where every replicate is added that may be."""
    return sum(estimate.most_seconds(study, machine) for study in asked)
