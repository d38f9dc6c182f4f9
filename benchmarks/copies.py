"""Copies of the baseline, as variants: one that differs in nothing, and slower ones by a known share.

The slower ones are the first with every duration multiplied. A loop that waits after each call would be more like real
life, but it spoils caches for the call after it: on the machine that this was tried on, 5 % of waiting cost 5.9 %.
So the truth is exact this way. The copies are registered by the benchmark alone; no study has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from efficiency import techniques
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    from efficiency.engine.child import Message, Send

COPY = "copy"
SLOWER = {"slower-3": 1.03, "slower-5": 1.05}
"""Latency of a copy, as a multiple of the baseline's."""


def _stands_anywhere(*_: object) -> None:
    return None


def _unchanged(prepared: Prepared, *_: object) -> Prepared:
    return prepared


def _nothing_to_show(*_: object) -> Evidence:
    return Evidence("no", "It is the baseline.")


def slower(copy: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """The slower copies' samples from those of the copy, whose last column is nanoseconds."""
    found = {key: copy.copy() for key in SLOWER}
    for key, samples in found.items():
        samples[:, -1] = np.rint(SLOWER[key] * samples[:, -1])
    return found


def register() -> None:
    """Make the copies known in this process."""
    for key in (COPY, *SLOWER):
        techniques.TECHNIQUES[key] = Technique(
            key=key,
            label=key,
            summary="A copy of the baseline.",
            stage=Stage.CALL,
            why_not=_stands_anywhere,
            apply=_unchanged,
            evidence=_nothing_to_show,
            recipe=lambda workload, condition: Recipe(),
        )


def replicate(asked: Message, send: Send) -> None:
    """As `engine.replicate.run`; the slower copies are not timed, but made from the one that is. Child side."""
    from efficiency.engine import arrays
    from efficiency.engine import replicate as real

    register()

    def with_copies(message: dict[str, Any]) -> None:
        samples = message.get("samples")
        if samples:
            own = arrays.from_text(samples[COPY])
            samples |= {key: arrays.to_text(slowed) for key, slowed in slower(own).items()}
        send(message)

    timed = [variant for variant in asked["variants"] if variant["key"] not in SLOWER]
    real.run(asked | {"variants": timed}, with_copies)
