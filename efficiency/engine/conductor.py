"""Walks through a study: reference, probes, replicates; a child process for each. No torch here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from efficiency import estimate, workloads
from efficiency.condition import Condition
from efficiency.engine import at_work, cold, probe, reference, replicate
from efficiency.engine.child import Child, Message, ask
from efficiency.errors import VariantFailed
from efficiency.machine import Machine
from efficiency.study import Checked, Entry, Variant, heats

PATIENCE = 6.0
"""A step may take this many times its estimate, and a minute more, before it counts as hung."""
GRACE_S = 60.0


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
        self._study, self._entries = checked.study, checked.entries
        self._machine, self._recorder, self._folder, self._tell = machine, recorder, folder, tell
        self._started = time.monotonic()
        self._heats = heats(self._entries)
        self._left = estimate.steps(self._study, self._entries, machine, self._study.effort.seconds_per_replicate)
        self._estimate_s = sum(self._left.values())
        self._settled, self._test_rows = 0, 0
        self._probed: dict[tuple[object, ...], Message | VariantFailed] = {}

    def run(self) -> None:
        """Every workload in turn; on `Cancelled` the rows that are left are marked, then it is raised on."""
        open_entries = dict.fromkeys(self._entries)
        try:
            for entry in self._entries:
                if entry.why_not:
                    self._settle(entry, "not-applicable", entry.why_not)
                    del open_entries[entry]
            ready: dict[str, str | None] = {}
            for (name, condition), entries in self._heats.items():
                if name not in ready:
                    ready[name] = self._make_reference(name)
                if reason := ready[name]:
                    for entry in entries:
                        self._settle(entry, "failed", reason)
                else:
                    self._heat(name, condition, entries)
                self._heat_over(name, condition)
                for entry in entries:
                    del open_entries[entry]
            self._say("All is measured")
        except Cancelled:
            for entry in open_entries:
                self._recorder.settle(entry, "cancelled", "Cancelled before it was measured.")
            raise

    # What every step does: say what is being done, and when it is over, count it.

    def _say(self, now: str) -> None:
        total = len(self._entries)
        passed_s = self._estimate_s - sum(self._left.values())
        self._tell(Pulse(now, self._settled, total, passed_s, self._estimate_s))

    def _heat_over(self, *heat: object) -> None:
        """What was left of a heat will not be done: its time goes to the others."""
        for step in [step for step in self._left if step[:2] == heat]:
            del self._left[step]

    def _settle(self, entry: Entry, status: str, reason: str) -> None:
        self._recorder.settle(entry, status, reason)
        self._settled += 1

    def _timeout_s(self, estimated_s: float) -> float:
        return PATIENCE * estimated_s + GRACE_S

    def _asked(self, entry: Entry) -> dict[str, Any]:
        """What the children of a variant are told."""
        study, workload = self._study, workloads.describe(entry.workload)
        folder = self._folder_of(entry.workload, entry.condition)
        return {
            "workload": entry.workload,
            "dataset": workload.dataset(study.dataset).key,
            "techniques": list(entry.variant.techniques),
            "condition": asdict(entry.condition),
            "seed": study.seed,
            "threads": self._machine.threads,
            "test_rows": study.effort.test_rows,
            "calibration_rows": study.effort.calibration_rows,
            "training_rows": study.effort.training_rows,
            "sample": str(self._sample_of(entry.workload, entry.condition)),
            "learned": str(folder / f"{entry.variant.key}.safetensors"),
        }

    def _folder_of(self, name: str, condition: Condition) -> Path:
        """Where what children leave for each other lies; the same for every batch size and thread count."""
        shape = f"{condition.device}-{condition.length or 'natural'}-{condition.padding_pct}"
        folder = self._folder / workloads.describe(name).key / shape
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _sample_of(self, name: str, condition: Condition) -> Path:
        """Where the timed input lies."""
        return self._folder_of(name, condition) / f"sample-{condition.batch_size}.safetensors"

    @property
    def _log(self) -> Path:
        return self._folder / "children.log"

    def _make_reference(self, name: str) -> str | None:
        """Data and checkpoint at hand; None, or why this workload cannot be measured."""
        label = workloads.describe(name).label
        asked = {
            "workload": name,
            "dataset": workloads.describe(name).dataset(self._study.dataset).key,
            "threads": self._machine.threads,
            "seed": self._study.seed,
            "anew": False,
            "samples": [
                {"condition": asdict(condition), "file": str(self._sample_of(name, condition))}
                for workload, condition in self._heats
                if workload == name
            ],
        }
        self._say(f"{label}: reading data and checkpoint")
        try:
            with Child(reference.run, asked, start="warm", log=self._log) as child:
                for message in child.messages(self._timeout_s(self._left[name,])):
                    if "progress" in message:
                        self._say(f"{label}: {message['progress']} ({message['share']:.0%})")
                    if "ready" in message:
                        self._test_rows = int(message["test_rows"])
        except VariantFailed as failure:
            return str(failure)
        finally:
            del self._left[name,]
        return None

    def _heat(self, name: str, condition: Condition, entries: list[Entry]) -> None:
        """Probe the variants one by one, then time together those that could be prepared."""
        label = workloads.describe(name).label
        prepared: list[Entry] = []
        for entry in entries:
            if entry.variant.control:
                continue
            self._say(f"{label}: {entry.variant.label}, {condition.label()}")
            reason = self._probe(entry)
            if reason is None:
                prepared.append(entry)
                continue
            self._settle(entry, "failed", reason)
            if not entry.variant.techniques:
                for other in entries[1:]:
                    self._settle(other, "failed", f"The baseline could not be measured: {reason}")
                return
        control = next(entry for entry in entries if entry.variant.control)
        timed = self._time(label, condition, [prepared[0], control, *prepared[1:]])
        self._recorder.close_heat(entries)
        self._settled += len(timed)

    def _probe(self, entry: Entry) -> str | None:
        """None, or why the variant failed."""
        asked, step = self._asked(entry), (entry.workload, entry.condition, entry.variant)
        timeout_s = self._timeout_s(self._left[step])
        try:
            found = self._found(entry, asked, timeout_s) | {"test_rows_at_hand": self._test_rows}
            started_cold = _timed_ask(cold.run, asked, self._log, timeout_s)
        except VariantFailed as failure:
            return str(failure)
        finally:
            del self._left[step]
        self._recorder.probed(entry, found, started_cold)
        return None

    def _found(self, entry: Entry, asked: Message, timeout_s: float) -> Message:
        """What the probe finds, or how it fails, is the same for every batch size and thread count: asked once."""
        known = (entry.workload, entry.condition.of_answers(), entry.variant)
        if known not in self._probed:
            try:
                self._probed[known] = _timed_ask(probe.run, asked, self._log, timeout_s)
            except VariantFailed as failure:
                self._probed[known] = failure
        found = self._probed[known]
        if isinstance(found, VariantFailed):
            raise found
        return found

    def _time(self, label: str, condition: Condition, entries: list[Entry]) -> list[Entry]:
        """Replicates of the heat; a variant that brings one down is dropped, and that one runs again."""
        effort = self._study.effort
        alive = list(entries)
        number = 0
        while number < effort.replicates and alive:
            seconds = self._seconds(len(alive))
            self._say(f"{label}: timing {len(alive)} variants together, process {number + 1} of {effort.replicates}")
            self._at_work.unlink(missing_ok=True)
            try:
                answer = self._replicate(alive, number, seconds)
            except VariantFailed as failure:
                alive = self._drop(alive, at_work.read(self._at_work), str(failure))
                continue
            for entry in alive:
                self._recorder.timed(entry, number, answer["samples"][entry.variant.key])
            del self._left[entries[0].workload, condition, number]
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

    @property
    def _at_work(self) -> Path:
        return self._folder / "at-work"

    def _replicate(self, alive: list[Entry], number: int, seconds: float) -> Message:
        asked = self._asked(alive[0]) | {
            "seed": self._study.seed + 1_000 + number,
            "seconds": seconds,
            "at_work": str(self._at_work),
            "variants": [
                {
                    "key": entry.variant.key,
                    "techniques": list(entry.variant.techniques),
                    "learned": self._asked(entry)["learned"],
                }
                for entry in alive
            ],
        }
        timeout_s = self._timeout_s(estimate.replicate_seconds(len(alive), seconds))
        return ask(replicate.run, asked, start="fresh", log=self._log, timeout_s=timeout_s)

    def _drop(self, alive: list[Entry], place: int | None, reason: str) -> list[Entry]:
        """The heat without the suspect; without anyone, where it was the baseline or nobody is known."""
        suspect = None if place is None else alive[place]
        if suspect is None or suspect.variant == Variant():
            for entry in alive:
                self._settle(entry, "failed", f"The heat could not be timed: {reason}")
            return []
        self._settle(suspect, "failed", f"While it was timed: {reason}")
        return [entry for entry in alive if entry is not suspect]


def _timed_ask(work: Any, asked: Message, log: Path, timeout_s: float) -> Message:
    started = time.perf_counter()
    answer = ask(work, asked, start="warm", log=log, timeout_s=timeout_s)
    return answer | {"wall_s": time.perf_counter() - started}


def run(checked: Checked, machine: Machine, recorder: Recorder, folder: Path, tell: Callable[[Pulse], None]) -> None:
    """Run a checked study to its end; raises `Cancelled` when it is cancelled."""
    Conductor(checked, machine, recorder, folder, tell).run()


def remaining_s(pulse: Pulse, elapsed_s: float) -> float | None:
    """Seconds left: the estimate of what is left, scaled by how the estimate fared so far."""
    if pulse.total_estimate_s <= 0:
        return None
    left = max(0.0, pulse.total_estimate_s - pulse.done_estimate_s)
    if pulse.done_estimate_s < 10:
        return left
    return left * min(5.0, max(0.2, elapsed_s / pulse.done_estimate_s))
