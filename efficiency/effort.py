"""How much data and time a study gives each variant, and how narrow intervals should be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

PRECISION_PCT = 2.0
"""Half the width that the interval of a speed-up should have by its own minutes, unless a study says otherwise."""
LEAST_PRECISION = 0.001
"""What may be asked for, at least, as a share."""
CALLS_FOR_P99 = 500
"""Fewer timed calls leave less than five beyond it: it is not known then."""


@dataclass(frozen=True)
class Effort:
    """How much data and time a study gives each variant."""

    test_rows: int | None
    """Rows of the test set that accuracy is measured on; None for all."""
    calibration_rows: int
    training_rows: int
    """Rows that quantization-aware training fine-tunes on; in a training study, those that every variant is trained on,
    a batch a step."""
    replicates: int
    """Fresh processes that time each heat, at least."""
    seconds_per_replicate: float
    """Timed seconds in each fresh process, shared by all variants of a heat."""
    most_replicates: int = 0
    """Added one by one while an interval is wider than `precision`; none where this is less than `replicates`."""
    precision: float = PRECISION_PCT / 100
    """Half the width that an interval should have by its own minutes, as a share of the speed-up."""
    budget_s: float | None = None
    """Seconds after which a study that has no budget of its own adds no replicate; None for no such limit."""
    calls: int = 0
    """Timed calls of each variant, at least; more where its time allows."""

    @property
    def calls_a_replicate(self) -> int:
        """As many as make `calls` in the planned replicates."""
        return math.ceil(self.calls / self.replicates)

    def for_p99(self) -> Effort:
        """With as many calls of each variant as a p99 takes."""
        return replace(self, calls=CALLS_FOR_P99)

    def within(self, precision_pct: float) -> Effort:
        """With this precision in percent, and as many more processes at most as that takes: four times for half of it.

        It may be anything: `check` says what is wrong with it.
        """
        precision = precision_pct / 100
        more = max(1.0, self.precision / max(precision, LEAST_PRECISION))
        return replace(self, precision=precision, most_replicates=round(self.most_replicates * more**2))


def steps_for(rows: int, batch_size: int) -> int:
    """How many steps see so many rows; at least 2, between which a loss falls."""
    return max(2, round(rows / batch_size))
