"""Every technique on every workload: it applies, or a sentence says why not. From the declarations alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from efficiency.condition import Condition
from efficiency.machine import Machine
from efficiency.techniques import TECHNIQUES
from efficiency.techniques.base import Technique
from efficiency.workloads import WORKLOADS
from efficiency.workloads.base import Workload


@dataclass(frozen=True)
class Row:
    """One technique: for each workload's key the reason why it does not apply, None where it does."""

    technique: Technique
    why_not: Mapping[str, str | None]


@dataclass(frozen=True)
class Matrix:
    """A row a technique, a column a workload."""

    workloads: tuple[Workload, ...]
    rows: tuple[Row, ...]

    @property
    def reasons(self) -> list[str]:
        """Each sentence once, as they are met when reading row by row; the first is number 1."""
        return list(dict.fromkeys(reason for row in self.rows for reason in row.why_not.values() if reason))

    def cells(self, row: Row, yes: str = "yes", number: str = "{}") -> list[str]:
        """The row's words, a workload each: `yes`, or the number of its reason, written as the pattern has it."""
        numbers = {reason: number.format(place) for place, reason in enumerate(self.reasons, start=1)}
        return [numbers[reason] if reason else yes for reason in row.why_not.values()]


def of(condition: Condition, machine: Machine) -> Matrix:
    """All techniques on all built-in workloads, judged for this condition and machine."""
    built_in = tuple(WORKLOADS.values())
    rows = (Row(t, {w.key: t.why_not(w, condition, machine) for w in built_in}) for t in TECHNIQUES.values())
    return Matrix(built_in, tuple(rows))
