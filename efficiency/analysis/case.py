"""A row that is asked why it is not faster, with what is known of it and around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from efficiency import techniques
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.ceiling import Arithmetic
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.study import BASELINE
from efficiency.techniques import compose

Values = Mapping[Any, Any]


@dataclass(frozen=True)
class Case:
    """A row and what is known around it; any of it may be missing in a document of another origin."""

    row: Values
    details: Values
    machine: Values
    beside: Sequence[Values]
    """The rows of the same study, workload, data set and condition, this one included, as `views.prepared` has them."""
    baseline_details: Values
    equivalence_pct: float = EQUIVALENCE_PCT
    """The study's band of practical equivalence."""

    @property
    def techniques(self) -> tuple[str, ...]:
        """Its keys, those that this version knows."""
        return tuple(key for key in str(self.row.get("variant")).split("+") if key in techniques.TECHNIQUES)

    @property
    def arithmetic(self) -> Arithmetic:
        return compose.arithmetic(self.techniques)

    @property
    def baseline(self) -> Values:
        return next((row for row in self.beside if row.get("variant") == BASELINE), {})

    def number(self, name: str) -> float | None:
        return number_of(self.row.get(name))

    def evidence(self) -> Iterator[tuple[str, Values]]:
        """(technique key, what it shows)."""
        for key, shown in mapping_of(self.details.get("evidence")).items():
            yield str(key), mapping_of(shown)

    def figures(self) -> Iterator[tuple[str, Values]]:
        """(technique key, its evidence's figures)."""
        for key, shown in self.evidence():
            yield key, mapping_of(shown.get("figures"))

    def figure(self, name: str) -> float | None:
        """Of the first technique that has it."""
        found = (number_of(figures.get(name)) for _, figures in self.figures())
        return next((figure for figure in found if figure is not None), None)
