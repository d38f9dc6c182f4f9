"""Limits in words: what was asked, what a row keeps to but probably, the closest miss where nothing keeps to all."""

from __future__ import annotations

import pandas as pd

from efficiency.analysis import limits as limits_module
from efficiency.analysis import timing_again, wording
from efficiency.analysis.choice import OPEN, Choice, Row
from efficiency.analysis.limits import Kind, Limits


def probable(row: Row, limits: Limits) -> str:
    """Which limits it meets probably but not surely."""
    states = limits_module.states(pd.DataFrame([row]), limits).iloc[0]
    told = [limit(str(name), limits) for name in states.index if states[name] == "probably"]
    if not told:
        return ""
    return f" It probably keeps to {wording.listed(told)}, but the 95 % interval does not say so for sure."


def limit(name: str, limits: Limits) -> str:
    """`0.5 pp of accuracy lost`, `10 ms of latency (p99)`."""
    kind, value = limits_module.KINDS[name], getattr(limits, name)
    what = {"accuracy_drop_pp": "accuracy lost", "latency_ms": f"latency ({limits.percentile})"}.get(
        name, kind.title.lower()
    )
    return f"{wording.exact(value)} {kind.unit} of {what}"


def asked(limits: Limits) -> str:
    """`at most 0.5 pp of accuracy lost and 10 ms of latency (p50)`; `no limits`."""
    found = [limit(name, limits) for name in limits.asked]
    return f"at most {wording.listed(found)}{', surely' if limits.sure else ''}" if found else "no limits"


def closest(found: Choice, *, again: bool = False) -> str:
    """The closest miss, with what it misses and by how much, and why nothing else does better.

    `again`: the rows are those that were timed again.
    """
    row, limits = found.closest, found.limits
    assert row is not None
    told = []
    for miss in found.misses:
        kind, most = limits_module.kind_of(miss.limit, limits), getattr(limits, miss.limit)
        if pd.isna(miss.value):
            median = f", but cannot be below its median of {wording.number(row['latency_ms_p50'], 'ms')}"
            told.append(f"its {kind.title.lower()} is not known{median if miss.state == 'missed' else ''}")
        elif miss.state in OPEN:
            known = f"measured: {miss.value:.3g}{_ends_of_cost(row, kind)}"
            told.append(f"whether it keeps to {limit(miss.limit, limits)} is not sure ({known})")
        else:
            told.append(
                f"{kind.title.lower()} {wording.number(miss.value, kind.unit)}, "
                f"{wording.number(miss.value - most, kind.unit)} over {limit(miss.limit, limits)}"
            )
    none = f"None of {found.considered} rows{' that were timed again' if again else ''}"
    meets, name = ("is known to meet", "closest") if timing_again.is_open(found) else ("meets", "closest miss")
    return (
        f"{none} {meets} the limits. {_why(found, again)} The {name} is {row['variant_label']} "
        f"({row['speedup']:.2f}x): {wording.listed(told)}."
    )


def _ends_of_cost(row: Row, kind: Kind) -> str:
    """`, 95 %: 0.24–0.50 ms`; empty of what has no interval."""
    if not (kind.best and kind.worst):
        return ""
    ends = wording.interval(kind.sign * row[kind.best], kind.sign * row[kind.worst], kind.unit)
    return f", 95 %: {ends}" if ends else ""


def _why(found: Choice, again: bool) -> str:
    """Why nothing meets them all; `again`: of what was timed again, which is not all that was measured."""
    no_row = "none of them" if again else "no row"
    if found.impossible:
        return " ".join(
            f"{no_row.capitalize()} keeps to {limit(name, found.limits)}, even if that were the only limit."
            for name in found.impossible
        )
    if found.unsure:
        unsure = wording.listed([limit(name, found.limits) for name in found.unsure])
        return f"{no_row.capitalize()} is known to meet {unsure}, though some may."
    if found.unheld:
        kinds = {name: limits_module.kind_of(name, found.limits) for name in found.unheld}
        return " ".join(
            f"{no_row.capitalize()} has a figure of {kind.title.lower()}."
            if (found.unknown or {}).get(name) == found.considered
            else f"{no_row.capitalize()} is known to keep to the limit on its {kind.title.lower()}, and some have no "
            "such figure."
            for name, kind in kinds.items()
        )
    if found.unsettled:
        names = wording.listed([row["variant_label"] for row in found.unsettled])
        return f"Each limit alone is met by some row. Whether one row meets all is not settled: {names} may."
    if len(found.limits.asked) > 1:
        return f"Each limit alone is met by some row, but they contradict each other here: {no_row} meets all."
    return ""
