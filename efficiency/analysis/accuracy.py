"""Accuracy as an estimate: its own interval, and the paired difference to the baseline.

The question is one of non-inferiority: not whether anything is lost, which no test can rule out, but whether more is
lost than the study tolerates.

Both models answer the same test rows, so only the rows on which they differ carry information on the
difference: the paired interval is far narrower than what two separate intervals would suggest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from efficiency.tolerance import TOLERANCE_PP

Answers = NDArray[np.integer]
Verdict = Literal["kept", "lost", "unresolved"]

RESAMPLES = 20_000


@dataclass(frozen=True)
class Share:
    """A share in percent with its 95 % interval."""

    pct: float
    low_pct: float
    high_pct: float


@dataclass(frozen=True)
class Difference:
    """Variant - baseline, in percentage points, with its 95 % interval."""

    delta_pp: float
    low_pp: float
    high_pp: float
    agreement_pct: float
    gained: int
    """Rows that the variant alone has right."""
    lost: int
    """Rows that the baseline alone has right."""
    mcnemar_p: float
    """Exact McNemar test of gained against lost (McNemar, 1947)."""


def share(predicted: Answers, labels: Answers) -> Share:
    """Top-1 accuracy with Wilson's score interval (Wilson, 1927)."""
    right = int((predicted == labels).sum())
    interval = stats.binomtest(right, len(labels)).proportion_ci(method="wilson")
    return Share(100 * right / len(labels), 100 * float(interval.low), 100 * float(interval.high))


def difference(variant: Answers, baseline: Answers, labels: Answers) -> Difference:
    """The paired difference; the interval is a bootstrap over test rows.

    Resampling rows and counting is the same as drawing the two discordant counts from a multinomial.
    Half a row is added to each count: with no discordant row seen, the interval is not a point.
    """
    ours, theirs, rows = variant == labels, baseline == labels, len(labels)
    gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    chances = np.array([gained + 0.5, lost + 0.5, rows - gained - lost]) / (rows + 1)
    drawn = np.random.default_rng(0).multinomial(rows, chances, size=RESAMPLES)
    low, high = np.percentile(100 * (drawn[:, 0] - drawn[:, 1]) / rows, [2.5, 97.5])
    delta = 100 * (gained - lost) / rows
    discordant = gained + lost
    return Difference(
        delta_pp=delta,
        low_pp=min(float(low), delta),
        high_pp=max(float(high), delta),
        agreement_pct=100 * float((variant == baseline).mean()),
        gained=gained,
        lost=lost,
        mcnemar_p=float(stats.binomtest(gained, discordant).pvalue) if discordant else 1.0,
    )


def rows_to_settle(change: Difference, rows: int, tolerance_pp: float = TOLERANCE_PP) -> int | None:
    """About how many test rows would tell whether more than the tolerance is lost, were all else as seen.

    The interval narrows with the square root of the rows; None where the difference seen is the tolerance itself.
    """
    distance_pp = abs(change.delta_pp + tolerance_pp)
    if distance_pp < 1e-9:
        return None
    half_pp = (change.high_pp - change.low_pp) / 2
    return math.ceil(rows * (half_pp / distance_pp) ** 2)


def by_class(variant: Answers, baseline: Answers, labels: Answers) -> list[tuple[int, int, int, int]]:
    """For each class with a row that only one of the two has right: class, its rows, gained, lost; worst loss first."""
    ours, theirs = variant == labels, baseline == labels
    found = []
    for label in np.unique(labels[ours != theirs]):
        own = labels == label
        found.append((int(label), int(own.sum()), int((ours & ~theirs & own).sum()), int((theirs & ~ours & own).sum())))
    return sorted(found, key=lambda row: (row[2] - row[3], row[0]))


def beats_guessing(predicted: NDArray[np.integer], labels: NDArray[np.integer]) -> bool:
    """Whether these answers are surely better than always naming the most common class."""
    return share(predicted, labels).low_pct > 100 * float(np.bincount(labels).max()) / len(labels)


def verdict(change: Difference, tolerance_pp: float = TOLERANCE_PP, luck_pp: float = 0.0) -> Verdict:
    """Kept: surely no more lost than tolerated. Lost: surely more. Otherwise it cannot be told.

    Two runs of one training differ by luck, of which the test rows do not know: a loss must exceed `luck_pp`, too. That
    is infinite where the baseline has not learned more than to guess, which can be neither kept nor lost.
    """
    if math.isinf(luck_pp):
        return "unresolved"
    if change.low_pp >= -tolerance_pp:
        return "kept"
    if change.high_pp < -max(tolerance_pp, luck_pp):
        return "lost"
    return "unresolved"
