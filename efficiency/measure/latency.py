"""Latency of several variants in one process: visits in random order, round after round.

All variants are timed close together, so that whatever the machine does to one it does to all; the
order is drawn anew every round; a discarded call opens each visit, so that one variant's caches and
spinning threads are not the next one's bill. Nothing is averaged here: every call is kept.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from efficiency.techniques.base import Manager

if TYPE_CHECKING:
    import torch

VISIT_NS = 15_000_000
"""A visit lasts about this long: many calls of a quick variant, one of a slow one."""
CALLS_A_VISIT = (1, 50)
LEAST_ROUNDS = 5
WARM_UP_CALLS = 3
LEAST_CALLS = (1 + WARM_UP_CALLS) + 2 * LEAST_ROUNDS
"""Of each variant, however slow: a visit to warm up, and in each round a call after a discarded one."""


@dataclass(frozen=True)
class Timed:
    """A variant as it is timed: the call, and what holds around a visit."""

    call: Callable[[torch.Tensor], torch.Tensor]
    session: tuple[Manager, ...]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python's cycle collector off, as in `timeit`: its pauses belong to no variant."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _synchronize(device: str) -> Callable[[], None]:
    """Wait for the device to finish; on the CPU a call returns when it is done."""
    if device == "cpu":
        return lambda: None
    import torch

    return torch.cuda.synchronize


def _visit(timed: Timed, sample: torch.Tensor, calls: int, synchronize: Callable[[], None]) -> list[int]:
    """Nanoseconds of each of `calls` calls, after one that is not counted."""
    clock, call = time.perf_counter_ns, timed.call
    durations = []
    with ExitStack() as session:
        for manager in timed.session:
            session.enter_context(manager())
        call(sample)
        synchronize()
        for _ in range(calls):
            before = clock()
            call(sample)
            synchronize()
            durations.append(clock() - before)
    return durations


def calls_a_visit(call_ns: float) -> int:
    """How many calls fill a visit."""
    least, most = CALLS_A_VISIT
    return int(np.clip(VISIT_NS / max(call_ns, 1.0), least, most))


def rounds(
    variants: Mapping[str, Timed],
    sample: torch.Tensor,
    *,
    seconds: float,
    seed: int,
    device: str = "cpu",
    on_variant: Callable[[str], None] = lambda key: None,
) -> dict[str, NDArray[np.int64]]:
    """Time all variants for about `seconds`; per variant an array [n, 2] of round and nanoseconds.

    `on_variant` is told before every visit, so that a crash has a suspect; it must be next to nothing.
    """
    synchronize = _synchronize(device)
    rng = np.random.default_rng(seed)
    calls: dict[str, int] = {}
    for place in rng.permutation(len(variants)):
        key = list(variants)[place]
        on_variant(key)
        warm_up = _visit(variants[key], sample, WARM_UP_CALLS, synchronize)
        calls[key] = calls_a_visit(float(np.median(warm_up)))
    taken: dict[str, list[tuple[int, int]]] = {key: [] for key in variants}
    keys = list(variants)
    with _no_collection():
        end, number = time.monotonic() + seconds, 0
        while number < LEAST_ROUNDS or time.monotonic() < end:
            for place in rng.permutation(len(keys)):
                key = keys[place]
                on_variant(key)
                durations = _visit(variants[key], sample, calls[key], synchronize)
                taken[key] += [(number, duration) for duration in durations]
            number += 1
    return {key: np.array(values, dtype=np.int64) for key, values in taken.items()}
