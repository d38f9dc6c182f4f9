"""What the children of a study are told, and where they leave things for each other. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from efficiency.condition import Condition
from efficiency.engine.child import Message
from efficiency.errors import BadRequest, VariantFailed
from efficiency.machine import Machine
from efficiency.study import Entry, Study
from efficiency.techniques import compose
from efficiency.workloads import file_and_function
from efficiency.workloads.base import Workload


class Orders:
    """The orders of one study. `workloads` are described once, so that all its children are told the same."""

    def __init__(self, study: Study, machine: Machine, workloads: dict[str, Workload], folder: Path) -> None:
        self._study, self._machine, self._workloads, self._folder = study, machine, workloads, folder
        self._files = {name: _content(workload) for name, workload in workloads.items()}
        self.log = folder / "children.log"
        self.at_work = folder / "at-work"

    def reference(self, name: str, conditions: Sequence[Condition]) -> Message:
        """For `reference.run`: make the reference model ready, and the timed input of each condition."""
        return self._about(name) | {
            "anew": False,
            "samples": [
                {"condition": asdict(condition), "file": str(self._sample(name, condition))} for condition in conditions
            ],
        }

    def variant(self, entry: Entry) -> Message:
        """One variant under one condition, for `cold.run`; `probe` adds what the reference was."""
        effort = self._study.effort
        return self._about(entry.workload) | {
            "condition": asdict(entry.condition),
            "sample": str(self._sample(entry.workload, entry.condition)),
            "logits": str(self._shared(entry.workload, entry.condition) / "baseline-logits.npy"),
            "answers": str(self._shared(entry.workload, entry.condition) / f"{entry.variant.key}.answers.json"),
            "test_rows": effort.test_rows,
            "calibration_rows": effort.calibration_rows,
            "training_rows": effort.training_rows,
            "tolerance_pp": self._study.tolerance_pp,
            **self._variant(entry),
        }

    def probe(self, entry: Entry, ready: Message) -> Message:
        """For `probe.run` and `training_probe.run`; `ready` is what `reference.run` answered."""
        return self.variant(entry) | {"reference": ready["content"]}

    def replicate(
        self,
        entries: Sequence[Entry],
        number: int,
        seconds: float,
        *,
        still_ns: float | None = None,
        linger_s: float = 0.0,
        may_be_put_off: bool = False,
    ) -> Message:
        """For `replicate.run`: these variants, which share workload and condition, timed together (see `latency`)."""
        name, condition = entries[0].workload, entries[0].condition
        return self._about(name) | {
            "condition": asdict(condition),
            "sample": str(self._sample(name, condition)),
            "seed": self._study.seed + 1_000 + number,
            "seconds": seconds,
            "linger_s": linger_s,
            "still_ns": still_ns,
            "may_be_put_off": may_be_put_off,
            "least_calls": self._study.effort.calls_a_replicate,
            "at_work": str(self.at_work),
            "variants": [{"key": entry.variant.key, **self._variant(entry)} for entry in entries],
        }

    def _about(self, name: str) -> Message:
        """Raises `VariantFailed` where a user's file is not what it was: its rows would be of two models."""
        if _content(self._workloads[name]) != self._files[name]:
            raise VariantFailed(f"{self._workloads[name].source} changed while the study ran; run the study again.")
        return {
            "workload": name,
            "dataset": self._study.dataset_of(self._workloads[name]).key,
            "seed": self._study.seed,
            "threads": self._machine.threads,
        }

    def _variant(self, entry: Entry) -> dict[str, Any]:
        # What is probed once is kept once; what is learned depends on neither batch size nor threads.
        learner = compose.learner_of(entry.variant.techniques) or entry.variant.key
        probed = compose.probed_under(entry.variant.techniques, entry.condition)
        left = self._shared(entry.workload, probed) / f"batch-{probed.batch_size}-threads-{probed.threads}"
        left.mkdir(exist_ok=True)
        return {
            "techniques": list(entry.variant.techniques),
            "learned": str(self._shared(entry.workload, entry.condition) / f"{learner}.safetensors"),
            "artefact": str(left / f"{entry.variant.key}.artefact"),
        }

    def _shared(self, name: str, condition: Condition) -> Path:
        """The folder of what does not depend on batch size and threads."""
        shape = f"{condition.device}-{condition.length or 'natural'}-{condition.padding_pct}"
        folder = self._folder / self._workloads[name].key / shape
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _sample(self, name: str, condition: Condition) -> Path:
        return self._shared(name, condition) / f"sample-{condition.batch_size}.safetensors"


def _content(workload: Workload) -> bytes | None:
    """Of a user's file; nothing where it is gone, None for a built-in workload."""
    if not workload.source:
        return None
    try:
        return file_and_function(workload.source)[0].read_bytes()
    except (OSError, BadRequest):
        return b""
