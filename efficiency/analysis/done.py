"""What was done for a row, as far as is known: what a hint about it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from efficiency.analysis.kept import mapping_of, mappings_of, number_of, sequence_of

Values = Mapping[Any, Any]


@dataclass(frozen=True)
class Done:
    """What was done for a row. Any of it may be missing: a document of another origin holds what it holds."""

    row: Values
    asked: Values
    details: Values

    @property
    def replicates(self) -> int:
        """Processes that timed it."""
        return max(int(number_of(self.row.get("replicates")) or 0), len(self._health))

    @property
    def most_replicates(self) -> int:
        """Processes that would have timed it at most."""
        return int(max(self.effort(name) or 0 for name in ("replicates", "most_replicates")))

    @property
    def preset(self) -> str:
        """The preset that the study started from."""
        return str(self.asked.get("preset") or "")

    @property
    def budget_s(self) -> float | None:
        """What limited the study's time: the user's budget, or else the preset's own."""
        own_s = number_of(self.asked.get("budget_s"))
        return own_s if own_s is not None else self.effort("budget_s")

    def effort(self, name: str) -> float | None:
        """A number of the study's `Effort`; None where it has none."""
        return number_of(mapping_of(self.asked.get("effort")).get(name))

    def worst(self, name: str) -> float:
        """The highest of a figure of `Health` over the replicates; 0 where none is kept."""
        return max((number_of(seen.get(name)) or 0.0 for seen in self._health), default=0.0)

    @property
    def programs(self) -> str:
        """Names of the programs that kept the processor busy, where they are known: `chrome, python`."""
        names = [_name(program) for seen in self._health for program in sequence_of(seen.get("busiest"))]
        return ", ".join(dict.fromkeys(filter(None, names)))

    @property
    def effects(self) -> list[tuple[str, str]]:
        """(technique key, yes/no/partly) of each technique of the variant."""
        shown = mapping_of(self.details.get("evidence")).items()
        return [(str(key), str(one.get("took_effect"))) for key, one in shown if isinstance(one, Mapping)]

    @property
    def _health(self) -> list[Values]:
        return mappings_of(self.details.get("health"))


def _name(program: object) -> str:
    """Of a program as its name, as a mapping with a `name`, or as a sequence that begins with it."""
    if isinstance(program, Mapping):
        program = program.get("name")
    if isinstance(program, list | tuple) and program:
        program = program[0]
    return program if isinstance(program, str) else ""
