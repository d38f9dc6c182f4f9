"""A noisy neighbour: burns one core in random bursts until it is ended, or whoever started it ends.

    python benchmarks/neighbour.py [SEED]

Bursts and pauses last 0.4 s on average, at most 2 s, exponentially distributed.
"""

from __future__ import annotations

import os
import random
import sys
import time

MEAN_S, MOST_S = 0.4, 2.0


def main() -> None:
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    started_by = os.getppid()
    while os.getppid() == started_by:
        end = time.perf_counter() + min(MOST_S, rng.expovariate(1 / MEAN_S))
        while time.perf_counter() < end:
            pass
        time.sleep(min(MOST_S, rng.expovariate(1 / MEAN_S)))


if __name__ == "__main__":
    main()
