"""A cell of `best_of.py`: variants of a workload under a condition, prepared by probes and timed by replicates."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import peers
from numpy.typing import NDArray

from efficiency import study, workloads
from efficiency.analysis import accuracy, roofline, speed
from efficiency.ceiling import Ceiling
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import arrays, reference
from efficiency.engine.child import Message, Work, ask, renew
from efficiency.engine.orders import Orders
from efficiency.engine.timing import TURNS_A_SERVER
from efficiency.machine import Machine
from efficiency.study import Entry, Study, Variant
from efficiency.techniques import compose

Keys = tuple[str, ...]
PATIENCE_S = 280.0
"""A child that says nothing for longer hangs; compiling a large model takes a minute."""


@dataclass(frozen=True)
class Plan:
    """How much a cell is given."""

    test_rows: int = 2_000
    calibration_rows: int = 300
    replicates: int = 6
    most_replicates: int = 24
    """Where fewer do not settle what is asked."""
    seconds_a_variant: float = 0.6
    """Timed seconds in each replicate; a replicate has as many times that as there are variants."""
    choosing_replicates: int = 6
    choosing_seconds_a_variant: float = 0.6

    @classmethod
    def quick(cls) -> Plan:
        """For a first look."""
        return cls(500, 300, 3, 3, 0.5, 2, 0.3)

    def with_rows(self, test_rows: int | None) -> Plan:
        """With so many test rows; as it is for None."""
        return self if test_rows is None else replace(self, test_rows=test_rows)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Ratio:
    """How many times faster one variant is than another, with its 95 % interval."""

    estimate: float
    low: float
    high: float

    def told_from(self, bound: float) -> bool:
        """Whether the interval lies on one side of it."""
        return not self.low <= bound <= self.high

    def as_dict(self) -> dict[str, Any]:
        return {"ratio": round(self.estimate, 3), "interval": [round(self.low, 3), round(self.high, 3)]}


@dataclass
class Heat:
    """What one timing of some variants found."""

    samples: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    replicates: int = 0
    """Processes so far."""

    def add(self, number: int, answer: Message) -> None:
        """A replicate's samples, under its number."""
        for key, text in answer["samples"].items():
            self.samples.setdefault(key, []).append(_numbered(number, arrays.from_text(text)))
        self.replicates += 1

    def _of(self, key: str) -> NDArray[np.int64]:
        return np.concatenate(self.samples[key])

    def ratio(self, other: Keys, ours: Keys) -> Ratio:
        """Latency of `other` by that of `ours`."""
        return self._ratio(Variant(other).key, Variant(ours).key, math.inf)

    def control(self) -> Ratio:
        """The baseline against itself: how far to trust the others."""
        return self._ratio(study.BASELINE, study.CONTROL)

    def _ratio(self, other: str, ours: str, unlike: float = 0.0) -> Ratio:
        found = speed.speed_up(self._of(other), self._of(ours), unlike)
        if found is None:
            raise SystemExit(f"{ours} and {other} were not timed together often enough; give more replicates.")
        return Ratio(found.estimate, found.low, found.high)

    def p50_ms(self, keys: Keys) -> float:
        """Median milliseconds a call."""
        return speed.latency(self._of(Variant(keys).key)).p50_ms

    def timed(self) -> list[Keys]:
        """The variants, the baseline among them, the control not."""
        return [() if k == study.BASELINE else tuple(k.split("+")) for k in self.samples if k != study.CONTROL]


def _numbered(number: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n, 2] to [n, 3], with the replicate first."""
    return np.column_stack([np.full(len(rows), number), rows]).astype(np.int64)


class Cell:
    """A workload under a condition; `folder` keeps what is known of the workload, `say` hears what is being done."""

    def __init__(
        self,
        workload: str,
        condition: Condition,
        plan: Plan,
        machine: Machine,
        ceiling: Ceiling | None,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self.workload, self.condition, self._plan, self._ceiling = workload, condition, plan, ceiling
        self.label = f"{workload}, {condition.label()}"
        self._say = say
        effort = Effort(plan.test_rows, plan.calibration_rows, 0, plan.replicates, 0.0)
        asked = Study((workload,), (), (condition,), effort)
        self._orders = Orders(asked, machine, {workload: workloads.describe(workload)}, folder)
        self._folder = folder
        self._found: dict[Keys, Message] = {}

    def prepare(self, wanted: Sequence[Keys]) -> None:
        """The baseline first: what the others answer is compared with it."""
        asked = self._orders.reference(self.workload, [self.condition])
        ready = ask(reference.run, asked, log=self._orders.log, silence_s=PATIENCE_S)
        for keys in dict.fromkeys(wanted):
            order = self._orders.probe(self._entry(keys), ready)
            what = f"preparing {Variant(keys).key}"
            # What does not depend on batch size and threads is prepared for one cell and kept for the others.
            self._found[keys] = self._kept(Path(order["artefact"]).with_suffix(".json"), what, peers.probe, order)

    def _kept(self, file: Path, what: str, work: Work, order: Message) -> Message:
        """What a child answers, or answered before."""
        if file.is_file():
            found: Message = json.loads(file.read_text())
            return found
        self._say(f"{self.label}: {what}")
        if artefact := order.get("artefact"):  # left by a run that was broken off
            shutil.rmtree(artefact, ignore_errors=True)
        answer = ask(work, order, log=self._orders.log, silence_s=PATIENCE_S)
        file.write_text(json.dumps(answer))
        return answer

    def _entry(self, keys: Keys) -> Entry:
        return Entry(self.workload, Variant.of(keys), self.condition)

    def time(
        self, variants: Sequence[Keys], first: bool = False, settled: Callable[[Heat], bool] = lambda heat: True
    ) -> Heat:
        """The baseline, its control and these, together; `first` for the timing that chooses.

        Replicates are added until what is asked is `settled`, or there are as many as planned at most.
        """
        plan, heat = self._plan, Heat()
        least = plan.choosing_replicates if first else plan.replicates
        each_s = plan.choosing_seconds_a_variant if first else plan.seconds_a_variant
        control = Entry(self.workload, Variant(control=True), self.condition)
        entries = [self._entry(()), control, *map(self._entry, variants)]
        for number in range(least if first else plan.most_replicates):
            if number >= least and settled(heat):
                break
            if number % TURNS_A_SERVER == 0:
                renew(self._orders.log)
            what = "choosing the best" if first else f"timing {len(entries)} variants together"
            seed = 1_000 * (not first) + number
            order = self._orders.replicate(entries, seed, each_s * len(entries))
            file = self._folder / f"{self.condition.label()}, {seed}.json"
            turn = f"{what}, process {number + 1} of {max(least, number + 1)}"
            heat.add(number, self._kept(file, turn, peers.replicate, order))
        return heat

    def lost_pp(self, keys: Keys) -> float | None:
        """Percentage points of accuracy lost on the test rows; None for what answered none."""
        if keys not in self._found:
            return None
        own, base = self._found[keys], self._found[()]
        answers = (arrays.from_text(own["predicted"]), arrays.from_text(base["predicted"]))
        return -accuracy.difference(*answers, arrays.from_text(own["labels"])).delta_pp

    def described(self, heat: Heat) -> dict[str, dict[str, Any]]:
        """By variant: latency, speed-up over FP32 eager, accuracy lost, size, share of what the hardware can do."""
        return {Variant(keys).key: self._described(keys, heat) for keys in heat.timed()}

    def _described(self, keys: Keys, heat: Heat) -> dict[str, Any]:
        p50_ms, lost_pp = heat.p50_ms(keys), self.lost_pp(keys)
        size_bytes = self._found[keys]["size_bytes"] if keys in self._found else None
        attainable_ms = self._attainable_ms(keys, size_bytes)
        return {
            "latency_ms_p50": round(p50_ms, 4),
            "speedup": heat.ratio((), keys).as_dict() if keys else None,
            "accuracy_lost_pp": None if lost_pp is None else round(lost_pp, 2) + 0.0,  # no minus zero
            "size_mb": None if size_bytes is None else round(size_bytes / 1e6, 3),
            "ceiling_pct": None if attainable_ms is None else round(100 * attainable_ms / p50_ms, 1),
        }

    def _attainable_ms(self, keys: Keys, size_bytes: int | None) -> float | None:
        work, base_bytes = self._found[()]["work"], self._found[()]["size_bytes"]
        if work is None or self._ceiling is None:
            return None
        found = roofline.attainable(
            work,
            self._ceiling,
            self.condition.device,
            self.condition.threads,
            self.condition.batch_size,
            compose.arithmetic(keys),
            1.0 if size_bytes is None else size_bytes / base_bytes,
        )
        return None if found is None else found.ms
