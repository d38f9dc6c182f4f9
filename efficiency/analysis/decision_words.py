"""An answer in sentences: what to ship, with numbers and intervals, and what is to be known beside it. Plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from efficiency.analysis import limits as limits_module
from efficiency.analysis import notes, speed, wording
from efficiency.analysis.choice import Answer, Choice, Confirmation, Row
from efficiency.analysis.limits import Kind, Limits
from efficiency.study import BASELINE

LEFT_OUT = {
    "failed": "failed",
    "not-applicable": "not applicable here",
    "cancelled": "cancelled",
    "no effect": "without any effect",
    "not timed": "without a speed-up",
}
TAKES = {"peak_memory_mb": "peak memory while serving", "size_mb": "size"}
"""What a faster variant may take more of, by column."""
DEARER = 1.1
"""How many times the baseline's figure is told: peaks differ by a few per cent from process to process."""


def verdict(answer: Answer) -> str:
    """A few words before the sentence: `Ship it`, `Leads`, `Nothing meets the limits`."""
    found = answer.last
    if found.kind != "found" or found.winner is None:
        return "Nothing to choose from" if found.kind == "empty" else "Nothing meets the limits"
    if found.winner["variant"] == BASELINE:
        return "Leave it as it is"
    compared = len(found.tied) - len(found.uncompared)
    tied = f", one of {_number(compared + 1)} that can't be told apart" if compared else ""
    return ("Ship it" if answer.confirmed else "Leads (not confirmed yet)") + tied


def sentence(answer: Answer) -> str:
    """The answer."""
    found = answer.last
    if found.kind == "empty":
        return nothing_to_choose(found)
    if found.kind == "none":
        led = answer.first.winner
        text = closest(found, again=answer.fresh is not None and led is not None)
        if answer.fresh is None:
            return text
        if led is None:
            return f"On fresh replicates, too, {text[0].lower()}{text[1:]}"
        return f"{led['variant_label']} led, but not on fresh replicates. {text}"
    assert found.winner is not None
    row = found.winner
    if row["variant"] == BASELINE:
        led = answer.first.winner if answer.fresh is not None else None
        before = f"{led['variant_label']} led, but on fresh replicates it is not surely faster. " if led else ""
        told = f"{before}Leave it as it is: nothing that meets the limits is surely faster than the baseline"
        others = found.considered - 1
        if not others:
            return f"{told}."
        measured = "timed again" if answer.fresh is not None else "measured here"
        return f"{told}, of the {others} {'variant' if others == 1 else 'variants'} {measured}."
    if not answer.confirmed:
        start = f"{row['variant_label']} leads (not confirmed yet)"
    elif answer.first.winner is not None and answer.first.winner["variant"] != row["variant"]:
        led = answer.first.winner["variant_label"]
        start = f"Ship {row['variant_label']}: {led} led, but fresh replicates put it first"
        if answer.first.winner["variant"] in {tied["variant"] for tied in found.tied}:
            start = f"Ship {row['variant_label']}: {led} led, and fresh replicates cannot tell the two apart"
    else:
        start = f"Ship {row['variant_label']}, which fresh replicates confirm"
    return f"{start}. {facts(row, found.limits)}{_probable(row, found.limits)}"


ALWAYS = ("latency_ms_p50", "accuracy_delta_pp", "size_mb")
"""Columns of figures that are told whatever is asked, beside the speed."""


def facts(row: Mapping[str, Any], limits: Limits) -> str:
    """`2.86x the baseline's speed (95 %: 2.81–2.90x), 0.354 ms a call at p50 (...), -0.25 pp of accuracy (...), 14 MB.`

    Then the figure of whatever else was limited: `, 0.41 ms of latency p99 (95 %: 0.40–0.44 ms)`.
    """
    parts = [
        f"{wording.number(row['speedup'], 'x')} the baseline's speed"
        + _ends(row, "speedup_ci_low", "speedup_ci_high", "x"),
        f"{wording.number(row['latency_ms_p50'], 'ms')} a call at p50"
        + _ends(row, "latency_low_ms", "latency_high_ms", "ms"),
    ]
    if pd.notna(row["accuracy_delta_pp"]):
        delta = f"{round(row['accuracy_delta_pp'], 2) + 0.0:+.2f} pp of accuracy"
        parts.append(delta + _ends(row, "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", "pp"))
    if pd.notna(row["size_mb"]):
        size = wording.size(row)
        parts.append(wording.number(row["size_mb"], "MB") + (f" ({size})" if size else ""))
    for kind in (limits_module.kind_of(name, limits) for name in limits.asked):
        if kind.column not in ALWAYS:
            ends = _ends(row, kind.best, kind.worst, kind.unit) if kind.best and kind.worst else ""
            parts.append(f"{wording.number(row[kind.column], kind.unit)} of {kind.title.lower()}{ends}")
    return ", ".join(parts) + "."


def _ends(row: Mapping[str, Any], low: str, high: str, unit: str) -> str:
    found = wording.interval(row[low], row[high], unit)
    return f" (95 %: {found})" if found else ""


def _probable(row: Row, limits: Limits) -> str:
    """Which limits it meets probably but not surely."""
    states = limits_module.states(pd.DataFrame([row]), limits).iloc[0]
    told = [_limit(str(name), limits) for name in states.index if states[name] == "probably"]
    if not told:
        return ""
    return f" It probably keeps to {_and(told)}, but the 95 % interval does not say so for sure."


def _limit(name: str, limits: Limits) -> str:
    """`0.5 pp of accuracy lost`, `10 ms of latency (p99)`."""
    kind, value = limits_module.KINDS[name], getattr(limits, name)
    what = {"accuracy_drop_pp": "accuracy lost", "latency_ms": f"latency ({limits.percentile})"}.get(
        name, kind.title.lower()
    )
    return f"{value:g} {kind.unit} of {what}"


def asked(limits: Limits) -> str:
    """`at most 0.5 pp of accuracy lost and 10 ms of latency (p50)`; `no limits`."""
    found = [_limit(name, limits) for name in limits.asked]
    return f"at most {_and(found)}" if found else "no limits"


def beside(answer: Answer) -> list[str]:
    """What is to be known beside the answer, a sentence each: confirmations that differ, ties, its price, the
    runner-up, what is not settled."""
    found = answer.last
    told = [*otherwise(answer), _tied(found), _uncompared(found)]
    told += [_dearer(found), _as_measured(found), _runner_up(answer)]
    told.append(_unsettled(answer.first))
    told += _unknown(answer.first)
    if found.kind != "empty":
        told.append(_left_out(answer.first))
    return [text for text in told if text]


def otherwise(answer: Answer) -> list[str]:
    """What earlier confirmations said, where the last one does not bear them out; timing again may settle that."""
    return [told for one in answer.before if (told := _against(one, answer))]


def worth_timing_again(answer: Answer) -> bool:
    """Whether what leads was not timed again yet, or before with another result, or when the machine was disturbed."""
    row = answer.row
    warned = set() if row is None else {*str(row["warnings"]).split(";")}
    return answer.fresh is None or bool(otherwise(answer)) or not warned.isdisjoint(notes.DISTURBED)


def _against(before: Confirmation, answer: Answer) -> str:
    """Two confirmations differ where only one found what keeps to the limits, or in how fast a winner of either is."""
    was, now = before.choice.winner, answer.last.winner
    if was is None and now is not None:
        return f"In an earlier confirmation nothing kept to the limits.{_AGAIN}"
    if now is None and was is not None and was["variant"] in answer.again:
        return f"In an earlier confirmation {was['variant_label']} kept to the limits.{_AGAIN}"
    for row in filter(None, (now, was)):
        then, last = before.rows.get(row["variant"]), answer.again.get(row["variant"])
        if then and last and _apart(then, last, answer.last.equivalence_pct):
            return (
                f"An earlier confirmation had {row['variant_label']} at {_times(then)}, the last one at "
                f"{_times(last)}: something differed between the two.{_AGAIN}"
            )
    return ""


_AGAIN = " Time it again to see which holds."


def _apart(one: Row, other: Row, equivalence_pct: float) -> bool:
    """Whether two speed-ups differ by more than their intervals, the band of practical equivalence and the noise."""
    slow, fast = sorted((one, other), key=lambda row: float(row["speedup"]))
    noise_pct = max(equivalence_pct, *(row["noise_pct"] for row in (one, other) if pd.notna(row["noise_pct"])), 0.0)
    return bool(fast["speedup_ci_low"] > slow["speedup_ci_high"] * (1 + noise_pct / 100))


def _times(row: Row) -> str:
    """`2.86x (95 %: 2.81–2.90x)`."""
    return wording.number(row["speedup"], "x") + _ends(row, "speedup_ci_low", "speedup_ci_high", "x")


def _dearer(found: Choice) -> str:
    """What the winner takes more of than the baseline does."""
    own, base = found.winner, found.baseline
    if own is None or base is None:
        return ""
    told = [
        f"{wording.number(own[column], 'MB')} of {what} in place of {wording.number(base[column], 'MB')}"
        for column, what in TAKES.items()
        if own[column] > DEARER * base[column]  # False where one is not known
    ]
    return f"It takes more than the baseline: {_and(told)}." if told else ""


def _as_measured(found: Choice) -> str:
    """Of an older study nothing says how far a p99 can be trusted, which rests on the few slowest calls."""
    if found.winner is None or found.limits.latency_ms is None or found.limits.percentile != "p99":
        return ""
    if pd.notna(found.winner["latency_ms_p99_ci_high"]):
        return ""
    return "Its p99 counts as it was measured: it has no interval, so a limit close to it is kept only perhaps."


def _tied(found: Choice) -> str:
    apart = {row["row_id"] for row in found.uncompared}
    compared = [row for row in found.tied if row["row_id"] not in apart]
    if not compared or found.winner is None:
        return ""
    names = _and([row["variant_label"] for row in (found.winner, *compared)])
    these = f"These {_number(len(compared) + 1)} can't be told apart, or only within {found.equivalence_pct:g} %"
    return f"{these}: {names}. Compared directly, in the same processes.{_surer(found, compared)}"


def _surer(found: Choice, tied: list[Row]) -> str:
    """Which of the tied surely keep to all limits, where the winner does so but probably."""
    state = limits_module.states(pd.DataFrame([found.winner, *tied]), found.limits)
    sure = (state == "met").all(axis=1)
    names = [row["variant_label"] for row, one in zip(tied, sure.iloc[1:], strict=True) if one]
    if sure.iloc[0] or not names:
        return ""
    return f" Of them {_and(names)} surely {'keeps' if len(names) == 1 else 'keep'} to all limits."


def _uncompared(found: Choice) -> str:
    if not found.uncompared or found.winner is None:
        return ""
    names, one = _and([row["variant_label"] for row in found.uncompared]), len(found.uncompared) == 1
    return (
        f"By {'its own interval' if one else 'their own intervals'} {names} may be as fast, but "
        f"{'was' if one else 'were'} not compared directly with {found.winner['variant_label']}: not two processes are "
        "known to have timed both."
    )


def _runner_up(answer: Answer) -> str:
    row = answer.runner_up
    if row is None:
        return ""
    before = answer.fresh is not None and row["variant"] not in answer.again
    return f"Runner-up{', not timed again' if before else ''}: {row['variant_label']}, {facts(row, answer.last.limits)}"


def _unsettled(found: Choice) -> str:
    if not found.unsettled or found.winner is None:
        return ""
    names = [f"{row['variant_label']} ({row['speedup']:.2f}x)" for row in found.unsettled]
    return (
        f"At least as fast, but whether {'it meets' if len(names) == 1 else 'they meet'} the limits is not settled: "
        f"{_and(names)}. More test rows or replicates may settle it."
    )


def _unknown(found: Choice) -> list[str]:
    """A sentence a limit that some rows cannot be held against."""
    told = []
    for name, count in (found.unknown or {}).items():
        kind = limits_module.kind_of(name, found.limits)
        why = f": {speed.P99_TAKES}" if kind.column == "latency_ms_p99" else ""
        has = "has" if count == 1 else "have"
        told.append(
            f"{count} of {found.considered} rows {has} no figure of {kind.title.lower()} and so cannot keep to its "
            f"limit{why}."
        )
    return told


def _left_out(found: Choice) -> str:
    told = [f"{count} {LEFT_OUT.get(why, why)}" for why, count in (found.left_out or {}).items()]
    return f"Not among those to choose from: {_and(told)}." if told else ""


def nothing_to_choose(found: Choice) -> str:
    """Why there is no row that could be chosen."""
    told = [f"{count} {LEFT_OUT.get(why, why)}" for why, count in (found.left_out or {}).items()]
    if not told:
        return "There is no row to choose from."
    return f"There is no row to choose from: {_and(told)}. The page Explore says why, row by row."


def closest(found: Choice, *, again: bool = False) -> str:
    """The closest miss, with what it misses and by how much, and why nothing else does better.

    `again`: the rows are those that were timed again.
    """
    row, limits = found.closest, found.limits
    assert row is not None
    told = []
    for miss in found.misses:
        kind, limit = limits_module.kind_of(miss.limit, limits), getattr(limits, miss.limit)
        if pd.isna(miss.value):
            median = f", but cannot be below its median of {wording.number(row['latency_ms_p50'], 'ms')}"
            told.append(f"its {kind.title.lower()} is not known{median if miss.state == 'missed' else ''}")
        elif miss.value <= limit:
            known = f"measured: {miss.value:.3g}{_ends_of_cost(row, kind)}"
            told.append(f"whether it keeps to {_limit(miss.limit, limits)} is not sure ({known})")
        else:
            told.append(
                f"{kind.title.lower()} {wording.number(miss.value, kind.unit)}, "
                f"{wording.number(miss.value - limit, kind.unit)} over {_limit(miss.limit, limits)}"
            )
    return (
        f"None of {found.considered} rows{' that were timed again' if again else ''} meets the limits. {_why(found)} "
        f"The closest miss is {row['variant_label']} ({row['speedup']:.2f}x): {_and(told)}."
    )


def _ends_of_cost(row: Row, kind: Kind) -> str:
    """`, 95 %: 0.24–0.50 ms`; empty of what has no interval."""
    if not (kind.best and kind.worst):
        return ""
    ends = wording.interval(kind.sign * row[kind.best], kind.sign * row[kind.worst], kind.unit)
    return f", 95 %: {ends}" if ends else ""


def _why(found: Choice) -> str:
    if found.impossible:
        none = _and([_limit(name, found.limits) for name in found.impossible])
        return f"Even alone no row meets {none}."
    if found.unsure:
        unsure = _and([_limit(name, found.limits) for name in found.unsure])
        return f"No row is known to meet {unsure}, though some may."
    if found.unheld:
        kinds = [limits_module.kind_of(name, found.limits).title.lower() for name in found.unheld]
        return " ".join(
            f"No row is known to keep to the limit on its {kind}, and some have no such figure." for kind in kinds
        )
    if found.unsettled:
        names = _and([row["variant_label"] for row in found.unsettled])
        return f"Each limit alone is met by some row. Whether one row meets all is not settled: {names} may."
    if len(found.limits.asked) > 1:
        return "Each limit alone is met by some row, but they contradict each other here: no row meets all."
    return ""


def cost_per_million(row: Mapping[str, Any], price_per_hour: float) -> float | None:
    """What a million calls cost, one after the other in one process, by the median latency; in the price's money."""
    latency_ms = row["latency_ms_p50"]
    return None if pd.isna(latency_ms) else price_per_hour * float(latency_ms) / 3.6


def money(row: Mapping[str, Any], price_per_hour: float | None) -> str:
    """Cost and break-even, in a sentence; empty where neither is known."""
    told = []
    if price_per_hour and (cost := cost_per_million(row, price_per_hour)) is not None:
        told.append(
            f"A million calls cost {wording.number(cost)} at {price_per_hour:g} an hour: one process, one call after "
            "the other, by the median latency."
        )
    if pd.notna(row["break_even_calls"]):
        told.append(f"Its preparation has paid for itself after {row['break_even_calls']:,.0f} calls.")
    return " ".join(told)


def _number(count: int) -> str:
    return {2: "two", 3: "three", 4: "four", 5: "five"}.get(count, str(count))


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
