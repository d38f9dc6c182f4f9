"""A machine and its health in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from efficiency.analysis import tables
from efficiency.analysis.kept import number_of
from efficiency.analysis.wording import number
from efficiency.ceiling import ARITHMETIC, Ceiling
from efficiency.health import Health
from efficiency.machine import Machine

INT8_SETS = ("amx_int8", "avx512_vnni", "avx_vnni", "i8mm", "asimddp")
BF16_SETS = ("amx_bf16", "avx512_bf16", "bf16")

WORDS = {
    "cpu-stolen": "other virtual machines take {stolen_pct:.0f} % of the processor time",
    "cpu-throttled": "the container's quota holds the processor back",
    "swapping": "memory is being swapped",
    "too-hot": "the processor is slowed down for its heat",
}
"""For the keys of `Health.warnings` but `busy-machine`, which names who it is."""
ALIKE = 0.1
"""Memory that differs by a smaller share is not spoken of: what a system leaves of the same modules differs, too."""
SHORT = 60
"""Characters of what a document says of its machine that are shown."""


def facts(machine: Machine, free_mb: float) -> list[tuple[str, str, str]]:
    """What is asked, the answer, and what it means: `("Cores", "2", "of 8: the container's quota")`."""
    found = [
        ("Cores it may use", f"{machine.cores:g}", _cores(machine)),
        ("Memory", f"{machine.memory_mb / 1e3:.0f} GB", f"{free_mb / 1e3:.1f} GB free"),
        ("INT8", *_has(machine, INT8_SETS, "quantized models can gain most", "quantized models may gain little")),
        ("BF16", *_has(machine, BF16_SETS, "AMP can be faster than FP32", "AMP is likely to be slower than FP32")),
    ]
    if machine.l3_cache_mb is not None:
        own = "" if machine.l2_cache_mb is None else f"and {machine.l2_cache_mb:.1f} MB for each core"
        found.append(("Shared cache", f"{machine.l3_cache_mb:.0f} MB", own))
    if machine.clock_max_mhz is not None:
        governor = "" if machine.governor is None else f"governor: {machine.governor}"
        found.append(("Highest clock", f"{machine.clock_max_mhz / 1e3:.1f} GHz", governor))
    found.append(("GPU", str(len(machine.gpus)) if machine.gpus else "none", _of_gpus(machine)))
    return found


def summary(machine: Machine, peaks: Ceiling | None) -> list[tuple[str, str]]:
    """The same in a few lines: `("Memory", "25 GB")`; the peaks are those of all threads, and of the GPU."""
    lacks = [
        f"no {kind}"
        for kind, own in (("INT8", INT8_SETS), ("BF16", BF16_SETS))
        if not set(own) & set(machine.instruction_sets)
    ]
    sets = ", ".join((*machine.instruction_sets, *lacks))
    found = [
        ("Cores", f"{machine.cores:g} {_cores(machine)}"),
        ("Memory", f"{machine.memory_mb / 1e3:.0f} GB"),
        ("Instructions", sets),
    ]
    if machine.gpus:
        found.append(("GPU", _of_gpus(machine)))
    if peaks is None or not peaks.rates:
        return [*found, ("Peaks", "not measured yet")]
    most = max((rates for rates in peaks.rates if rates.device == "cpu"), key=lambda rates: rates.threads, default=None)
    for rates in (one for one in peaks.rates if one is most or one.device != "cpu"):
        gops = [f"{name} {number(rates.gops[kind])}" for kind, name in ARITHMETIC.items() if rates.gops.get(kind)]
        told = f"{', '.join(gops)} × 10⁹ a second; memory {number(rates.memory_gb_s, 'GB/s')}"
        found.append((f"Peaks, {tables.of_threads(rates)}", told))
    return found


def _of_gpus(machine: Machine) -> str:
    """Their names, and what the least of them has: FP8 and CUDA graphs ask for it."""
    told = [", ".join(machine.gpus)]
    if machine.compute_capability is not None:
        told.append(f"compute capability {machine.compute_capability}")
    if machine.gpu_memory_mb is not None:
        told.append(f"{machine.gpu_memory_mb / 1e3:.0f} GB")
    return "; ".join(filter(None, told))


def _cores(machine: Machine) -> str:
    if machine.quota_cores is not None and machine.cores == machine.quota_cores:
        return f"of {machine.logical_cores}: the container's quota"
    if machine.affinity_cores is not None and machine.affinity_cores < machine.logical_cores:
        return f"of {machine.logical_cores}: the process is tied to them"
    return f"of {machine.logical_cores}: all there are"


def _has(machine: Machine, sets: tuple[str, ...], gain: str, loss: str) -> tuple[str, str]:
    own = next((name for name in sets if name in machine.instruction_sets), None)
    return ("no instructions", loss) if own is None else ("built in", f"{own}: {gain}")


def doubted(found: Ceiling, machine: Machine) -> str:
    """Why there are no peaks of all threads; empty where there are."""
    if found.at("cpu", machine.threads) is not None:
        return ""
    return (
        f"With {machine.threads} threads it came out slower than with one, since other programs had the cores, and is "
        "left out: end them and measure again."
    )


def not_now(at_work: str) -> str:
    """Why nothing else should be measured while this program measures `at_work`."""
    return f"Not now: {at_work} is being measured, and a second measurement would disturb it."


def moment(seen: Health) -> tuple[bool, str]:
    """Whether this is a good moment to measure, and why."""
    wrong = []
    for key in seen.warnings():
        if key == "busy-machine":
            who = ", ".join(name for name, _ in seen.busiest)
            wrong.append(f"other programs keep {seen.others_cores:.2f} cores busy{f' ({who})' if who else ''}")
        else:
            wrong.append(WORDS[key].format(stolen_pct=100 * seen.stolen_share))
    if wrong:
        return False, f"Not a good moment to measure: {'; '.join(wrong)}."
    return True, "A good moment to measure: the processor is all but idle, and nothing holds it back."


def elsewhere(kept: Mapping[str, Any], here: Machine) -> str:
    """What of the machine differs from the one at hand, so that its times are not this one's; empty where nothing.

    `not on this machine (AMD EPYC in place of Intel Xeon, 64 cores in place of 2)`. An imported document's own words
    stand in it: whoever shows it escapes it.
    """

    def other(name: str) -> bool:
        value, own = kept.get(name), getattr(here, name)
        return bool(sorted(map(str, value)) != sorted(own) if isinstance(value, list) else value != own)

    def told(*names: str) -> list[str]:
        found = (DIFFERENCES[name](kept.get(name), getattr(here, name)) for name in names if other(name))
        return list(filter(None, found))

    differs = told("cores", "torch_version")
    if any(map(other, ("cpu_model", "architecture", "instruction_sets", "gpus"))):
        where = "not on this machine"
        # Another model has other instructions: they need no words of their own.
        processor = told("cpu_model", "architecture") or told("instruction_sets")
        differs = [*processor, *told("gpus", "memory_mb"), *differs]
    elif other("cores") or other("torch_version"):
        where = "not on this machine as it is now"
    else:
        return ""
    return f"{where} ({', '.join(differs)})" if differs else where


def _text(kept: object, own: str) -> str:
    return f"{_short(kept)} in place of {own}" if isinstance(kept, str) and kept.strip() else ""


def _instructions(kept: object, own: Sequence[str]) -> str:
    if not isinstance(kept, list | tuple):
        return ""
    names = list(map(str, kept))
    here, there = ", ".join(n for n in own if n not in names), ", ".join(n for n in names if n not in own)
    return ", ".join(f"{_short(only)} only {where}" for only, where in ((here, "here"), (there, "there")) if only)


def _gpus(kept: object, own: Sequence[str]) -> str:
    if not isinstance(kept, list | tuple):
        return ""
    return _text(", ".join(map(str, kept)) or "no GPU", ", ".join(own) or "no GPU")


def _memory(kept: object, own: float) -> str:
    found = number_of(kept)
    if found is None or abs(found - own) <= ALIKE * own:
        return ""
    return f"{found / 1e3:.0f} GB in place of {own / 1e3:.0f}"


def _core_count(kept: object, own: float) -> str:
    found = number_of(kept)
    return "" if found is None else f"{found:g} core{'s' if found != 1 else ''} in place of {own:g}"


def _torch(kept: object, own: str) -> str:
    return f"torch {found}" if (found := _text(kept, own)) else ""


DIFFERENCES: dict[str, Callable[[object, Any], str]] = {
    "cpu_model": _text, "architecture": _text, "instruction_sets": _instructions, "gpus": _gpus, "memory_mb": _memory,
    "cores": _core_count, "torch_version": _torch,
}  # fmt: skip
"""Of what is kept and what is here, the one in place of the other; empty where nothing is kept that can be said, or
too little differs."""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
