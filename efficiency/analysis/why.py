"""Why a row is not faster: its verdict with the numbers behind it, what explains it, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from efficiency.analysis import causes_in_fp32, views
from efficiency.analysis.case import Case, Values
from efficiency.analysis.causes import CAUSES
from efficiency.analysis.kept import number_of
from efficiency.equivalence import equivalence_pct_of
from efficiency.study import BASELINE, CONTROL

if TYPE_CHECKING:
    from efficiency.results.store import StudyRecord


def asked_of(row: Values) -> bool:
    """Whether the question is one: the row was timed, claims something, and is not faster."""
    verdict = row.get("speed_verdict")
    return verdict in ("same", "slower", "unresolved") and row.get("variant") not in (BASELINE, CONTROL)


def reasons(case: Case) -> list[str]:
    """The verdict, then what explains it, the most telling first, or that nothing does, then what to try.

    Empty for a row that is faster.
    """
    if not asked_of(case.row) or case.number("speedup_ci_low") is None:
        return []
    explained = list(filter(None, (say(case) for say in CAUSES))) or [causes_in_fp32.unknown(case)]
    return [_verdict(case), *explained, *_next(case)]


def of_study(
    rows: Iterable[Values], study: StudyRecord, details: Callable[[int], Values]
) -> list[tuple[str, str, list[str]]]:
    """(workload and condition, variant, reasons) of every row that is not faster.

    `rows` are those of one study, as `views.prepared` has them.
    """
    panels: dict[tuple[object, ...], list[Values]] = {}
    band_pct = equivalence_pct_of(study.asked)
    for row in rows:
        panels.setdefault(tuple(row[name] for name in views.PANEL), []).append(row)
    found = []
    for beside in panels.values():
        reference = next((details(int(row["row_id"])) for row in beside if row["variant"] == BASELINE), {})
        for row in filter(asked_of, beside):
            case = Case(row, details(int(row["row_id"])), study.machine, beside, reference, band_pct)
            found.append((f"{row['workload']}, {row['condition']}", str(row["variant"]), reasons(case)))
    return found


def _ends(low: float, high: float) -> str:
    """`[0.98, 1.03]`, with a third decimal where two would not show what is meant."""
    places = 3 if high - low < 0.05 else 2
    return f"[{low:.{places}f}, {high:.{places}f}]"


def _verdict(case: Case) -> str:
    ratio, low, high = (case.number(f"speedup{part}") or math.nan for part in ("", "_ci_low", "_ci_high"))
    ends, equal = _ends(low, high), 1 + case.equivalence_pct / 100
    band = f"±{case.equivalence_pct:g} %"
    if case.row.get("speed_verdict") == "same":
        return f"The interval {ends} lies within {band}: whatever difference there is, is of no practical worth."
    if case.row.get("speed_verdict") == "slower":
        return f"It is slower: a call takes {1 / ratio:.2f}x the baseline's time, {_ends(1 / high, 1 / low)}."
    noise = case.number("noise_pct") or 0.0
    if low >= 1 / equal and high <= equal:
        return (
            f"Not resolved: the interval {ends} lies within {band}, but the control, where nothing differs, reaches "
            f"±{noise:.2f} %: this measurement cannot tell so little."
        )
    if low <= 1 <= high:
        half = 100 * (math.sqrt(high / low) - 1)
        return f"Not resolved: the interval {ends} holds 1 and reaches beyond {band}; it is ±{half:.1f} % wide."
    if 1 / equal <= ratio <= equal:
        return (
            f"Not resolved: the interval {ends} lies on one side of 1, but {ratio:.3f} is within {band}, of no "
            "practical worth, and the interval reaches beyond it: neither a difference nor “same” can be said."
        )
    if 1 / (1 + noise / 100) <= ratio <= 1 + noise / 100:
        return (
            f"Not resolved: {ratio:.2f} {ends} is no more than what the control shows, where nothing differs "
            f"(noise floor ±{noise:.1f} %)."
        )
    return f"Not resolved: {ratio:.2f} {ends} may be luck, as one of many variants that this study compares."


def _next(case: Case) -> list[str]:
    """What was faster here: the best that has these techniques and more, and the best of all."""
    others = [row for row in case.beside if row.get("variant") != CONTROL and row.get("accuracy_verdict") != "lost"]
    better = [row for row in others if row.get("speed_verdict") == "faster"]
    if not better:
        return ["Nothing in this study is surely faster here without losing accuracy."]
    own = set(case.techniques)
    best = max(better, key=_gain)
    wider = max((row for row in better if own and own < set(str(row["variant"]).split("+"))), key=_gain, default=None)
    told = [f"Combined it is faster: {_called(wider)}."] if wider is not None and wider is not best else []
    return [*told, f"The fastest here{' has it, too' if wider is best else ''}: {_called(best)}."]


def _gain(row: Values) -> float:
    return number_of(row.get("speedup")) or 0.0


def _called(row: Values) -> str:
    low, high = (number_of(row.get(f"speedup_ci_{end}")) for end in ("low", "high"))
    ends = "" if low is None or high is None else f" {_ends(low, high)}"
    unsettled = "; whether it keeps the accuracy is not settled" if row.get("accuracy_verdict") == "unresolved" else ""
    return f"{views.variant_label(str(row['variant']))} with {_gain(row):.2f}x{ends}{unsettled}"
