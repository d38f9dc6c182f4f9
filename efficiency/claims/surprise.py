"""Which claims surprise most: those that do not hold here, and by how far."""

from __future__ import annotations

import math
from collections.abc import Sequence

from efficiency.claims.base import Case, Judged


def surprising(found: Sequence[Judged]) -> list[tuple[Judged, Case]]:
    """Claims that do not hold in some case, with the case that lies furthest from its line: those that hold in none
    first, then by how far. A factor of two weighs as much as a percentage point."""
    against = [
        (one, max(cases, key=_short))
        for one in found
        if (cases := [case for case in one.cases if case.verdict == "does-not-hold"])
        and one.verdict in ("does-not-hold", "in-part")
    ]
    return sorted(against, key=lambda pair: (pair[0].verdict != "does-not-hold", -_short(pair[1])))


def _short(case: Case) -> float:
    """How far the figure stays below its line; 0 for a case without one."""
    figure = case.figure
    if figure is None:
        return 0.0
    if figure.unit == "pp":
        return figure.line - figure.value
    return math.log2(figure.line / figure.value) if figure.line > 0 and figure.value > 0 else 0.0
