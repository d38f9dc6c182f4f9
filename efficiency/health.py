"""What else the machine was doing while something was timed on it. No torch here.

Counters of the system, read before and after: their difference says what happened in between. Nothing is
polled beside a process that is timed.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

BUSY_CORES = 0.2
"""Other programs that use more than this part of one core disturb."""
STEAL_SHARE = 0.02
THROTTLED_SHARE = 0.01
SWAPPED_MB = 1.0


@dataclass(frozen=True)
class Reading:
    """Counters since the machine, or its container, was started; seconds and bytes."""

    at_s: float
    busy_s: float
    """All cores, all processes."""
    stolen_s: float
    """Taken by other virtual machines on the same hardware; 0 where the system does not say."""
    own_s: float
    """Of this process and of its children that have ended."""
    throttled_s: float
    """Held back by the container's quota."""
    swapped_bytes: int


@dataclass(frozen=True)
class Health:
    """What happened between two readings."""

    others_cores: float
    """Cores that other programs kept busy, on average."""
    stolen_share: float
    throttled_share: float
    swapped_mb: float

    def warnings(self) -> list[str]:
        """Keys of `analysis.notes.HINTS`."""
        found = {
            "busy-machine": self.others_cores > BUSY_CORES,
            "cpu-stolen": self.stolen_share > STEAL_SHARE,
            "cpu-throttled": self.throttled_share > THROTTLED_SHARE,
            "swapping": self.swapped_mb > SWAPPED_MB,
        }
        return [key for key, found_so in found.items() if found_so]

    def as_dict(self) -> dict[str, float]:
        """Ready for JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def read() -> Reading:
    """The counters now; what the system does not tell is 0."""
    cpu = psutil.cpu_times()
    idle_s = cpu.idle + getattr(cpu, "iowait", 0.0)
    stolen_s = getattr(cpu, "steal", 0.0)
    # Guests' time is counted in `user` already, and stolen time is nobody's work here.
    counted = {name: value for name, value in cpu._asdict().items() if not name.startswith("guest")}
    own = os.times()
    swap_bytes = 0
    with suppress(OSError, RuntimeError):
        swap = psutil.swap_memory()
        swap_bytes = swap.sin + swap.sout
    return Reading(
        at_s=time.monotonic(),
        busy_s=sum(counted.values()) - idle_s - stolen_s,
        stolen_s=stolen_s,
        own_s=own.user + own.system + own.children_user + own.children_system,
        throttled_s=_throttled_s(),
        swapped_bytes=swap_bytes,
    )


def _throttled_s(root: Path = Path("/sys/fs/cgroup")) -> float:
    """From the control group's `cpu.stat`: microseconds in version 2, nanoseconds in version 1."""
    for file, name, units in (
        (root / "cpu.stat", "throttled_usec", 1e6),
        (root / "cpu" / "cpu.stat", "throttled_time", 1e9),
    ):
        with suppress(OSError, ValueError):
            for line in file.read_text().splitlines():
                if line.startswith(f"{name} "):
                    return int(line.split()[1]) / units
    return 0.0


def between(before: Reading, after: Reading, children_s: float = 0.0) -> Health:
    """The health of the time between two readings of one process.

    `children_s` is processor time of its own that the readings do not know of: of children that a server forked.
    """
    seconds = max(after.at_s - before.at_s, 1e-9)
    busy_s, own_s = after.busy_s - before.busy_s, after.own_s - before.own_s + children_s
    stolen_s = after.stolen_s - before.stolen_s
    wanted_s = busy_s + stolen_s
    return Health(
        others_cores=max(0.0, busy_s - own_s) / seconds,
        stolen_share=max(0.0, stolen_s) / wanted_s if wanted_s > 0 else 0.0,
        throttled_share=max(0.0, after.throttled_s - before.throttled_s) / seconds,
        swapped_mb=max(0, after.swapped_bytes - before.swapped_bytes) / 1e6,
    )
