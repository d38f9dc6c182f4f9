"""The two methods that `trust.py` compares, each asked how much faster INT8 is.

`Ours` times the heats of a study as a study does, with the quick preset's processes and seconds; `judged.py` says
what a study makes of it. `one_after_the_other` is what is usually done: `torch.utils.benchmark`, first the baseline,
then the variant, in one process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import copies
import numpy as np
from numpy.typing import NDArray

from efficiency import study, workloads
from efficiency.analysis import replicates, stillness, views
from efficiency.check import Checked
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import cold, handoffs, probe, reference
from efficiency.engine.child import Message, Send, ask, renew
from efficiency.engine.orders import Orders
from efficiency.engine.recording import StoreRecorder
from efficiency.engine.schedule import Schedule
from efficiency.engine.timing import Timing
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import PRESETS, Entry, Study, Variant

INT8 = {
    "vision-small-cnn": "static-int8",
    "lstm-classifier": "dynamic-int8",
    "transformer-encoder": "dynamic-int8",
}
THREADS = (1, 2)
CELLS = len(INT8) * len(THREADS)
"""How many a run has."""
PATIENCE_S = 120.0
PULSE = "pulse"
Raw = dict[str, NDArray[np.int64]]
"""Of a run, by `workload/threads/variant`: [n, 3] replicate, round, nanoseconds; and so the pulse of each heat."""
Handoffs = dict[int, float]
"""What a handoff between so many threads takes undisturbed, in nanoseconds, by the runs before."""


MOST_REPLICATES = 14
"""Of the 20 that the quick preset may take, so that a run ends within minutes."""


def default() -> Effort:
    """The quick preset's processes and seconds, and its rule of when to stop, but for fewer processes at most.

    Few rows, since nothing is said of accuracy.
    """
    return replace(PRESETS["quick"][1], test_rows=200, most_replicates=MOST_REPLICATES)


@dataclass
class Ours:
    """Prepared once; `run` is one study's timing, from what the probes left and what the store knows of the machine."""

    folder: Path
    store: Store
    effort: Effort

    def __post_init__(self) -> None:
        copies.register()
        self.machine = this_machine()
        self.asked = Study(
            workloads=tuple(INT8),
            variants=tuple(Variant.of([key]) for key in (copies.COPY, *copies.SLOWER)),
            conditions=tuple(Condition(threads=threads) for threads in THREADS),
            effort=self.effort,
        )
        self.entries = [
            Entry(workload, variant, condition)
            for workload, int8 in INT8.items()
            for condition in self.asked.conditions
            for variant in (
                Variant(),
                Variant(control=True),
                Variant.of([int8]),
                *self.asked.variants,
            )
        ]
        described = {name: workloads.describe(name) for name in INT8}
        self.orders = Orders(self.asked, self.machine, described, self.folder)
        self.started: dict[Entry, Message] = {}
        for name in INT8:
            self._prepare(name)

    def _prepare(self, name: str) -> None:
        log = self.orders.log
        asked = self.orders.reference(name, self.asked.conditions)
        ready = ask(reference.run, asked, log=log, silence_s=600)
        own = [entry for entry in self.entries if entry.workload == name]
        for entry in own:
            # The baseline first: what INT8 answers is compared with it.
            if entry.variant.key in (study.BASELINE, INT8[name]) and entry.condition == self.asked.conditions[0]:
                ask(probe.run, self.orders.probe(entry, ready), log=log, silence_s=PATIENCE_S)
        for entry in own:
            original = entry if entry.variant.key in (study.BASELINE, INT8[name]) else replace(entry, variant=Variant())
            if original not in self.started:
                asked = self.orders.variant(original)
                self.started[original] = ask(cold.run, asked, log=log, silence_s=PATIENCE_S)
            self.started[entry] = self.started[original]

    def variant(self, workload: str, threads: int) -> tuple[Entry, Entry]:
        """The baseline and the INT8 variant of a cell."""
        own = [e for e in self.entries if e.workload == workload and e.condition.threads == threads]
        return own[0], next(e for e in own if e.variant.key == INT8[workload])

    def run(self, number: int) -> tuple[Handoffs, Raw]:
        """What a study knew of the machine's handoffs, and what the clock said in it."""
        asked = replace(self.asked, seed=10_000 * number)
        self.orders = Orders(asked, self.machine, {name: workloads.describe(name) for name in INT8}, self.folder)
        checked = Checked(asked, self.entries)
        known = handoffs.undisturbed_ns(self.store, self.machine.key)
        study_id = self.store.add_study(
            asked.as_dict(), name=f"run {number}", machine=self.machine.as_dict(), command=""
        )
        recorder = StoreRecorder(self.store, study_id, checked, self.machine, handoffs_ns=known)

        def failed(entry: Entry, status: str, reason: str) -> None:
            raise SystemExit(f"{entry.workload}, {entry.variant.key}: {reason}")

        renew(self.orders.log)  # a run shares nothing with the one before
        timing = Timing(
            self.orders,
            recorder,
            Schedule(checked, self.machine),
            asked.effort,
            memory_mb=self.machine.memory_mb,
            silence_s=lambda _: PATIENCE_S,
            settle=failed,
            say=lambda _: None,
            work=copies.replicate,
        )
        heats: dict[tuple[str, Condition], list[Entry]] = {}
        for entry in self.entries:
            heats.setdefault((entry.workload, entry.condition), []).append(entry)
        timing.run([(f"{name} {condition.threads}", own) for (name, condition), own in heats.items()], self.started)
        recorder.close_study()
        raw: Raw = {}
        for row in views.records(self.store.rows([study_id])):
            if row["variant"] in copies.SLOWER:  # the copy's, multiplied
                continue
            cell = f"{row['workload']}/{row['threads']}"
            raw[f"{cell}/{row['variant']}"] = replicates.nanoseconds(self.store.samples(row["row_id"]))
            if row["variant"] == study.BASELINE:
                felt = stillness.felt_in(self.store.details(row["row_id"]))
                assert felt is not None
                raw[f"{cell}/{PULSE}"] = felt
        return known, raw


def one_after_the_other(asked: Message, send: Send) -> None:
    """`torch.utils.benchmark` on the baseline, then on the variant, within `seconds` of `began`. Child side."""
    import torch
    from torch.utils.benchmark import Timer

    from efficiency.engine import variants

    torch.set_num_threads(asked["condition"]["threads"])
    sample = variants.load_sample(asked["sample"], "cpu")
    model = variants.load_reference(workloads.get(asked["workload"]), asked["dataset"], "cpu")
    medians_s = []
    end = asked["began"] + asked["seconds"]
    for left, variant in ((2, asked["variants"][0]), (1, asked["variants"][1])):
        prepared = variants.rebuild(variant, lambda: model, sample)
        with prepared.session[0]():
            timer = Timer(
                "call(sample)",
                globals={"call": prepared.caller(), "sample": sample},
                num_threads=asked["condition"]["threads"],
            )
            share_s = max(0.2, (end - time.monotonic()) / left)
            medians_s.append(timer.blocked_autorange(min_run_time=share_s).median)
    send({"speedup": medians_s[0] / medians_s[1]})


def theirs(ours: Ours, workload: str, threads: int, seconds: float) -> float:
    """The speed-up by the usual method, in as many seconds from the process's start to its end."""
    baseline, int8 = ours.variant(workload, threads)
    asked = ours.orders.replicate([baseline, int8], 0, seconds) | {"began": time.monotonic()}
    answer = ask(one_after_the_other, asked, log=ours.orders.log, silence_s=seconds + PATIENCE_S)
    return float(answer["speedup"])
