"""What else the machine was doing while something was timed on it. No torch here.

Counters of the system, read before and after: their difference says what happened in between. Nothing is
polled beside a process that is timed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

BUSY_CORES = 0.2
"""Other programs that use more than this part of one core disturb."""
STEAL_SHARE = 0.02
THROTTLED_SHARE = 0.01
SWAPPED_MB = 1.0
DISTURBANCES = {
    "busy-machine": ("others_cores", BUSY_CORES),
    "cpu-stolen": ("stolen_share", STEAL_SHARE),
    "cpu-throttled": ("throttled_share", THROTTLED_SHARE),
    "swapping": ("swapped_mb", SWAPPED_MB),
    "too-hot": ("too_hot", 0),
}
"""By warning: the figure of `Health` that it is known by, and what that exceeds."""
NAMED, NAMED_CORES = 3, 0.02
"""The busiest programs that are named, and the part of a core from which on one counts as busy."""

ProcessId = tuple[int, float]
"""Number and time of start: a number alone may pass to another process."""


@dataclass(frozen=True)
class Reading:
    """Counters since the machine, or its container, was started; seconds and bytes."""

    at_s: float
    busy_s: float
    """All cores, all processes."""
    stolen_s: float
    """Taken by other virtual machines on the same hardware; 0 where the system does not say."""
    own_s: float
    """Of this process and of all that descend from it, ended or not."""
    throttled_s: float
    """Held back by the container's quota."""
    swapped_bytes: int
    too_hot: int = 0
    """Times that a core was slowed down for its heat; 0 where Linux does not say, as in virtual machines."""
    load: float = 0.0
    """Processes that ran or waited for a core, averaged over the last minute."""
    processes: Mapping[ProcessId, tuple[str, float]] = field(default_factory=dict)
    """Name and processor seconds of every program but this one and its children."""


@dataclass(frozen=True)
class Health:
    """What happened between two readings."""

    others_cores: float
    """Cores that other programs kept busy, on average."""
    stolen_share: float
    throttled_share: float
    swapped_mb: float
    too_hot: int = 0
    load: float = 0.0
    """At the end, over the minute before it."""
    busiest: tuple[tuple[str, float], ...] = ()
    """Of the other programs those that used most, with the cores that each kept busy on average."""

    def warnings(self) -> list[str]:
        """Keys of `analysis.notes.HINTS`."""
        return [key for key, (figure, limit) in DISTURBANCES.items() if getattr(self, figure) > limit]

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        figures = {name: round(value, 4) for name, value in asdict(self).items() if name != "busiest"}
        return figures | {"busiest": [[name, round(cores, 4)] for name, cores in self.busiest]}


def read() -> Reading:
    """The counters now; what the system does not tell is 0."""
    descend_s, others = _processes()
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
        own_s=own.user + own.system + own.children_user + own.children_system + descend_s,
        throttled_s=_throttled_s(),
        swapped_bytes=swap_bytes,
        too_hot=_too_hot(),
        load=_load(),
        processes=others,
    )


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):  # Windows has none
        return 0.0


def _too_hot(root: Path = Path("/sys/devices/system/cpu")) -> int:
    """Sum of the cores' counters of throttling for heat."""
    total = 0
    for file in root.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"):
        with suppress(OSError, ValueError):
            total += int(file.read_text())
    return total


def _processes() -> tuple[float, dict[ProcessId, tuple[str, float]]]:
    """The processor seconds of all that descends from this process and has not ended, those of its own children that
    have among them, and other programs' names and seconds; some milliseconds for hundreds of processes.

    A server that forks is such a child: what it starts is another's until it has ended, and the server's then. Linux's
    own threads, all children of `kthreadd`, are no programs: nobody can end them, and they work for others.
    """
    seen: dict[int, tuple[int, float, str, Any]] = {}
    for process in psutil.process_iter(["pid", "ppid", "create_time", "name", "cpu_times"]):
        told = process.info
        if told["cpu_times"] is not None and told["create_time"] is not None:
            seen[told["pid"]] = (told["ppid"] or 0, told["create_time"], told["name"] or "?", told["cpu_times"])
    ours = {os.getpid()}
    while more := {pid for pid, (parent, *_) in seen.items() if parent in ours} - ours:
        ours |= more
    descend_s = sum(
        used.user + used.system + used.children_user + used.children_system
        for pid in ours & seen.keys() - {os.getpid()}
        for used in (seen[pid][3],)
    )
    kernel = {pid for pid, (parent, _, name, _) in seen.items() if parent == 0 and name == "kthreadd"}
    return descend_s, {
        (pid, started): (name, used.user + used.system)
        for pid, (parent, started, name, used) in seen.items()
        if pid not in ours and not kernel & {pid, parent}
    }


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


def between(before: Reading, after: Reading) -> Health:
    """The health of the time between two readings of one process."""
    seconds = max(after.at_s - before.at_s, 1e-9)
    busy_s, own_s = after.busy_s - before.busy_s, after.own_s - before.own_s
    stolen_s = after.stolen_s - before.stolen_s
    wanted_s = busy_s + stolen_s
    return Health(
        others_cores=max(0.0, busy_s - own_s) / seconds,
        stolen_share=max(0.0, stolen_s) / wanted_s if wanted_s > 0 else 0.0,
        throttled_share=max(0.0, after.throttled_s - before.throttled_s) / seconds,
        swapped_mb=max(0, after.swapped_bytes - before.swapped_bytes) / 1e6,
        too_hot=max(0, after.too_hot - before.too_hot),
        load=after.load,
        busiest=_busiest(before, after, seconds),
    )


def _busiest(before: Reading, after: Reading, seconds: float) -> tuple[tuple[str, float], ...]:
    """Programs of the same name are one; what started in between has done all its work in between."""
    cores: dict[str, float] = {}
    for id, (name, used_s) in after.processes.items():
        used_before_s = before.processes.get(id, (name, 0.0))[1]
        cores[name] = cores.get(name, 0.0) + max(0.0, used_s - used_before_s) / seconds
    ordered = sorted(cores.items(), key=lambda item: -item[1])
    return tuple((name, used) for name, used in ordered[:NAMED] if used >= NAMED_CORES)
