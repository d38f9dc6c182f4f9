"""What the hardware can do at most: matrix products and memory, as `engine/ceilings.py` measured them. No torch here.

A ceiling is what a call is compared with, not what a call should reach: see `analysis/roofline.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from efficiency import paths

Arithmetic = Literal["fp32", "bf16", "fp16", "fp8", "int8"]
ARITHMETIC: dict[Arithmetic, str] = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16", "fp8": "FP8", "int8": "INT8"}
"""Kinds of arithmetic that a technique may run in, with their names for people."""
WITHOUT_VNNI = "int8-without-vnni"
"""The rate of INT8 where oneDNN is kept from instructions made for it; known only of a processor that has them."""


LEAST_SCALING = 0.8
"""Several threads multiply at this share of one's rate at the least, where nothing else has the cores."""


@dataclass(frozen=True)
class Rates:
    """The best seen on a device with that many threads."""

    device: str
    threads: int
    """Of the CPU; 0 for a GPU, which has none of ours."""
    gops: Mapping[str, float]
    """By `ARITHMETIC`, and `WITHOUT_VNNI`: 10^9 operations a second, a multiplication and an addition being two."""
    memory_gb_s: float
    """10^9 bytes a second, read and written, of a copy that no cache holds."""


@dataclass(frozen=True)
class Ceiling:
    """The rates of one machine, for 1 thread and for all, and for its GPU."""

    machine_key: str
    measured_at: str
    cache_mb: float | None
    """The last-level cache; None where the system does not tell."""
    rates: tuple[Rates, ...]

    def at(self, device: str, threads: int) -> Rates | None:
        """The rates under a condition; between 1 thread and all in proportion, None where nothing was measured."""
        own = sorted((rates for rates in self.rates if rates.device == device), key=lambda rates: rates.threads)
        if not own:
            return None
        low, high = own[0], own[-1]
        if low.threads == high.threads < threads and device == "cpu":
            return None
        if device != "cpu" or threads <= low.threads or low.threads == high.threads:
            return low
        share = min(1.0, (threads - low.threads) / (high.threads - low.threads))
        gops = {kind: value + share * (high.gops[kind] - value) for kind, value in low.gops.items()}
        memory_gb_s = low.memory_gb_s + share * (high.memory_gb_s - low.memory_gb_s)
        return Rates(device, threads, gops, memory_gb_s)

    def believable(self) -> Ceiling:
        """Without the rates of several threads that are below those of one: something else had the cores."""
        one = self.at("cpu", 1)
        return replace(self, rates=tuple(rates for rates in self.rates if one is None or not _below(rates, one)))

    def or_better(self, other: Ceiling) -> Ceiling:
        """The better of both rates, each; `other` is of the same machine."""
        theirs = {(rates.device, rates.threads): rates for rates in other.rates}
        rates = (_better(own, theirs.get((own.device, own.threads), own)) for own in self.rates)
        return replace(self, rates=tuple(rates))

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> Ceiling:
        """Of what `as_dict` gave; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        rates = tuple(
            Rates(
                str(one["device"]),
                int(one["threads"]),
                {str(kind): float(value) for kind, value in dict(one["gops"]).items()},
                float(one["memory_gb_s"]),
            )
            for one in document["rates"]
        )
        cache_mb = document["cache_mb"]
        return Ceiling(
            str(document["machine_key"]),
            str(document["measured_at"]),
            None if cache_mb is None else float(cache_mb),
            rates,
        )


def _below(rates: Rates, one: Rates) -> bool:
    slower = (rates.gops.get(kind, value) < LEAST_SCALING * value for kind, value in one.gops.items())
    return rates.device == "cpu" and any(slower)


def _better(ours: Rates, theirs: Rates) -> Rates:
    gops = {kind: max(value, theirs.gops.get(kind, value)) for kind, value in ours.gops.items()}
    return replace(ours, gops=gops, memory_gb_s=max(ours.memory_gb_s, theirs.memory_gb_s))


def _file(machine_key: str) -> Path:
    return paths.home() / "cache" / "ceilings" / f"{machine_key}.json"


def known(machine_key: str) -> Ceiling | None:
    """What was measured on a machine of this key before, as far as it is believable.

    None where nothing was, or it cannot be read.
    """
    try:
        return Ceiling.from_dict(json.loads(_file(machine_key).read_text())).believable()
    except (OSError, ValueError, TypeError, KeyError):
        return None


def keep(ceiling: Ceiling) -> None:
    """Keep it for the pages and the next study; a full disk is no reason to lose what was measured."""
    file = _file(ceiling.machine_key)
    partial = file.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(ceiling.as_dict()))
        partial.replace(file)
