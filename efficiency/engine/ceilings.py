"""Measures what the machine can do, in a child process and alone on the machine. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psutil

from efficiency import ceiling, paths
from efficiency.analysis import wording
from efficiency.ceiling import Ceiling, known
from efficiency.engine import turn
from efficiency.engine.child import ask
from efficiency.errors import EfficiencyError, VariantFailed
from efficiency.machine import Machine
from efficiency.measure import peak

__all__ = ["known", "known_or_measured", "measure", "measure_alone"]

SILENCE_S = 120.0
LEAST_COPY_MB, MOST_COPY_MB = 128.0, 512.0
"""Of the array that is copied: four times the last-level cache, within these bounds."""


def measure(machine: Machine, doing: Callable[[str], None] = lambda what: None) -> Ceiling:
    """Measure anew and keep it, in some seconds; the caller holds the machine. Raises `EfficiencyError`.

    What contradicts itself, since something else had the cores, is measured once more, and left out if it still does.
    """
    found = _measured(machine, doing)
    if found.believable() != found:
        found = found.or_better(_measured(machine, doing)).believable()
    ceiling.keep(found)
    return found


def _measured(machine: Machine, doing: Callable[[str], None]) -> Ceiling:
    copy_mb = min(max(LEAST_COPY_MB, 4 * (machine.l3_cache_mb or 0.0)), MOST_COPY_MB)
    copy_mb = min(copy_mb, psutil.virtual_memory().available / 8e6)
    threads, log = sorted({1, machine.threads}), paths.home() / "jobs" / "ceiling.log"
    try:
        answer = ask(peak.run, {"threads": threads, "copy_mb": copy_mb}, log=log, silence_s=SILENCE_S, doing=doing)
        if isa := _without_vnni(machine):
            capped = ask(peak.run_int8, {"threads": threads, "isa": isa}, log=log, silence_s=SILENCE_S)
            for rates, gops in zip(answer["rates"], capped["gops"], strict=False):  # a GPU comes after
                rates["gops"][ceiling.WITHOUT_VNNI] = gops
    except VariantFailed as failure:
        raise EfficiencyError(f"What this machine can do could not be measured: {failure} Try again.") from failure
    return Ceiling.from_dict({
        "machine_key": machine.key,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cache_mb": machine.l3_cache_mb,
        "rates": answer["rates"],
    })  # fmt: skip


def _without_vnni(machine: Machine) -> str:
    """The most that oneDNN may use to do without the processor's instructions for INT8; empty where it has none."""
    if "avx512_vnni" in machine.instruction_sets:
        return "AVX512_CORE"
    return "AVX2" if "avx_vnni" in machine.instruction_sets else ""


def measure_alone(machine: Machine, doing: Callable[[str], None] = lambda what: None) -> Ceiling:
    """As `measure`, but takes the machine's turn; raises `EfficiencyError` at once where something else has it."""
    with turn.taken(wording.CEILING, _busy):
        return measure(machine, doing)


def known_or_measured(machine: Machine) -> Ceiling | None:
    """For a study, which has its turn: what is known, else measured now; None where it cannot be."""
    found = known(machine.key)
    if found is not None and found.at("cpu", machine.threads) is not None:
        return found
    try:
        return measure(machine)
    except EfficiencyError:
        return None  # a study is no worse for it: one column stays empty


def _busy(holder: str | None) -> None:
    raise EfficiencyError(wording.disturbs(holder, "and both would disturb each other; try again when it has ended."))
