"""Walks through a study: references and probes of all heats, then replicates, each a child process. No torch here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficiency import workloads
from efficiency.check import Checked
from efficiency.condition import Condition
from efficiency.engine import cold, probe, reference, training_probe
from efficiency.engine.child import Child, Message, ask
from efficiency.engine.orders import Orders
from efficiency.engine.preparing import Preparing
from efficiency.engine.recorder import Recorder
from efficiency.engine.schedule import Schedule
from efficiency.engine.timing import Timing
from efficiency.errors import VariantFailed
from efficiency.machine import Machine
from efficiency.study import Entry, heats
from efficiency.techniques import compose

PATIENCE = 6.0
"""A child may say nothing for this many times the estimate of its work, and a minute more, before it counts as hung."""
GRACE_S = 60.0
READING_S = 600.0
"""Silence allowed where data are read or made for the first time, whose pace nobody knows."""


class Cancelled(Exception):
    """Raised in the conductor when the user cancels; what is done is kept."""


@dataclass(frozen=True)
class Standing:
    """Where a study stands: what is being done, and the estimate of what is done and left."""

    now: str
    prepared: int
    done: int
    total: int
    done_estimate_s: float
    total_estimate_s: float


class Conductor:
    """Runs one checked study. `folder` is for logs and learned state; `tell` hears every step."""

    def __init__(
        self, checked: Checked, machine: Machine, recorder: Recorder, folder: Path, tell: Callable[[Standing], None]
    ) -> None:
        self._study, self._recorder, self._tell = checked.study, recorder, tell
        self._entries, self._open = checked.entries, dict.fromkeys(checked.entries)
        self._heats = heats(self._entries)
        self._workloads = {name: workloads.describe(name) for name in self._study.workloads}
        self._orders = Orders(self._study, machine, self._workloads, folder)
        self._preparing = Preparing(self._study, self._workloads, self._orders, machine)
        self._schedule = Schedule(checked, machine)
        self._timing = Timing(
            self._orders,
            recorder,
            self._schedule,
            self._study.effort,
            memory_mb=machine.memory_mb,
            silence_s=lambda expected_s: PATIENCE * expected_s + GRACE_S,
            settle=self._settle,
            say=self._say,
            gpu_memory_mb=machine.gpu_memory_mb,
        )
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
            self._expect_what_is_kept()
            ready = [(name, condition, self._prepared(name, condition)) for name, condition in self._heats]
            several = len({condition for _, condition in self._heats}) > 1
            self._timing.run(
                [
                    (self._workloads[name].label + (f", {condition.label()}" if several else ""), prepared)
                    for name, condition, prepared in ready
                    if prepared
                ],
                self._cold,
            )
            self._open.clear()
            self._recorder.close_study()
            self._say("All is measured")
        except Cancelled:
            for entry in self._open:
                if entry not in self._timing.timed:
                    self._recorder.settle(entry, "cancelled", "Cancelled before it was timed.")
            self._timing.keep()
            self._recorder.close_study()
            raise
        except Exception:
            self._timing.keep()
            self._recorder.close_study()
            raise

    # What every step does: say what is being done, and when it is over, count it.

    def _say(self, now: str) -> None:
        total = sum(map(len, self._heats.values()))
        unprepared = sum(entry not in self._cold for entry in self._open)
        left = sum(entry not in self._timing.timed for entry in self._open)
        passed_s, total_s = self._schedule.passed_s, self._schedule.total_s
        self._tell(Standing(now, total - unprepared, total - left, total, passed_s, total_s))

    def _settle(self, entry: Entry, status: str, reason: str) -> None:
        self._recorder.settle(entry, status, reason)
        del self._open[entry]

    def _reference(self, name: str) -> Message | VariantFailed:
        """Data and checkpoint at hand, or why this workload cannot be measured; made ready once."""
        if name not in self._ready:
            try:
                self._ready[name] = self._make_reference(name)
            except VariantFailed as failure:
                self._ready[name] = failure
            self._schedule.over(name)
        return self._ready[name]

    def _make_reference(self, name: str) -> Message:
        answer: Message = {}
        label = self._workloads[name].label
        conditions = [condition for workload, condition in self._heats if workload == name]
        asked = self._orders.reference(name, conditions)
        self._say(f"{label}: reading data and checkpoint")
        with Child(reference.run, asked, log=self._orders.log) as child:
            for answer in child.messages(READING_S):
                if "progress" in answer:
                    self._say(f"{label}: {answer['progress']} ({answer['share']:.0%})")
        if self._study.of_code and self._study.of_code != answer["code_digest"]:
            before = self._study.confirms
            raise VariantFailed(
                f"The Python files of {label} are no longer what study {before} measured; measure it anew."
            )
        padding_pct = dict(zip(conditions, answer["padding_pct"], strict=True))
        return {
            "test_rows_at_hand": answer["test_rows"],
            "padding_pct": padding_pct,
            "code_digest": answer["code_digest"],
            "content": answer.get("content"),
        }

    def _expect_what_is_kept(self) -> None:
        """Correct the estimate where an earlier study has prepared what this one needs."""
        for (name, condition), entries in self._heats.items():
            ready = self._reference(name)
            if isinstance(ready, VariantFailed):
                continue
            for entry in entries:
                if not entry.variant.control and self._preparing.is_kept(entry, ready):
                    self._schedule.expect_taken(name, condition, entry.variant)

    def _prepared(self, name: str, condition: Condition) -> list[Entry]:
        """Probe the variants of a heat one by one; those to be timed together, none where there is no baseline."""
        found = self._probes(name, condition)
        if not found:
            self._schedule.heat_over((name, condition))
        return found

    def _probes(self, name: str, condition: Condition) -> list[Entry]:
        entries, ready = self._heats[name, condition], self._reference(name)
        if isinstance(ready, VariantFailed):
            for entry in entries:
                self._settle(entry, "failed", str(ready))
            return []
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
                return []
        control = next(entry for entry in entries if entry.variant.control)
        self._cold[control] = self._cold[prepared[0]]
        return [prepared[0], control, *prepared[1:]]

    def _probe(self, entry: Entry, what: str, ready: Message) -> str | None:
        """None, or why the variant failed."""
        name, step = entry.workload, (entry.workload, entry.condition, entry.variant)
        self._say(what)
        try:
            found = self._found(entry, what, ready)
            started_cold = self._timed_ask(cold.run, self._orders.variant(entry), what, self._silence_s(entry))
        except VariantFailed as failure:
            return str(failure)
        finally:
            self._schedule.over(*step)
        if not entry.variant.techniques:
            # The declared pace is a guess, above all for a user's own model; this was seen.
            self._slowness[name] = max(self._slowness[name], found["wall_s"] / self._schedule.planned_s(*step))
        self._cold[entry] = started_cold
        about_input = {"padding_pct": ready["padding_pct"][entry.condition]}
        self._recorder.probed(entry, found | ready | about_input, started_cold)
        return None

    def _silence_s(self, entry: Entry, *, planned: bool = False) -> float:
        """How long a child may say nothing that probes this, or prepares it anew as was `planned`."""
        step = (entry.workload, entry.condition, entry.variant)
        expected_s = self._schedule.planned_s(*step) if planned else self._schedule.expected_s(*step)
        return PATIENCE * expected_s * self._slowness[entry.workload] + GRACE_S

    def _found(self, entry: Entry, what: str, ready: Message) -> Message:
        """What the probe finds, or how it fails, is mostly the same for all batch sizes and threads: asked once."""
        known = (entry.workload, compose.probed_under(entry.variant.techniques, entry.condition), entry.variant)
        if known not in self._probed:
            work = training_probe.run if entry.condition.phase == "training" else probe.run
            try:
                asked = self._orders.probe(entry, ready)
                self._probed[known] = self._preparing.take(entry, ready) or self._preparing.keep(
                    # What was kept when the study was planned may be gone by now.
                    entry,
                    ready,
                    self._timed_ask(work, asked, what, self._silence_s(entry, planned=True)),
                )
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
            log=self._orders.log,
            silence_s=silence_s,
            doing=lambda now: self._say(f"{what}: {now}"),
        )
        return answer | {"wall_s": time.perf_counter() - started}


def run(checked: Checked, machine: Machine, recorder: Recorder, folder: Path, tell: Callable[[Standing], None]) -> None:
    """Run a checked study to its end; raises `Cancelled` when it is cancelled."""
    Conductor(checked, machine, recorder, folder, tell).run()
