"""Latency of several variants in one process: visits in random order, round after round.

All variants are timed close together, so that whatever the machine does to one it does to all; the
order is drawn anew every round; a discarded call opens each visit, and threads that another engine
left spinning are waited for, so that one variant's caches and spinning threads are not the next
one's bill. Before every round, and after the last, the machine's pulse is felt. Nothing is averaged
here: every call is kept.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from efficiency.measure import pulse, rest
from efficiency.techniques.base import Manager

if TYPE_CHECKING:
    import torch

VISIT_NS = 10_000_000
"""A visit lasts about this long: many calls of a quick variant, one of a slow one."""
CALLS_A_VISIT = (1, 50)
A_VISIT_OF_MANY = 4
"""Calls of a visit of a slow variant, at most, where many are asked for: more would part it from its round."""
LEAST_ROUNDS = 5
ENOUGH_ROUNDS = 10
"""Undisturbed ones after which another process tells more than this one's next."""
WARM_UP_CALLS = 3


@dataclass(frozen=True)
class Timed:
    """A variant as it is timed: the call, and what holds around a visit."""

    call: Callable[[torch.Tensor], torch.Tensor]
    session: tuple[Manager, ...]
    own_threads: bool = False
    """It computes with threads of its own, not with PyTorch's: neither side's may spin while the other's are timed."""


@dataclass(frozen=True)
class Taken:
    """What the clock said in one process."""

    samples: dict[str, NDArray[np.int64]]
    """Per variant [calls, 2]: round and nanoseconds."""
    handoff_ns: NDArray[np.int64]
    """[rounds + 1]: the machine's pulse before each round and after the last (`measure.pulse`)."""
    lingered_s: float
    """For how long it went on for undisturbed rounds."""


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


def _stopwatch(timed: Timed, sample: torch.Tensor, device: str) -> Callable[[list[int]], None]:
    """A function that makes one call and notes its nanoseconds.

    On the CPU a call returns when it is done. On CUDA it returns before, so two events on the device's own clock
    enclose it, and the call counts as over when the device has caught up; the region is the same for every variant.
    """
    call = timed.call
    if device == "cpu":
        clock = time.perf_counter_ns

        def on_cpu(durations: list[int]) -> None:
            before = clock()
            call(sample)
            durations.append(clock() - before)

        return on_cpu
    import torch

    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    synchronize = torch.cuda.synchronize

    def on_cuda(durations: list[int]) -> None:
        start.record()
        call(sample)
        end.record()
        synchronize()
        durations.append(round(1e6 * start.elapsed_time(end)))  # the event's milliseconds

    return on_cuda


def _visit(timed: Timed, one_call: Callable[[list[int]], None], calls: int) -> list[int]:
    """Nanoseconds of each of `calls` calls, after one that is not counted."""
    durations: list[int] = []
    with ExitStack() as session:
        for manager in timed.session:
            session.enter_context(manager())
        for _ in range(1 + calls):
            one_call(durations)
    return durations[1:]


def calls_a_visit(call_ns: float, asked: int = 0) -> int:
    """How many calls fill a visit; of a slow variant some more where so many are asked for, since each visit's first is
    not counted."""
    fitting = int(np.clip(VISIT_NS / max(call_ns, 1.0), *CALLS_A_VISIT))
    return max(fitting, min(asked, A_VISIT_OF_MANY))


def calls_a_replicate(asked: int) -> int:
    """Calls that a replicate makes of each variant, however slow, where so many are asked for: a visit to warm up and
    one a round, each of which a discarded call opens."""
    a_visit = max(CALLS_A_VISIT[0], min(asked, A_VISIT_OF_MANY))
    return (1 + WARM_UP_CALLS) + max(LEAST_ROUNDS, math.ceil(asked / a_visit)) * (1 + a_visit)


def rounds(
    variants: Mapping[str, Timed],
    sample: torch.Tensor,
    *,
    seconds: float,
    seed: int,
    device: str = "cpu",
    least_calls: int = 0,
    still_ns: float | None = None,
    linger_s: float = 0.0,
    on_variant: Callable[[str], None] = lambda key: None,
) -> Taken:
    """Time all variants for about `seconds`, or for longer where one would get fewer than `least_calls`.

    Where the pulse of an undisturbed machine is known, up to `still_ns`, rounds go on for up to `linger_s` more, until
    as many were undisturbed as fill `seconds`, or `ENOUGH_ROUNDS` if those are fewer, but at least `LEAST_ROUNDS`. No
    variant's own times decide it, so it favours none.
    `on_variant` is told before every visit, so that a crash has a suspect; it must be next to nothing.
    """
    rng = np.random.default_rng(seed)
    keys = list(variants)
    theirs = False  # whether the threads that may spin still are another engine's than PyTorch's

    def hand_over(own_threads: bool) -> None:
        nonlocal theirs
        if theirs or own_threads:
            rest.wait()
        theirs = own_threads

    one_call = {key: _stopwatch(timed, sample, device) for key, timed in variants.items()}
    calls: dict[str, int] = {}
    for place in rng.permutation(len(keys)):
        key = keys[place]
        on_variant(key)
        hand_over(variants[key].own_threads)
        warm_up = _visit(variants[key], one_call[key], WARM_UP_CALLS)
        calls[key] = calls_a_visit(float(np.median(warm_up)), least_calls)
    feel = pulse.handoff(device)
    felt: list[int] = []
    taken: dict[str, list[tuple[int, int]]] = {key: [] for key in variants}
    number, undisturbed, undisturbed_s, now = 0, 0, 0.0, 0.0

    def feel_pulse() -> None:
        nonlocal now
        hand_over(own_threads=False)
        felt.append(feel())
        now = time.monotonic()

    def one_round() -> None:
        nonlocal number, undisturbed, undisturbed_s
        began = now
        for place in rng.permutation(len(keys)):
            key = keys[place]
            on_variant(key)
            hand_over(variants[key].own_threads)
            durations = _visit(variants[key], one_call[key], calls[key])
            taken[key] += [(number, duration) for duration in durations]
        number += 1
        feel_pulse()
        if still_ns is None or max(felt[-2:]) <= still_ns:
            undisturbed, undisturbed_s = undisturbed + 1, undisturbed_s + now - began

    with _no_collection():
        least = max(LEAST_ROUNDS, *(math.ceil(least_calls / a_visit) for a_visit in calls.values()))
        feel_pulse()
        started = now
        while number < least or now - started < seconds:
            one_round()
        planned = now
        while now - planned < linger_s and (  # of an unknown pulse all rounds count as undisturbed
            undisturbed < LEAST_ROUNDS or (undisturbed < ENOUGH_ROUNDS and undisturbed_s < seconds)
        ):
            one_round()
    samples = {key: np.array(values, dtype=np.int64) for key, values in taken.items()}
    return Taken(samples, np.array(felt, dtype=np.int64), now - planned)
