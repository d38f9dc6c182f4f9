"""Confirmations: where those of two times do not go together, and whether another is worth its time."""

from __future__ import annotations

import pandas as pd

from efficiency.analysis import any_hour, row_words, wording
from efficiency.analysis.choice import Answer, Confirmation, Row
from efficiency.analysis.limits import of_p99
from efficiency.study import BASELINE


def otherwise(answer: Answer) -> list[str]:
    """What earlier confirmations said, where the last one does not bear them out; timing again may settle that."""
    return [told for one in answer.before if (told := _against(one, answer))]


def moved(answer: Answer) -> str:
    """What the study itself found of the winner's speed, where timing it again surely found another."""
    now = answer.last.winner
    was = None if now is None else answer.own.get(now["variant"])
    if now is None or was is None or now["variant"] == BASELINE or _overlap(was, now):
        return ""
    more = _apart(was, now, answer.last.equivalence_pct)
    why = "hours alone do not explain that" if more else "hours alone may explain that"
    return f"The study itself had it at {_times(was)}, and timed again it is at {_times(now)}: {why}."


def moved_p99(answer: Answer) -> str:
    """What the study itself found of the p99 of what is answered with, where that is limited and timing again surely
    found another."""
    now = answer.row
    was = None if now is None else answer.own.get(now["variant"])
    if now is None or was is None or not of_p99(answer.last.limits) or _overlap(was, now, *_P99_ENDS):
        return ""
    then, last = (
        wording.number(row["latency_ms_p99"], "ms") + row_words.ends(row, *_P99_ENDS, "ms") for row in (was, now)
    )
    return (
        f"The study itself had its p99 at {then}, and timed again it is {last}: it rests on the slowest "
        "calls, those that something disturbed. Whether a limit near it holds only a test under your own load can tell."
    )


_P99_ENDS = ("latency_ms_p99_ci_low", "latency_ms_p99_ci_high")


def _overlap(one: Row, other: Row, low: str = "speedup_ci_low", high: str = "speedup_ci_high") -> bool:
    """Whether their intervals do; where one has none nothing speaks against it."""
    apart = one[high] < other[low] or one[low] > other[high]
    return not apart


def worth_timing_again(answer: Answer) -> bool:
    """Whether what leads was not timed again yet, or before with another result, or when the machine was disturbed, or
    too few times for the percentile that is limited now."""
    return answer.fresh is None or bool(otherwise(answer)) or disturbed(answer) or _too_few_calls(answer)


def _too_few_calls(answer: Answer) -> bool:
    return any(miss.limit == "latency_ms" and miss.state == "unknown" for miss in answer.last.misses)


def disturbed(answer: Answer) -> bool:
    """Whether the machine was when what is answered with was timed."""
    return answer.row is not None and bool(answer.row["disturbed"])


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


_AGAIN = " Timing it once more, on the same machine, may show which holds."


def _apart(one: Row, other: Row, equivalence_pct: float) -> bool:
    """Whether two speed-ups differ by more than hours do, the band of practical equivalence and the noise."""
    slow, fast = sorted((one, other), key=lambda row: float(row["speedup"]))
    noise_pct = max(equivalence_pct, *(row["noise_pct"] for row in (one, other) if pd.notna(row["noise_pct"])), 0.0)
    least, _ = any_hour.change(slow, fast)
    return bool(least > 1 + noise_pct / 100)


def _times(row: Row) -> str:
    """`2.86x (95 %: 2.81–2.90x)`."""
    return wording.number(row["speedup"], "x") + row_words.ends(row, "speedup_ci_low", "speedup_ci_high", "x")
