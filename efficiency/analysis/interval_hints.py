"""What to do where a row's interval is wide: how the timing ended, and how it can go on for longer."""

from __future__ import annotations

import math

from efficiency.analysis import disturbance_hints, own_minutes, wording
from efficiency.analysis.done import Done
from efficiency.analysis.kept import number_of
from efficiency.effort import PRECISION_PCT, Effort
from efficiency.study import PRESETS, TRAINING_EFFORTS, Preset

FEW_REPLICATES = 3
HARDLY_WIDER = 1.2
"""A narrower interval would decide nothing that one up to so many times as wide as was asked for does not."""


def wide_interval(done: Done) -> str:
    precision = done.effort("precision") or PRECISION_PCT / 100
    half = own_minutes.half(done.row)
    own = "wider" if math.isnan(half) else f"±{wording.number(100 * half, '%')}, wider"
    which = "By its own minutes alone the" if own_minutes.told(done.row) else "The"
    text = f"{which} interval is {own} than the ±{100 * precision:g} % asked for. "
    seen = disturbance_hints.named(done)
    if half < HARDLY_WIDER * precision and not seen:
        return f"{text}That is hardly worth more time."
    return text + " ".join(filter(None, (seen, more_time(done))))


def few_replicates(done: Done) -> str:
    text = f"Fewer than {FEW_REPLICATES} processes timed this row, so its interval is wide or missing. "
    planned = int(done.effort("replicates") or 0)
    if 0 < planned < FEW_REPLICATES:
        return text + f"The study asked for {planned} only: ask for more, or take a preset as it is."
    return text + more_time(done)


def more_time(done: Done) -> str:
    """What ended the timing, and how it can go on for longer."""
    used, most, budget_s = done.replicates, done.most_replicates, done.budget_s
    if not used or not most:
        return "Measure again, with a larger budget."
    planned = int(done.effort("replicates") or 0)
    if used < planned:  # which no budget cuts short
        return f"The study ended before all {planned} planned processes had timed it: run it again."
    if used < most and budget_s is not None:
        own = number_of(done.asked.get("budget_s")) is not None
        whose = "The budget" if own else f"The preset {done.preset}'s limit"
        more = f"raise it, such as to {_twice(budget_s):,} s" if own else _without_the_limit(done, budget_s)
        return f"{whose} of {budget_s:,.0f} s ended it after {used} of at most {most} processes: {more}."
    if used < most:
        return f"It ended after {used} of at most {most} processes: run the study again."
    usual = next((effort.precision for preset, effort in _efforts(done).items() if preset == done.preset), None)
    if usual is not None and (done.effort("precision") or usual) < usual:
        return (
            f"All {most} processes that so narrow an interval should take were used: this machine takes more. Ask for "
            "a wider one, or measure when it is quieter."
        )
    for preset, effort in _efforts(done).items():
        if preset != done.preset and effort.most_replicates > most:
            return (
                f"All {most} processes that the study allows were used: raise their number with the preset {preset}, "
                f"which allows {effort.most_replicates}."
            )
    return (
        f"All {most} processes were used, as many as the longest preset has: more time is unlikely to help. Hold the "
        "clock steady (no power saving, no boost), or take another machine; else this is as well as it is known here."
    )


def _without_the_limit(done: Done, limit_s: float) -> str:
    """How a study is measured for longer than its preset's limit; the page Training takes no budget."""
    unlimited = [preset for preset, effort in _efforts(done).items() if effort.budget_s is None]
    if done.row.get("phase") == "training" and unlimited:
        return f"take the preset {unlimited[0]}, which has no such limit"
    return f"give a budget of more, such as {_twice(limit_s):,} s"


def _efforts(done: Done) -> dict[Preset, Effort]:
    """Of the presets of the row's phase, the shortest first."""
    if done.row.get("phase") == "training":
        return TRAINING_EFFORTS
    return {preset: effort for preset, (_, effort) in PRESETS.items()}


def _twice(seconds: float) -> int:
    return max(60, 30 * math.ceil(2 * seconds / 30))
