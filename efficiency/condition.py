"""The condition of a measurement: what is held equal within a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Device = Literal["cpu", "cuda"]
Phase = Literal["inference", "training"]


@dataclass(frozen=True)
class Condition:
    """Device, batch size [examples a call], threads of the timed process, and the shape of a row.

    `length` is the number of tokens in a row (None: as the workload has it, or rows have no length);
    `padding_pct` is the least share of every row that is padding (0: as the data have it).
    """

    device: Device = "cpu"
    batch_size: int = 1
    threads: int = 1
    length: int | None = None
    padding_pct: int = 0
    phase: Phase = "inference"

    def of_answers(self) -> Condition:
        """What of it a model's answers depend on: not how many rows a call holds, nor the timed threads."""
        return replace(self, batch_size=1, threads=1)

    def label(self) -> str:
        """For people: `CPU, batch 1, 1 thread`."""
        parts = [self.device.upper(), f"batch {self.batch_size}"]
        parts.append(f"{self.threads} thread{'s' if self.threads != 1 else ''}")
        if self.length is not None:
            parts.append(f"length {self.length}")
        if self.padding_pct:
            parts.append(f"{self.padding_pct} % padding")
        if self.phase != "inference":
            parts.append(self.phase)
        return ", ".join(parts)
