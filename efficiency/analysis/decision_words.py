"""An answer in sentences: what to ship, with numbers and intervals, and what is to be known beside it. Plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from efficiency.analysis import confirmations, limit_words, row_words, speed, timing_again, wording
from efficiency.analysis import limits as limits_module
from efficiency.analysis.choice import Answer, Choice, Row
from efficiency.study import BASELINE

LEFT_OUT = {
    "failed": "failed",
    "not-applicable": "not applicable here",
    "cancelled": "cancelled",
    "no effect": "without any effect",
    "not timed": "without a speed-up",
}
NAMED = 3
"""Rows that cannot be chosen for one reason are named, or all but some."""
TAKES = {"peak_memory_mb": "peak memory while serving", "size_mb": "size"}
"""What a faster variant may take more of, by column."""
DEARER = 1.1
"""How many times the baseline's figure is told: peaks differ by a few per cent from process to process."""


def verdict(answer: Answer) -> str:
    """A few words before the sentence: `Ship it`, `Leads`, `Nothing meets the limits`."""
    found = answer.last
    if found.kind == "empty":
        return "Nothing to choose from"
    if found.winner is None:
        what = "Nothing" if answer.fresh is None else "Nothing that was timed again"
        return f"{what} {'is known to meet' if timing_again.is_open(found) else 'meets'} the limits"
    if found.winner["variant"] == BASELINE:
        return f"Leave it as it is{', so far' if _may_be_beaten(answer) else ''}"
    compared = len(found.tied) - len(found.uncompared)
    tied = f", one of {_number(compared + 1)} that can't be told apart" if compared else ""
    if not answer.confirmed:
        return f"Leads (not confirmed yet{', timed at a bad moment' if confirmations.disturbed(answer) else ''}){tied}"
    return f"Ship it{' (timed again at a bad moment)' if confirmations.disturbed(answer) else ''}{tied}"


def sentence(answer: Answer) -> str:
    """The answer."""
    found = answer.last
    if found.kind == "empty":
        return nothing_to_choose(found)
    if found.kind == "none":
        return _nothing_meets(answer)
    assert found.winner is not None
    row = found.winner
    if row["variant"] == BASELINE:
        led = answer.first.winner if answer.fresh is not None else None
        before = f"{led['variant_label']} led, but in fresh processes it is not surely faster. " if led else ""
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
        start = f"Ship {row['variant_label']}: {led} led, but fresh processes put it first"
        if answer.first.winner["variant"] in {tied["variant"] for tied in found.tied}:
            start = f"Ship {row['variant_label']}: {led} led, and fresh processes cannot tell the two apart"
    else:
        start = f"Ship {row['variant_label']}, which fresh processes confirm"
    if answer.confirmed and confirmations.disturbed(answer):
        start += ", though the machine was disturbed meanwhile"
    return f"{start}. {row_words.facts(row, found.limits)}{limit_words.probable(row, found.limits)}"


def _nothing_meets(answer: Answer) -> str:
    """What is closest, and what fresh processes changed where there are some."""
    found, before = answer.last, timing_again.candidate(answer.first)
    text = limit_words.closest(found, again=answer.fresh is not None)
    if answer.fresh is None or before is None:
        return text
    name, led = before["variant_label"], answer.first.winner is not None
    meanwhile = ", taken while the machine was disturbed," if confirmations.disturbed(answer) else ""
    if not timing_again.is_open(found):
        failed = f"but not in fresh processes{meanwhile.rstrip(',')}"
        return f"{name} {'led' if led else 'might have met the limits'}, {failed}. {text}"
    if led:
        return f"{name} led, and in fresh processes{meanwhile} that is not settled. {text}"
    return f"In fresh processes, too{meanwhile or ','} {text[0].lower()}{text[1:]}"


def _may_be_beaten(answer: Answer) -> bool:
    """Whether something surely faster than the baseline may yet turn out to meet the limits."""
    return any(row["speed_verdict"] == "faster" for row in answer.first.unsettled)


def beside(answer: Answer) -> list[str]:
    """What is to be known beside the answer, a sentence each: confirmations that differ, ties, its price, the
    runner-up, what is not settled."""
    found = answer.last
    told = [*confirmations.otherwise(answer), confirmations.moved(answer), confirmations.moved_p99(answer)]
    told += [_tied(found), _uncompared(found)]
    if found.winner is not None:
        told.append(row_words.by_medians(found.winner, found.baseline))
    told += [_by_p99(found), _dearer(found), _as_measured(found), _runner_up(answer)]
    told.append(_unsettled(answer.first))
    told += _unknown(answer)
    if found.kind != "empty":
        told.append(_left_out(answer.first))
    return [text for text in told if text]


def _by_p99(found: Choice) -> str:
    """What comes after the winner and has surely the lower p99, where that is limited: order is by speed-up."""
    winner, after = found.winner, [*found.tied, *([found.runner_up] if found.runner_up else [])]
    if winner is None or not limits_module.of_p99(found.limits):
        return ""
    lower = [row for row in after if row["latency_ms_p99_ci_high"] < winner["latency_ms_p99_ci_low"]]
    if not lower:
        return ""
    first = min(lower, key=lambda row: float(row["latency_ms_p99"]))
    return (
        f"It is first by its speed-up; by p99 {first['variant_label']} is faster: "
        f"{wording.number(first['latency_ms_p99'], 'ms')} in place of {wording.number(winner['latency_ms_p99'], 'ms')}."
    )


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
    return f"It takes more than the baseline: {wording.listed(told)}." if told else ""


def _as_measured(found: Choice) -> str:
    """Of an older study nothing says how far a p99 can be trusted, which rests on the few slowest calls."""
    if found.winner is None or not limits_module.of_p99(found.limits):
        return ""
    if pd.notna(found.winner["latency_ms_p99_ci_high"]):
        return ""
    return "Its p99 counts as it was measured: it has no interval, so a limit close to it is kept only perhaps."


def _tied(found: Choice) -> str:
    apart = {row["row_id"] for row in found.uncompared}
    compared = [row for row in found.tied if row["row_id"] not in apart]
    if not compared or found.winner is None:
        return ""
    names = wording.listed([row["variant_label"] for row in (found.winner, *compared)])
    these = f"These {_number(len(compared) + 1)} can't be told apart, or only within {found.equivalence_pct:g} %"
    return f"{these}: {names}. Compared directly, in the same processes.{_surer(found, compared)}"


def _surer(found: Choice, tied: list[Row]) -> str:
    """Which of the tied surely keep to all limits, where the winner does so but probably."""
    state = limits_module.states(pd.DataFrame([found.winner, *tied]), found.limits)
    sure = (state == "met").all(axis=1)
    names = [row["variant_label"] for row, one in zip(tied, sure.iloc[1:], strict=True) if one]
    if sure.iloc[0] or not names:
        return ""
    return f" Of them {wording.listed(names)} surely {'keeps' if len(names) == 1 else 'keep'} to all limits."


def _uncompared(found: Choice) -> str:
    if not found.uncompared or found.winner is None:
        return ""
    names, one = wording.listed([row["variant_label"] for row in found.uncompared]), len(found.uncompared) == 1
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
    limits = answer.last.limits
    told = f"{row_words.facts(row, limits)}{limit_words.probable(row, limits)}"
    return f"Runner-up{', not timed again' if before else ''}: {row['variant_label']}, {told}"


def _unsettled(found: Choice) -> str:
    if not found.unsettled or found.winner is None:
        return ""
    names = [f"{row['variant_label']} ({row['speedup']:.2f}x)" for row in found.unsettled]
    return (
        f"At least as fast, but whether {'it meets' if len(names) == 1 else 'they meet'} the limits is not settled: "
        f"{wording.listed(names)}. More test rows or narrower intervals may settle it."
    )


def _unknown(answer: Answer) -> list[str]:
    """A sentence a limit that some rows cannot be held against."""
    told, found = [], answer.first
    for name, count in (found.unknown or {}).items():
        kind = limits_module.kind_of(name, found.limits)
        why = f": {speed.P99_TAKES}" if kind.column == "latency_ms_p99" else ""
        has = "has" if count == 1 else "have"
        rows = f"of the study's {found.considered} rows" if answer.fresh else f"of {found.considered} rows"
        told.append(
            f"{count} {rows} {has} no figure of {kind.title.lower()} and so cannot be held against its limit{why}."
            + (f" {speed.P99_BY}" if why else "")
        )
    return told


def _left_out(found: Choice) -> str:
    told = _by_why(found)
    return f"Not among those to choose from: {wording.listed(told)}." if told else ""


def _by_why(found: Choice) -> list[str]:
    """`2 failed (A and B)`: why rows cannot be chosen, and which they are."""
    return [
        f"{len(names)} {LEFT_OUT.get(why, why)} ({wording.some(names, NAMED)})"
        for why, names in (found.left_out or {}).items()
    ]


def nothing_to_choose(found: Choice) -> str:
    """Why there is no row that could be chosen."""
    told = _by_why(found)
    if not told:
        return "There is no row to choose from."
    return f"There is no row to choose from: {wording.listed(told)}. The page Explore says why, row by row."


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
