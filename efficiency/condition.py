"""The condition of a measurement: what is held equal within a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from efficiency.analysis.kept import number_of

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


def of_row(conditions: Iterable[Condition], row: Mapping[str, Any]) -> Condition | None:
    """Under which of a study's conditions this row was measured; None where under none of them.

    A row says how much padding there was, which is no less than was asked for, but for a token. So of the conditions
    that it may have been measured under it is the one that asked for most. An old row, or one of another origin, may
    not know its device or phase: inference then, on any.
    """
    length, padding_pct = number_of(row.get("length")), number_of(row.get("padding_pct"))
    most_pct = padding_pct + 100 / length if padding_pct and length else 0.0
    device, phase = row.get("device"), "training" if row.get("phase") == "training" else "inference"
    fitting = [
        one
        for one in conditions
        if (one.batch_size, one.threads, one.phase) == (row["batch_size"], row["threads"], phase)
        and (one.device == device or not isinstance(device, str) or not device)
        and one.length in (None, length)
        and one.padding_pct <= most_pct
    ]
    return max(fitting, key=lambda one: (one.padding_pct, one.length is not None), default=None)
