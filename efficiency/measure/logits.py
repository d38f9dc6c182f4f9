"""How far a variant's logits lie from the baseline's: a signal-to-noise ratio, which moves before an answer does.

SNR [dB] = 10 log10(sum of squares of the baseline's logits / sum of squares of the differences), over all classes of
all test rows. Every 20 dB less is ten times the difference. It says how much arithmetic changed, not how many answers:
logits that are far apart stand a large difference, and a small one may flip a close call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
WhyNot = Literal["identical", "not-finite"]


@dataclass(frozen=True)
class Distance:
    """`snr_db`, or why there is none: no difference at all has an infinite ratio, and infinite logits have none."""

    snr_db: float | None
    why_not: WhyNot | None = None


class Keeper:
    """Keeps the baseline's logits [rows, classes] as they come, in a file that is written whole before it is there."""

    def __init__(self, file: Path, rows: int, classes: int) -> None:
        self._file, self._part, self._next = file, file.with_suffix(".part"), 0
        self._kept = np.lib.format.open_memmap(self._part, mode="w+", dtype=np.float32, shape=(rows, classes))

    def add(self, logits: Logits) -> None:
        """The next rows [n, classes]."""
        self._kept[self._next : self._next + len(logits)] = logits
        self._next += len(logits)

    def close(self) -> None:
        """All rows were added."""
        self._kept.flush()
        self._part.replace(self._file)


class Comparison:
    """Adds up signal and noise of a variant's logits, in the order of the baseline's rows.

    Sums are taken in float64: those of a million float32 squares would be off by more than some variants are.
    """

    def __init__(self, file: Path) -> None:
        self._reference: Logits = np.load(file, mmap_mode="r", allow_pickle=False)
        self._signal, self._noise, self._next = 0.0, 0.0, 0

    def add(self, logits: Logits) -> None:
        """The next rows [n, classes]."""
        theirs = self._reference[self._next : self._next + len(logits)].astype(np.float64)
        self._signal += float(np.square(theirs).sum())
        self._noise += float(np.square(theirs - logits).sum())
        self._next += len(logits)

    def distance(self) -> Distance:
        """Of all rows that were added."""
        if not (math.isfinite(self._signal) and math.isfinite(self._noise)):
            return Distance(None, "not-finite")
        if self._noise == 0.0:
            return Distance(None, "identical")
        # A reference of nothing but zeros has no signal: any noise is infinitely far above it.
        return Distance(10 * math.log10(self._signal / self._noise)) if self._signal else Distance(None, "not-finite")
