"""Times heats: replicates, each a fresh process that holds all variants of a heat. No torch here.

A machine that others share is faster for a minute and slower for the next. So the heats of a study take turns, a
replicate each: what every one of them sees of the machine is spread over all the time that the study is timed. A
replicate that finds the machine disturbed is put off: that takes a tenth of a second, and what it had timed would
hardly have been among the fastest calls, on which speed-ups rest. One that finds it so while it times goes on for
longer: a process with hardly an undisturbed round was started, and its models loaded, for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from efficiency import health
from efficiency.effort import Effort
from efficiency.engine import at_work, child, replicate
from efficiency.engine.child import Message, Work, ask
from efficiency.engine.orders import Orders
from efficiency.engine.recorder import Recorder
from efficiency.engine.schedule import Schedule
from efficiency.errors import VariantFailed
from efficiency.measure import latency
from efficiency.study import Entry, Heat

MEMORY_SHARE = 0.8
"""Of the device's memory, at most, for the variants of a heat together."""
TURNS_A_SERVER = 4
"""Replicates of a heat that are forked from one server, at most: they share where its libraries lie in memory."""
PUT_OFF = 3
"""Times that the replicates of a heat are put off, at most, for each that is planned."""
LINGER = 7
"""Times its planned seconds that a replicate goes on for, at most, where few of its rounds were undisturbed."""
PAUSE_S = 0.5
"""After a turn in which all were put off."""
KEPT_EVERY = 3
"""Replicates of a heat after which its rows are written: what ends this process takes no more than these along."""
LEAST_REPLICATES = 2
"""From as many on there is an interval, and a row is worth keeping."""


@dataclass
class Group:
    """Variants timed together, the baseline and the control first: a heat, or as much of it as memory holds."""

    label: str
    alive: list[Entry]
    part: int
    least_s: float
    """What the fewest rounds take."""
    number: int = 0
    """Replicates so far."""
    put_off: int = 0
    """Times that one found the machine disturbed."""
    took_s: float = 0.0
    """The last of them, from start to end, but for what it lingered."""

    @property
    def heat(self) -> Heat:
        """What its variants share."""
        return self.alive[0].workload, self.alive[0].condition


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
    work: Work = replicate.run
    """What a replicate does."""
    gpu_memory_mb: float | None = None
    """Where a GPU's variants lie, and what peaks of theirs are measured in; the machine's own where it is not known."""
    timed: dict[Entry, None] = field(default_factory=dict)
    """Entries whose rows are worth keeping, in the order they came to be."""

    @property
    def _most(self) -> int:
        return max(self.effort.replicates, self.effort.most_replicates)

    def run(self, heats: Sequence[tuple[str, list[Entry]]], started: Mapping[Entry, Message]) -> None:
        """Time these heats, each a label and its entries, the baseline and the control first.

        `started` is what each entry's cold start found. As many replicates as are planned, then more while the
        machine was disturbed nearly all the time, or an interval is too wide, as far as the budget allows. A variant
        that brings a replicate down is settled as failed.
        """
        groups = [group for label, entries in heats for group in self._groups(label, entries, started)]
        turns_of_server = 0  # the first is the study's own
        while going := [group for group in groups if self._goes_on(group)]:
            if turns_of_server == TURNS_A_SERVER:
                self.say("Laying out memory anew")
                child.renew(self.orders.log)
                turns_of_server = 0
            all_put_off = True
            for group in going:
                if not self._affordable(group):  # what came before in this turn may have used up the budget
                    continue
                before = group.put_off
                try:
                    self._replicate(group, len(going), started)
                except VariantFailed as failure:
                    groups.remove(group)
                    self._give_up(group, groups, failure)
                all_put_off = all_put_off and group.put_off > before
            if all_put_off:
                self.say("Waiting for an undisturbed moment")
                time.sleep(PAUSE_S)
            else:
                turns_of_server += 1
        self.orders.at_work.unlink(missing_ok=True)
        self.keep()

    def keep(self) -> None:
        """Keep what is worth it, also where the study ends before its time."""
        heats: dict[Heat, list[Entry]] = {}
        for entry in self.timed:
            heats.setdefault((entry.workload, entry.condition), []).append(entry)
        for entries in heats.values():
            self.recorder.close_heat(entries)

    def _groups(self, label: str, entries: list[Entry], started: Mapping[Entry, Message]) -> list[Group]:
        """One, or several with the baseline and the control in each where memory does not hold all together."""
        calls = latency.calls_a_replicate(self.effort.calls_a_replicate)
        groups = [
            Group(label, part, number, calls * sum(started[entry]["call_ms"] for entry in part) / 1e3)
            for number, part in enumerate(self._parts(entries, started))
        ]
        parts = [(len(group.alive), max(self.effort.seconds_per_replicate, group.least_s)) for group in groups]
        self.schedule.expect_replicates(groups[0].heat, parts)
        return groups

    def _parts(self, entries: list[Entry], started: Mapping[Entry, Message]) -> Iterator[list[Entry]]:
        def needed_mb(some: Iterable[Entry]) -> float:
            return sum(float(started[entry]["peak_memory_mb"] or 0.0) for entry in some)

        always, rest = entries[:2], entries[2:]
        on_gpu = entries[0].condition.device == "cuda"
        memory_mb = self.gpu_memory_mb if on_gpu and self.gpu_memory_mb is not None else self.memory_mb
        room_mb = MEMORY_SHARE * memory_mb - needed_mb(always)
        part: list[Entry] = []
        for entry in rest:
            if part and needed_mb([*part, entry]) > room_mb:
                yield [*always, *part]
                part = []
            part.append(entry)
        yield [*always, *part]

    def _goes_on(self, group: Group) -> bool:
        if group.number < self.effort.replicates:
            return True
        if group.number >= self._most:
            return False
        if not self.recorder.disturbed(group.alive) and self.recorder.precise(group.alive, self.effort.precision):
            return False
        return self._affordable(group)

    def _affordable(self, group: Group) -> bool:
        """Those that are planned always are."""
        return group.number < self.effort.replicates or self.schedule.affords_another(group.took_s)

    def _replicate(self, group: Group, going: int, started: Mapping[Entry, Message]) -> None:
        """One more; raises `VariantFailed` where the FP32 model itself brought it down, or nobody knows."""
        planned = group.number < self.effort.replicates
        count = f"{group.number + 1} of {self.effort.replicates}" if planned else f"{group.number + 1}, for precision"
        self.say(f"{group.label}: timing {len(group.alive)} variants together, process {count}")
        # A group's numbers are its own: what was timed apart is never paired.
        place = group.part * self._most + group.number
        before = health.read()
        try:
            taken = self._ask(group, place, going, started)
        except VariantFailed as failure:
            suspect = self._suspect(group.alive)
            if suspect is None:
                raise
            self.settle(suspect, "failed", f"While it was timed: {failure}")
            group.alive.remove(suspect)
            self.timed.pop(suspect, None)
            return
        after = health.read()
        took_s = after.at_s - before.at_s
        if taken.get("put_off"):
            group.put_off += 1
            self.schedule.lingered(took_s)
            return
        lingered_s = taken["seconds"]["lingered"]
        self.schedule.lingered(lingered_s)
        group.took_s = took_s - lingered_s
        taken["seconds"]["whole"] = round(took_s, 3)
        self.recorder.timed(group.alive, place, taken, health.between(before, after))
        self.schedule.over(*group.heat, group.part, group.number)
        group.number += 1
        if group.number >= min(LEAST_REPLICATES, self.effort.replicates):
            self.timed.update(dict.fromkeys(group.alive))
        if group.number == self.effort.replicates or group.number % KEPT_EVERY == 0:
            self.recorder.close_heat(group.alive)  # what follows makes intervals narrower

    def _give_up(self, group: Group, others: Sequence[Group], failure: VariantFailed) -> None:
        """Without the FP32 model there is nothing to compare with; what was timed often enough before is kept.

        The baseline and the control are shared by all groups of a heat: they fail with the last of them.
        """
        own = group.alive[2:] if any(other.heat == group.heat for other in others) else group.alive
        for entry in own:
            if entry not in self.timed:
                self.settle(entry, "failed", f"The comparison could not be timed: {failure}")

    def _ask(self, group: Group, number: int, going: int, started: Mapping[Entry, Message]) -> Message:
        self.orders.at_work.unlink(missing_ok=True)
        colds = [started[entry] for entry in group.alive]
        seconds = self.schedule.seconds_a_replicate(len(group.alive))
        unplanned_s = 0.0 if group.number < self.effort.replicates else group.took_s
        # Patience must not cost what is planned its seconds: the budget has to have room for it.
        linger_s = self.schedule.linger_s(going, unplanned_s)
        patient = group.put_off < PUT_OFF * self.effort.replicates and self.schedule.affords_another(group.took_s)
        order = self.orders.replicate(
            group.alive,
            number,
            seconds,
            still_ns=self.recorder.still_ns(group.alive[0]),
            linger_s=min(LINGER * max(seconds, group.least_s), linger_s),
            # With one thread there is nobody to hand work to, and what disturbs passes within a process.
            may_be_put_off=patient and group.alive[0].condition.threads > 1,
        )
        # A replicate gives its signs of life between visits.
        visit = 1 + max(latency.WARM_UP_CALLS, latency.A_VISIT_OF_MANY)
        slowest_s = max(cold["load_s"] + visit * cold["first_call_ms"] / 1e3 for cold in colds)
        return ask(self.work, order, log=self.orders.log, silence_s=self.silence_s(slowest_s))

    def _suspect(self, alive: Sequence[Entry]) -> Entry | None:
        """The variant that was at work when the process died; None for the FP32 model, or where nobody is known.

        The control is that model, too, and without it there is no noise floor to judge the others by.
        """
        place = at_work.read(self.orders.at_work)
        suspect = None if place is None else alive[place]
        return suspect if suspect is not None and suspect.variant.techniques else None
