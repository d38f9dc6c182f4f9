"""Walks through a study: reference, probes, replicates; a child process for each. No torch here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from efficiency import estimate, workloads
from efficiency.check import Checked
from efficiency.condition import Condition
from efficiency.engine import at_work, cold, probe, reference, replicate
from efficiency.engine.child import Child, Message, ask
from efficiency.engine.orders import Orders
from efficiency.errors import VariantFailed
from efficiency.machine import Machine
from efficiency.measure import latency
from efficiency.study import Entry, heats

PATIENCE = 6.0
"""A child may say nothing for this many times the estimate of its work, and a minute more, before it counts as hung."""
GRACE_S = 60.0
READING_S = 600.0
"""Silence allowed where data are read or made for the first time, whose pace nobody knows."""
CALLS_IN_SILENCE = 1 + latency.WARM_UP_CALLS
"""A replicate gives a sign of life before every visit; the longest visit of a slow model is its first."""


class Cancelled(Exception):
    """Raised in the conductor when the user cancels; what is done is kept."""


class Recorder(Protocol):
    """Takes what the conductor finds out. The engine needs no more of a store than this."""

    def settle(self, entry: Entry, status: str, reason: str) -> None:
        """A row ends without a measurement of its latency."""

    def probed(self, entry: Entry, probe: dict[str, Any], cold: dict[str, Any]) -> None:
        """A variant was prepared and read off."""

    def timed(self, entry: Entry, replicate: int, samples: dict[str, Any]) -> None:
        """One replicate's raw samples [n, 2], round and nanoseconds, as `arrays.to_text` has them."""

    def close_heat(self, entries: list[Entry]) -> None:
        """A heat is over: its rows are final."""


@dataclass(frozen=True)
class Pulse:
    """Where a study stands: what is being done, and the estimate of what is done and left."""

    now: str
    done: int
    total: int
    done_estimate_s: float
    total_estimate_s: float


class Conductor:
    """Runs one checked study. `folder` is for logs and learned state; `tell` hears every step."""

    def __init__(
        self, checked: Checked, machine: Machine, recorder: Recorder, folder: Path, tell: Callable[[Pulse], None]
    ) -> None:
        self._study, self._recorder, self._tell = checked.study, recorder, tell
        self._entries, self._open = checked.entries, dict.fromkeys(checked.entries)
        self._heats = heats(self._entries)
        self._workloads = {name: workloads.describe(name) for name in self._study.workloads}
        self._orders = Orders(self._study, machine, self._workloads, folder)
        self._started = time.monotonic()
        self._left = estimate.steps(self._study, self._entries, machine, self._study.effort.seconds_per_replicate)
        self._estimate_s = sum(self._left.values())
        self._slowness = dict.fromkeys(self._study.workloads, 1.0)
        self._ready: dict[str, Message | VariantFailed] = {}
        self._probed: dict[tuple[object, ...], Message | VariantFailed] = {}
        self._cold: dict[Entry, Message] = {}

    def run(self) -> None:
        """Every workload in turn; on `Cancelled` the rows that are left are marked, then it is raised on."""
        try:
            for entry in self._entries:
                if entry.why_not:
                    self._settle(entry, "not-applicable", entry.why_not)
            for (name, condition), entries in self._heats.items():
                ready = self._reference(name)
                if isinstance(ready, VariantFailed):
                    for entry in entries:
                        self._settle(entry, "failed", str(ready))
                else:
                    self._heat(name, condition, entries, ready)
                self._heat_over(name, condition)
            self._say("All is measured")
        except Cancelled:
            for entry in self._open:
                self._recorder.settle(entry, "cancelled", "Cancelled before it was measured.")
            raise

    # What every step does: say what is being done, and when it is over, count it.

    def _say(self, now: str) -> None:
        total = len(self._entries)
        passed_s = self._estimate_s - sum(self._left.values())
        self._tell(Pulse(now, total - len(self._open), total, passed_s, self._estimate_s))

    def _settle(self, entry: Entry, status: str, reason: str) -> None:
        self._recorder.settle(entry, status, reason)
        del self._open[entry]

    def _heat_over(self, *heat: object) -> None:
        """What was left of a heat will not be done: its time goes to the others."""
        for step in [step for step in self._left if step[:2] == heat]:
            del self._left[step]

    def _reference(self, name: str) -> Message | VariantFailed:
        """Data and checkpoint at hand, or why this workload cannot be measured; made ready once."""
        if name not in self._ready:
            try:
                self._ready[name] = self._make_reference(name)
            except VariantFailed as failure:
                self._ready[name] = failure
            del self._left[name,]
        return self._ready[name]

    def _make_reference(self, name: str) -> Message:
        answer: Message = {}
        label = self._workloads[name].label
        conditions = [condition for workload, condition in self._heats if workload == name]
        asked = self._orders.reference(name, conditions)
        self._say(f"{label}: reading data and checkpoint")
        with Child(reference.run, asked, start="warm", log=self._orders.log) as child:
            for answer in child.messages(READING_S):
                if "progress" in answer:
                    self._say(f"{label}: {answer['progress']} ({answer['share']:.0%})")
        padding_pct = dict(zip(conditions, answer["padding_pct"], strict=True))
        return {"test_rows_at_hand": answer["test_rows"], "padding_pct": padding_pct}

    def _heat(self, name: str, condition: Condition, entries: list[Entry], ready: Message) -> None:
        """Probe the variants one by one, then time together those that could be prepared."""
        label = self._workloads[name].label
        prepared: list[Entry] = []
        for entry in entries:
            if entry.variant.control:
                continue
            reason = self._probe(entry, f"{label}: {entry.variant.label}, {condition.label()}", ready)
            if reason is None:
                prepared.append(entry)
                continue
            self._settle(entry, "failed", reason)
            if not entry.variant.techniques:
                for other in entries[1:]:
                    self._settle(other, "failed", f"The baseline could not be measured: {reason}")
                return
        control = next(entry for entry in entries if entry.variant.control)
        self._cold[control] = self._cold[prepared[0]]
        self._expect([*prepared, control])
        timed = self._time(label, [prepared[0], control, *prepared[1:]])
        self._recorder.close_heat(entries)
        for entry in timed:
            del self._open[entry]

    def _expect(self, entries: list[Entry]) -> None:
        """Correct the estimate of the heat's replicates, now that the first calls are known."""
        least_s = latency.LEAST_CALLS * sum(self._cold[entry]["first_call_ms"] for entry in entries) / 1e3
        seconds = max(self._study.effort.seconds_per_replicate, least_s)
        heat = entries[0].workload, entries[0].condition
        for number in range(self._study.effort.replicates):
            expected_s = estimate.replicate_seconds(len(entries), seconds)
            self._estimate_s += expected_s - self._left[*heat, number]
            self._left[*heat, number] = expected_s

    def _probe(self, entry: Entry, what: str, ready: Message) -> str | None:
        """None, or why the variant failed."""
        name, step = entry.workload, (entry.workload, entry.condition, entry.variant)
        silence_s = PATIENCE * self._left[step] * self._slowness[name] + GRACE_S
        self._say(what)
        try:
            found = self._found(entry, what, silence_s)
            started_cold = self._timed_ask(cold.run, self._orders.variant(entry), what, silence_s)
        except VariantFailed as failure:
            return str(failure)
        finally:
            estimated_s = self._left.pop(step)
        if not entry.variant.techniques:
            # The declared pace is a guess, above all for a user's own model; this was seen.
            self._slowness[name] = max(self._slowness[name], found["wall_s"] / estimated_s)
        self._cold[entry] = started_cold
        about_input = {"padding_pct": ready["padding_pct"][entry.condition]}
        self._recorder.probed(entry, found | ready | about_input, started_cold)
        return None

    def _found(self, entry: Entry, what: str, silence_s: float) -> Message:
        """What the probe finds, or how it fails, is the same for every batch size and thread count: asked once."""
        known = (entry.workload, entry.condition.of_answers(), entry.variant)
        if known not in self._probed:
            try:
                self._probed[known] = self._timed_ask(probe.run, self._orders.variant(entry), what, silence_s)
            except VariantFailed as failure:
                self._probed[known] = failure
        found = self._probed[known]
        if isinstance(found, VariantFailed):
            raise found
        return found

    def _timed_ask(self, work: Any, asked: Message, what: str, silence_s: float) -> Message:
        started = time.perf_counter()
        answer = ask(
            work,
            asked,
            start="warm",
            log=self._orders.log,
            silence_s=silence_s,
            doing=lambda now: self._say(f"{what}: {now}"),
        )
        return answer | {"wall_s": time.perf_counter() - started}

    def _time(self, label: str, entries: list[Entry]) -> list[Entry]:
        """Replicates of the heat; a variant that brings one down is dropped, and that one runs again."""
        effort, alive, number = self._study.effort, list(entries), 0
        while number < effort.replicates and alive:
            seconds = self._seconds(len(alive))
            self._say(f"{label}: timing {len(alive)} variants together, process {number + 1} of {effort.replicates}")
            self._orders.at_work.unlink(missing_ok=True)
            try:
                answer = self._replicate(alive, number, seconds)
            except VariantFailed as failure:
                alive = self._drop(alive, at_work.read(self._orders.at_work), str(failure))
                continue
            for entry in alive:
                self._recorder.timed(entry, number, answer["samples"][entry.variant.key])
            del self._left[entries[0].workload, entries[0].condition, number]
            number += 1
        return alive

    def _seconds(self, variants: int) -> float:
        effort, budget_s = self._study.effort, self._study.budget_s
        if budget_s is None:
            return effort.seconds_per_replicate
        replicates = [step for step in self._left if isinstance(step[-1], int)]
        others_s = sum(self._left.values()) - sum(self._left[step] for step in replicates)
        left_s = budget_s - (time.monotonic() - self._started) - others_s
        return estimate.affordable_seconds(effort, left_s, len(replicates), variants)

    def _replicate(self, alive: list[Entry], number: int, seconds: float) -> Message:
        asked = self._orders.replicate(alive, number, seconds)
        started = [self._cold[entry] for entry in alive]
        slowest_s = max(cold["load_s"] + CALLS_IN_SILENCE * cold["first_call_ms"] / 1e3 for cold in started)
        silence_s = GRACE_S + PATIENCE * slowest_s
        return ask(replicate.run, asked, start="fresh", log=self._orders.log, silence_s=silence_s)

    def _drop(self, alive: list[Entry], place: int | None, reason: str) -> list[Entry]:
        """The heat without the suspect; without anyone, where it is the FP32 model itself or nobody is known.

        The control is that model, too, and without it there is no noise floor to judge the others by.
        """
        suspect = None if place is None else alive[place]
        if suspect is None or not suspect.variant.techniques:
            for entry in alive:
                self._settle(entry, "failed", f"The heat could not be timed: {reason}")
            return []
        self._settle(suspect, "failed", f"While it was timed: {reason}")
        return [entry for entry in alive if entry is not suspect]


def run(checked: Checked, machine: Machine, recorder: Recorder, folder: Path, tell: Callable[[Pulse], None]) -> None:
    """Run a checked study to its end; raises `Cancelled` when it is cancelled."""
    Conductor(checked, machine, recorder, folder, tell).run()
