"""The best of each workload: what to ship by the study that tried most, those of this machine first. No torch here.

Of studies that tried as much, the newest speaks for those that tried the same; where they tried different things, the
one that gains most: that the newest tried something else takes nothing from what was found.

The limits are the usual ones: no more accuracy may be lost than the study tolerates. They and the cases are those of
the page Decide, so that it gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
import pandas as pd

from efficiency import techniques, workloads
from efficiency.analysis import choice, confirmations
from efficiency.analysis.choice import Answer, Row
from efficiency.analysis.limits import Limits
from efficiency.decisions import Case
from efficiency.results.store import Store
from efficiency.study import BASELINE, CONTROL
from efficiency.tolerance import tolerance_of

Origin = Literal["here", "elsewhere", "example"]
ORIGINS: tuple[Origin, ...] = ("here", "elsewhere", "example")
"""In the order in which they are asked."""
FAMILIES = {"cnn": "Vision CNN", "lstm": "LSTM", "transformer": "Transformer"}
OWN = "Your own model"

QUANTIZATION, PRECISION, RUNTIME, REST = "quantization", "lower precision", "runtime or compiler", "layout and mode"


@dataclass(frozen=True)
class Best:
    """The answer for one workload."""

    study_id: str
    origin: Origin
    workload: str
    family: str
    """For people."""
    case: Case
    limits: Limits
    answer: Answer
    rivals: int = 0
    """Other studies that tried as many variants, but not the same ones."""


@dataclass(frozen=True)
class Source:
    """What a study has to say of a workload."""

    study_id: str
    origin: Origin
    workload: str
    tried: frozenset[str]
    """Variants that are done, the baseline among them."""

    @property
    def rank(self) -> tuple[int, int]:
        """Of one workload's sources those of the least are asked first."""
        return ORIGINS.index(self.origin), -len(self.tried)


def sources(store: Store, studies: pd.DataFrame, machine_key: str) -> list[Source]:
    """What is over in inference, in the order in which it is asked: of this machine before others, these before the
    example; then what tried most variants, then the newest.

    So a study of a single question, such as a claim's, does not speak where another has tried more.
    """
    over = ~studies["status"].isin(["queued", "running"]) & (studies["confirms"] == "")
    known = studies[over & (studies["phase"] == "inference")]
    here = known["machine_key"] == machine_key
    origin = dict(
        zip(known["id"], np.where(known["example"], "example", np.where(here, "here", "elsewhere")), strict=True)
    )
    age = {id: place for place, id in enumerate(known["id"])}  # studies come newest first
    found = [Source(id, origin[id], workload, tried) for (id, workload), tried in store.tried().items() if id in origin]
    return sorted(found, key=lambda one: (one.rank, age[one.study_id]))


def of_each(store: Store, studies: pd.DataFrame, machine_key: str, cases_of: Callable[[str], list[Case]]) -> list[Best]:
    """One a workload, as workloads stand in their table and a user's own behind them; the first condition of a study
    speaks for it. `cases_of` gives the cases of the study of an id."""
    by_workload: dict[str, list[Source]] = {}
    for source in sources(store, studies, machine_key):
        by_workload.setdefault(source.workload, []).append(source)
    found = []
    for asked in by_workload.values():
        for _, equals in groupby(asked, key=lambda one: one.rank):
            if best := _of_equals(store, list(equals), cases_of):
                found.append(best)
                break
    known = list(workloads.WORKLOADS)
    return sorted(found, key=lambda one: known.index(one.workload) if one.workload in known else len(known))


def _of_equals(store: Store, equals: list[Source], cases_of: Callable[[str], list[Case]]) -> Best | None:
    """Of sources that tried as much, the newest first: the newest answer of each set of variants that was timed on an
    undisturbed machine, if there is one, and of these the one that gains most within the loss that the newest
    tolerates. None where none has an answer."""
    found: dict[frozenset[str], Best] = {}
    for source in equals:
        newer = found.get(source.tried)
        if newer is not None and not confirmations.disturbed(newer.answer):
            continue
        best = _of(store, source, cases_of)
        if best is not None and (newer is None or not confirmations.disturbed(best.answer)):
            found[source.tried] = best
    if not found:
        return None
    newest = next(iter(found.values()))
    alike = [one for one in found.values() if one.limits == newest.limits]
    undisturbed = [one for one in alike if not confirmations.disturbed(one.answer)]
    return replace(max(undisturbed or alike, key=_gain), rivals=len(alike) - 1)  # the newest, where they gain the same


def _of(store: Store, source: Source, cases_of: Callable[[str], list[Case]]) -> Best | None:
    id, workload = source.study_id, source.workload
    limits = usual(tolerance_of(store.study(id).asked))
    case = next((case for case in cases_of(id) if case.first.rows["workload"].iloc[0] == workload), None)
    if case is None:
        return None
    answer = case.answer(limits)
    if answer.last.kind == "empty":
        return None
    return Best(id, source.origin, workload, family_of(workload), case, limits, answer)


def usual(tolerance_pp: float) -> Limits:
    """What is asked where nobody asked: to keep the accuracy, as far as the study tolerates a loss."""
    return Limits(accuracy_drop_pp=tolerance_pp if tolerance_pp > 0 else None)


def family_of(workload: str) -> str:
    """`Vision CNN`; of a user's own file, whatever it holds, `Your own model`."""
    return FAMILIES.get(workloads.WORKLOADS[workload].family, "Other") if workload in workloads.WORKLOADS else OWN


def leading(found: list[Best]) -> Best | None:
    """The one that gains most; None where nothing does."""
    gaining = [one for one in found if (won := one.answer.last.winner) is not None and won["variant"] != BASELINE]
    return max(gaining, key=_gain, default=None)


def _gain(one: Best) -> float:
    """Of what leads; 1 where nothing does."""
    winner = one.answer.last.winner
    return 1.0 if winner is None or winner["variant"] == BASELINE else float(winner["speedup"])


def by_kind(one: Best) -> dict[str, Row | None]:
    """For each kind of technique that was tried its fastest row that meets the limits; None where none is surely
    faster than the baseline."""
    rows = one.case.first.rows
    kinds = rows["variant"].map({variant: kind_of(variant) for variant in rows["variant"].unique()})
    found: dict[str, Row | None] = {}
    for kind in (QUANTIZATION, PRECISION, RUNTIME, REST):
        of_kind = rows[(kinds == kind) & (rows["status"] == "done")]
        if len(of_kind):
            own = pd.concat([of_kind, rows[rows["variant"] == BASELINE]])
            winner = choice.decide(own, one.limits, lambda *_: None).winner  # ties do not change who is first
            found[kind] = None if winner is None or winner["variant"] == BASELINE else winner
    return found


def kind_of(variant: str) -> str:
    """What a variant is above all; empty for the baseline, the control, and a technique that is not known any more."""
    known = [techniques.TECHNIQUES[key] for key in variant.split("+") if key in techniques.TECHNIQUES]
    if variant in (BASELINE, CONTROL) or not known:
        return ""
    if any("int8" in one.key or "int4" in one.key for one in known):
        return QUANTIZATION
    if any(one.arithmetic in ("bf16", "fp16") for one in known):
        return PRECISION
    return RUNTIME if any(one.stage is techniques.Stage.RUNTIME for one in known) else REST
