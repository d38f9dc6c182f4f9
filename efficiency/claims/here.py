"""What was measured on this machine, as claims ask for it: heats, the newest first, and what the hardware can do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from efficiency import ceiling, workloads
from efficiency.analysis import accuracy, pairs, speed, views
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.ceiling import Ceiling
from efficiency.claims.base import Behind, Need
from efficiency.condition import Condition, of_row
from efficiency.errors import EfficiencyError, UnknownName
from efficiency.machine import Machine
from efficiency.results import drifts
from efficiency.results.drifts import DriftRecord
from efficiency.results.store import Store
from efficiency.study import BASELINE, Study, Variant

Row = dict[str, Any]
"""A row's columns; what is unknown is None."""

HEAT = ["study_id", "workload", "dataset", "device", "batch_size", "threads", "length", "padding_pct", "phase"]
"""Rows of a study that agree in these were timed together."""
WEAK = {"test-subset", "disturbed"}
"""Warnings of rows that settle less than others."""


@dataclass(frozen=True)
class Heat:
    """The rows of a workload under a condition that were timed together."""

    store: Store
    study_id: str
    asked: Mapping[str, Any]
    """The study's description."""
    workload: str
    dataset: str
    condition: Condition
    rows: Mapping[str, Row]
    """By variant, of those that are done."""
    failed: Mapping[str, str]
    """Reasons by variant, of those that were tried in vain."""

    def holds(self, need: Need) -> bool:
        """Whether it has all rows of it, the baseline included."""
        return self.is_of(need) and all(key in self.rows for key in (BASELINE, *(v.key for v in need.variants)))

    def is_of(self, need: Need) -> bool:
        return (self.workload, self.condition) == (need.workload, need.condition)

    def weaknesses(self, need: Need) -> int:
        """How many of its rows rest on a part of the test rows, or on moments in which the machine was disturbed."""
        keys = (BASELINE, *(variant.key for variant in need.variants))
        return sum(not WEAK.isdisjoint(str(self.rows[key]["warnings"]).split(";")) for key in keys)

    def idle(self, need: Need) -> tuple[Variant, str] | None:
        """A variant of it that changed nothing that could be seen, and the reason: its figures are the baseline's."""
        for variant in need.variants:
            if self.rows[variant.key]["took_effect"] == "no":
                shown = mapping_of(self.details(variant.key).get("evidence")).values()
                return variant, " ".join(str(mapping_of(one).get("reason") or "") for one in shown).strip()
        return None

    def row_id(self, variant: str) -> int:
        return int(self.rows[variant]["row_id"])

    def behind(self, variant: str, label: str = "") -> Behind:
        """Where a row is found, under its variant's name unless told."""
        return Behind(label or views.variant_label(variant), self.study_id, self.row_id(variant))

    def value(self, variant: str, column: str) -> float | None:
        """A number of a row; None where it is unknown."""
        value = self.rows[variant][column]
        return None if value is None else float(value)

    def ratio(self, column: str, above: str, below: str) -> float | None:
        """A column of one variant / that of another; None where either is unknown or nothing."""
        over, under = self.value(above, column), self.value(below, column)
        return over / under if over and under else None

    def details(self, variant: str) -> dict[str, Any]:
        return self.store.details(self.row_id(variant))

    def evidence(self, variant: str, figure: str) -> float | None:
        """A figure that a technique of the variant gave as evidence."""
        for shown in mapping_of(self.details(variant).get("evidence")).values():
            value = number_of(mapping_of(mapping_of(shown).get("figures")).get(figure))
            if value is not None:
                return value
        return None

    @property
    def noise_floor(self) -> float:
        """What the control shows where nothing differs, as a ratio above 1; 1 where it is not known."""
        known = [self.value(variant, "noise_floor_pct") for variant in self.rows]
        return 1 + max((percent for percent in known if percent is not None), default=0.0) / 100

    def speed_up(self, variant: str, against: str = BASELINE) -> speed.SpeedUp | None:
        """Latency of `against` / latency of `variant`, by the rounds that both took part in."""
        if against == BASELINE:
            estimate, low, high = (self.value(variant, f"speedup{part}") for part in ("", "_ci_low", "_ci_high"))
            if estimate is None or low is None or high is None:
                return None
            return speed.SpeedUp(estimate, low, high, int(self.value(variant, "replicates") or 0), float("nan"))
        ours, theirs = (self.store.samples(self.row_id(one)) for one in (variant, against))
        own = [self.value(one, "speedup") or math.nan for one in (variant, against)]
        return pairs.speed_up(ours, theirs, speed.how_unlike(*own))

    def answers(self, variant: str) -> pd.DataFrame:
        return self.store.answers(self.row_id(variant))

    def accuracy(self, variant: str, against: str) -> accuracy.Difference | None:
        """How much more `variant` gets right than `against`, on the same test rows; None where answers are not kept."""
        return difference(self.answers(variant), self.answers(against))


def difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> accuracy.Difference | None:
    """Paired over the test rows that both answered, the first of a test set's; None where those are not the same."""
    rows = min(len(ours), len(theirs))
    labels = ours["label"].to_numpy()[:rows]
    if not rows or (labels != theirs["label"].to_numpy()[:rows]).any():
        return None
    answers = [one["predicted"].to_numpy()[:rows] for one in (ours, theirs)]
    return accuracy.difference(answers[0], answers[1], labels)


@dataclass(frozen=True)
class Here:
    """All that claims are judged by."""

    machine: Machine
    heats: tuple[Heat, ...]
    """Of this machine, the newest study first. The example is another machine's, whatever it is called."""
    ceiling: Ceiling | None
    drifts: tuple[DriftRecord, ...] = ()
    """Measurements of drift on this machine: of each workload and data set the one of most test rows, newest first."""

    def best(self, need: Need, dataset: str | None = None) -> Heat | None:
        """Of the heats that have all of it one that was measured whole and undisturbed, the newest; else the newest.

        So a quick study does not take back what a thorough one settled, which no further one would bring back.
        """
        own = (heat for heat in self.of(need.workload, need.condition) if dataset in (None, heat.dataset))
        return min((heat for heat in own if heat.holds(need)), key=lambda heat: heat.weaknesses(need), default=None)

    def of(self, workload: str, condition: Condition) -> list[Heat]:
        return self._by_place.get((workload, condition), [])

    def failure(self, need: Need) -> tuple[Variant, str] | None:
        """A variant of it that was tried in vain the last time, and why."""
        for variant in need.variants:
            for heat in self.of(need.workload, need.condition):
                if variant.key in heat.rows:
                    break
                if variant.key in heat.failed:
                    return variant, heat.failed[variant.key]
        return None

    @cached_property
    def _by_place(self) -> dict[tuple[str, Condition], list[Heat]]:
        found: dict[tuple[str, Condition], list[Heat]] = {}
        for heat in self.heats:
            found.setdefault((heat.workload, heat.condition), []).append(heat)
        return found


def read(store: Store, machine: Machine) -> Here:
    """What the store holds of this machine."""
    studies = store.studies()
    own = list(studies["id"][(studies["machine_key"] == machine.key) & ~studies["example"]])
    frame = store.rows(own)
    frame = frame[frame["status"].isin(["done", "failed"]) & frame["workload"].isin(list(workloads.WORKLOADS))]
    frame = frame.astype(object).where(frame.notna(), None)
    heats = []
    for _, rows in frame.groupby(HEAT, sort=False, dropna=False):
        if heat := _heat(store, [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]):
            heats.append(heat)
    measured = drifts.known(store, machine_key=machine.key)
    return Here(machine, tuple(heats), ceiling.known(machine.key), tuple(measured))


def _heat(store: Store, rows: list[Row]) -> Heat | None:
    first = rows[0]
    if first["device"] not in ("cpu", "cuda") or first["phase"] not in ("inference", "training"):
        return None  # a document of another origin may say anything
    try:
        asked = store.study(first["study_id"]).asked
    except UnknownName:  # deleted since its rows were read
        return None
    length = workloads.WORKLOADS[first["workload"]].length
    condition = Condition(
        first["device"],
        int(first["batch_size"] or 0),
        int(first["threads"] or 0),
        None if first["length"] in (None, length) else int(first["length"]),
        _padding_asked(asked, first),
        first["phase"],
    )
    return Heat(
        store,
        first["study_id"],
        asked,
        first["workload"],
        str(first["dataset"]),
        condition,
        {row["variant"]: row for row in rows if row["status"] == "done"},
        {row["variant"]: str(row["reason"]) for row in rows if row["status"] == "failed"},
    )


def _padding_asked(asked: Mapping[str, Any], row: Row) -> int:
    """The share of padding that was asked for: the row says how much there was."""
    try:
        found = of_row(Study.from_dict(asked).conditions, row)
    except EfficiencyError:
        return 0
    return 0 if found is None else found.padding_pct
