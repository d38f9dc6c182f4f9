"""What of an answer is timed again in fresh processes, which alone can confirm it.

The fastest of many is partly so by luck, and what a limit on latency leaves open more calls may settle.
"""

from __future__ import annotations

import pandas as pd

from efficiency.analysis import limits
from efficiency.analysis.choice import OPEN, Choice, Row
from efficiency.study import BASELINE

MAY_YET = (*OPEN, "unknown")
"""States of a limit that do not rule a row out: what is not known may be kept to, and a p99 is found by more calls."""
TIED_AGAIN = 3
"""Ties that are timed again, the fastest."""


def candidate(choice: Choice) -> Row | None:
    """Whose confirmations count: the winner's, or the closest's where no limit rules it out.

    None where that is the baseline: that nothing is surely faster needs no confirmation.
    """
    row = choice.winner or (choice.closest if is_open(choice) else None)
    return None if row is None or row["variant"] == BASELINE else row


def lead(choice: Choice) -> Row | None:
    """What fresh processes can settle: the candidate, unless more than its latency is open."""
    return candidate(choice) if all(miss.limit == "latency_ms" for miss in choice.misses) else None


def is_open(choice: Choice) -> bool:
    """Whether nothing is known to meet the limits, and yet something may."""
    return choice.kind == "none" and all(miss.state in MAY_YET for miss in choice.misses)


def variants(choice: Choice) -> tuple[str, ...]:
    """Keys of the variants that a confirmation times: the lead, those tied with it, the runner-up, and what is faster
    and of which it may settle whether it keeps to the limits."""
    row = lead(choice)
    if row is None:
        return ()
    others = [*choice.tied[:TIED_AGAIN], *([choice.runner_up] if choice.runner_up else []), *_by_timing(choice)]
    return tuple(dict.fromkeys(row["variant"] for row in (row, *others) if row["variant"] != BASELINE))


def _by_timing(choice: Choice) -> list[Row]:
    """Of the unsettled those of which nothing but the latency is open."""
    if not choice.unsettled:
        return []
    state = limits.states(pd.DataFrame(choice.unsettled), choice.limits)
    kept = limits.counting(state, choice.limits).drop(columns="latency_ms", errors="ignore").all(axis=1)
    return [row for row, one in zip(choice.unsettled, kept, strict=True) if one]
