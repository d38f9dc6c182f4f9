"""Energy of an example, where the hardware counts it: RAPL for processors, NVML for NVIDIA's GPUs.

What is reported is the energy ABOVE IDLE. The counters are of a whole processor package, or of a whole GPU, which draw
power also when they do nothing; how much is read just before each window of work, and taken off for the window's
seconds. What is left is what calling the model costs, on all cores it uses. It is not the machine's energy: memory
modules, fans, disks and the losses of the power supply are on no such counter. Other programs on the same package
count too.

Nothing is estimated: where no counter can be read, or work cannot be told from idling, there is a reason and no figure.

RAPL through `/sys/class/powercap`: the Linux kernel's `power/powercap/powercap.rst`; `energy_uj` is microjoules and
begins anew at `max_energy_range_uj`. NVML: `nvmlDeviceGetTotalEnergyConsumption`, millijoules since the driver was
loaded, on Volta and later.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
WINDOWS = 4
WINDOW_S = 0.25
"""GPUs renew their counter every 20 to 100 ms, processors every millisecond."""
SETTLE_S, IDLE_S = 0.05, 0.15
"""Threads that wait for more work spin for a while before they sleep, so idling is not read at once."""


@dataclass(frozen=True)
class Counter:
    """Energy since some start, in microjoules; it begins anew at `range_uj`, where that is known."""

    read: Callable[[], int]
    range_uj: int | None = None

    def between_uj(self, before: int, after: int) -> int:
        """Energy between two readings less than a range apart; raises `ValueError` where it went back for no reason."""
        if after >= before:
            return after - before
        if self.range_uj is None or before > self.range_uj:
            raise ValueError("the energy counter went back")
        return after - before + self.range_uj


@dataclass(frozen=True)
class Meter:
    """The counters that together are one source, such as a package for each socket."""

    source: str
    counters: tuple[Counter, ...]

    def read(self) -> tuple[int, ...]:
        """Microjoules of each counter; raises `OSError` or `ValueError`."""
        return tuple(counter.read() for counter in self.counters)

    def between_mj(self, before: tuple[int, ...], after: tuple[int, ...]) -> float:
        """Millijoules of all counters between two readings."""
        pairs = zip(self.counters, before, after, strict=True)
        return sum(counter.between_uj(first, last) for counter, first, last in pairs) / 1e3


@dataclass(frozen=True)
class Energy:
    """Millijoules an example above idle, or why there is no figure."""

    mj: float | None = None
    """The median over windows."""
    source: str | None = None
    reason: str = ""
    low_mj: float | None = None
    """The least and the most of a window: their spread."""
    high_mj: float | None = None
    with_idle_mj: float | None = None
    """The median of what the counters said, idling included."""
    idle_w: float | None = None
    windows: int = 0


def rapl(root: Path = POWERCAP) -> Meter | str:
    """The meter of all processor packages, or a sentence on why there is none.

    Zones inside a package (cores, memory) and of the whole platform are left out: they would count twice.
    """
    zones = [zone for zone in sorted(root.glob("intel-rapl:*")) if re.fullmatch(r"intel-rapl:\d+", zone.name)]
    if not zones:
        return f"There are no power counters under {root}, as on most virtual machines."
    try:
        packages = [zone for zone in zones if (zone / "name").read_text().strip().startswith("package")]
        if not packages:
            return f"The power counters under {root} are of no processor package."
        meter = Meter("rapl package", tuple(map(_rapl_counter, packages)))
        meter.read()
    except PermissionError:
        return (
            "This system's power counters may be read by the administrator alone; "
            f"`sudo chmod a+r {root}/intel-rapl:*/energy_uj` opens them until the next start."
        )
    except (OSError, ValueError) as error:
        return f"This system's power counters cannot be read ({error})."
    return meter


def _rapl_counter(zone: Path) -> Counter:
    file, limit = zone / "energy_uj", zone / "max_energy_range_uj"
    return Counter(lambda: int(file.read_text()), int(limit.read_text()))


def nvml(uuid: str) -> Meter | str:
    """The meter of the GPU with this UUID (`GPU-...`), or a sentence on why there is none.

    By its UUID, since NVML counts GPUs that are hidden from CUDA.
    """
    try:
        import pynvml
    except ImportError:
        return "The GPU's energy is read with nvidia-ml-py, which is not installed: `pip install nvidia-ml-py`."
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as error:
        return f"The GPU's energy counter cannot be read ({error})."

    def read() -> int:
        try:
            return 1_000 * int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except pynvml.NVMLError as error:
            raise OSError(str(error)) from error

    return Meter("nvml gpu", (Counter(read),))


def measure(
    meter: Meter,
    call: Callable[[], object],
    examples: int,
    *,
    on_window: Callable[[int], None] = lambda number: None,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Energy:
    """Call for several windows, each after a moment of idling; `call` serves so many examples and waits for its end."""
    above, whole, idle_w = [], [], []
    try:
        for number in range(WINDOWS):
            on_window(number)
            sleep(SETTLE_S)
            before, started = meter.read(), now()
            sleep(IDLE_S)
            after, ended = meter.read(), now()
            watts = meter.between_mj(before, after) / 1e3 / (ended - started)
            before, started, served = after, ended, 0
            while served == 0 or now() - started < WINDOW_S:
                call()
                served += examples
            after, ended = meter.read(), now()
            used_mj = meter.between_mj(before, after)
            whole.append(used_mj / served)
            above.append((used_mj - 1e3 * watts * (ended - started)) / served)
            idle_w.append(watts)
    except (OSError, ValueError) as error:
        return Energy(reason=f"The energy counter could not be read to the end ({error}).")
    if not any(whole):
        return Energy(reason="The energy counter does not move, as under some virtual machines.")
    if min(above) <= 0:
        return Energy(
            reason="Work could not be told from idling on the energy counter: other programs drew power, too."
        )
    return Energy(
        mj=statistics.median(above),
        source=f"{meter.source}, measured",
        low_mj=min(above),
        high_mj=max(above),
        with_idle_mj=statistics.median(whole),
        idle_w=statistics.median(idle_w),
        windows=WINDOWS,
    )
