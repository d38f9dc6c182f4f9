"""How the machine stands at this moment: the time it takes to hand work to the other threads.

On a shared machine the virtual cores of a guest are moved about. Where they lie close together, handing a piece of
work to another core and waiting for it takes a few microseconds; where they lie far apart, or where another program
holds one of them, it takes half as long again or much longer, and a model that hands over work hundreds of times a
call is slowed by far more than one that does so seldom. Such a state lasts for seconds, and no guest is told of it.
So it is felt before every round, with work that belongs to no variant. With one thread there is nobody to hand work
to, and what is felt is whether this thread was held up.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

HANDED_OVER = 2 * 32_768 + 8
"""Numbers to touch: just enough that PyTorch splits them between threads (its grain is 32,768)."""
REPEATS = 15
FELT = 5
"""Times it is felt for one answer."""


def handoff(device: str = "cpu") -> Callable[[], int]:
    """A function that gives the median nanoseconds of a handoff now; always 0 on CUDA, where none takes place."""
    if device != "cpu":
        return lambda: 0
    import torch

    numbers = torch.zeros(HANDED_OVER)
    clock = time.perf_counter_ns

    def read() -> int:
        durations = []
        with torch.no_grad():
            numbers.add_(1.0)
            for _ in range(REPEATS):
                before = clock()
                numbers.add_(1.0)
                durations.append(clock() - before)
        return int(np.median(durations))

    return read


def now(device: str = "cpu") -> float:
    """The median of a few: the threads that work is handed to may just have been started."""
    feel = handoff(device)
    return float(np.median([feel() for _ in range(FELT)]))
