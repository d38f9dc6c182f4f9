"""Times a heat: replicates, each a fresh process that holds all of its variants. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from efficiency import health
from efficiency.engine import at_work, replicate
from efficiency.engine.child import Message, ask
from efficiency.engine.orders import Orders
from efficiency.engine.recorder import Recorder
from efficiency.engine.schedule import Schedule
from efficiency.errors import VariantFailed
from efficiency.measure import latency
from efficiency.study import Effort, Entry

CALLS_IN_SILENCE = 1 + latency.WARM_UP_CALLS
"""A replicate gives a sign of life before every visit; the longest visit of a slow model is its first."""
MEMORY_SHARE = 0.8
"""Of the machine's memory, at most, for the variants of a heat together."""


@dataclass(frozen=True)
class Timing:
    """How the heats of a study are timed. `settle` ends a row; `say` tells what is being done."""

    orders: Orders
    recorder: Recorder
    schedule: Schedule
    effort: Effort
    memory_mb: float
    silence_s: Callable[[float], float]
    """How long a child may say nothing whose next step should take this long."""
    settle: Callable[[Entry, str, str], None]
    say: Callable[[str], None]

    @property
    def _most(self) -> int:
        return max(self.effort.replicates, self.effort.most_replicates)

    def heat(self, label: str, entries: list[Entry], started: Mapping[Entry, Message]) -> list[Entry]:
        """Time these entries, the baseline and the control first; those that were timed.

        `started` is what each one's cold start found. Where memory does not hold all variants together they
        are timed in several groups, with the baseline and the control in each.
        """
        heat = entries[0].workload, entries[0].condition
        least_s = latency.LEAST_CALLS * sum(started[entry]["first_call_ms"] for entry in entries) / 1e3
        seconds = max(self.effort.seconds_per_replicate, least_s)
        groups = list(self._groups(entries, started))
        self.schedule.expect_replicates(heat, len(entries), seconds * len(groups))
        timed: dict[Entry, None] = {}
        for part, group in enumerate(groups):
            try:
                timed |= dict.fromkeys(self._replicates(label, group, started, part))
            except VariantFailed as failure:
                # Without the FP32 model there is nothing to compare with; what was timed before keeps its own.
                for entry in group[2:] if timed else entries:
                    self.settle(entry, "failed", f"The heat could not be timed: {failure}")
                if not timed:
                    return []
        return list(timed)

    def _groups(self, entries: list[Entry], started: Mapping[Entry, Message]) -> Iterator[list[Entry]]:
        def needed_mb(entry: Entry) -> float:
            return float(started[entry]["peak_memory_mb"] or 0.0)

        always, rest = entries[:2], entries[2:]
        room_mb = MEMORY_SHARE * self.memory_mb - sum(map(needed_mb, always))
        group: list[Entry] = []
        for entry in rest:
            if group and sum(map(needed_mb, [*group, entry])) > room_mb:
                yield [*always, *group]
                group = []
            group.append(entry)
        yield [*always, *group]

    def _replicates(self, label: str, entries: list[Entry], started: Mapping[Entry, Message], part: int) -> list[Entry]:
        """As many as are planned, then more while an interval is too wide and the budget allows.

        A variant that brings a replicate down is dropped, and that one runs again. Raises `VariantFailed` where
        it was the FP32 model itself, or nobody knows.
        """
        heat = entries[0].workload, entries[0].condition
        alive, number, took_s = list(entries), 0, 0.0
        while number < self._most:
            seconds = self.schedule.seconds_a_replicate(len(alive))
            planned = number < self.effort.replicates
            if not planned and (
                self.recorder.precise(alive, self.effort.precision) or not self.schedule.affords_another(heat, took_s)
            ):
                break
            count = f"{number + 1} of {self.effort.replicates}" if planned else f"{number + 1}, for narrower intervals"
            self.say(f"{label}: timing {len(alive)} variants together, process {count}")
            try:
                # A group's numbers are its own: what was timed apart is never paired.
                place, before = part * self._most + number, health.read()
                answer = self._ask(alive, place, seconds, started)
            except VariantFailed as failure:
                suspect = self._suspect(alive)
                if suspect is None:
                    raise
                self.settle(suspect, "failed", f"While it was timed: {failure}")
                alive.remove(suspect)
                continue
            for entry in alive:
                self.recorder.timed(entry, place, answer["samples"][entry.variant.key])
            after = health.read()
            self.recorder.watched(alive, health.between(before, after))
            took_s = after.at_s - before.at_s
            self.schedule.over(*heat, number)
            number += 1
        return alive

    def _ask(self, alive: Sequence[Entry], number: int, seconds: float, started: Mapping[Entry, Message]) -> Message:
        self.orders.at_work.unlink(missing_ok=True)
        colds = [started[entry] for entry in alive]
        slowest_s = max(cold["load_s"] + CALLS_IN_SILENCE * cold["first_call_ms"] / 1e3 for cold in colds)
        return ask(
            replicate.run,
            self.orders.replicate(alive, number, seconds),
            start="fresh",
            log=self.orders.log,
            silence_s=self.silence_s(slowest_s),
        )

    def _suspect(self, alive: Sequence[Entry]) -> Entry | None:
        """The variant that was at work when the process died; None for the FP32 model, or where nobody is known.

        The control is that model, too, and without it there is no noise floor to judge the others by.
        """
        place = at_work.read(self.orders.at_work)
        suspect = None if place is None else alive[place]
        return suspect if suspect is not None and suspect.variant.techniques else None
