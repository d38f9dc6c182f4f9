"""What the article claims of architectures: the faster and smaller ones are less accurate than the larger."""

from __future__ import annotations

import math
from itertools import combinations

from efficiency import workloads
from efficiency.analysis import pairs
from efficiency.claims import asking
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.here import Heat, Here, difference
from efficiency.claims.modes import VISION
from efficiency.study import BASELINE


def _architectures(here: Here) -> list[Case]:
    return [_of_two(here, *two) for two in combinations(VISION, 2)]


def _of_two(here: Here, first: str, second: str) -> Case:
    """The baselines of two models on the same data."""
    label = f"{asking.label_of(first)} and {asking.label_of(second)}"
    needs = [Need(first), Need(second)]
    for need in needs:
        if reason := asking.why_not(need, here.machine):
            return Case(label, need.workload, "not-testable", reason)
    heats = [here.best(need, workloads.describe(need.workload).dataset(None).key) for need in needs]
    missing = tuple(need for need, heat in zip(needs, heats, strict=True) if heat is None)
    if missing:
        return asking.not_measured(label, missing)
    return _judged(label, *(heat for heat in heats if heat is not None))


def _judged(label: str, one: Heat, other: Heat) -> Case:
    """Which is faster, then whether it is less accurate. Each was timed in a heat of its own, so their machine's states
    are not shared, and the interval of the ratio is as wide as that makes it."""
    behind = tuple(heat.behind(BASELINE, asking.label_of(heat.workload)) for heat in (one, other))
    ours, theirs = (heat.store.samples(heat.row_id(BASELINE)) for heat in (one, other))
    ratio = pairs.speed_up(ours, theirs, math.inf)
    if ratio is None or ratio.low <= 1 <= ratio.high:
        return Case(label, one.workload, "unresolved", "Which of the two is faster cannot be told.", None, behind)
    fast, slow = (one, other) if ratio.estimate > 1 else (other, one)
    change = difference(slow.answers(BASELINE), fast.answers(BASELINE))
    names = [asking.label_of(heat.workload) for heat in (fast, slow)]
    label = f"{names[0]} against {names[1]}"
    times = max(ratio.estimate, 1 / ratio.estimate)
    said = f"{names[0]} is {times:.1f}x as fast as {names[1]}."
    if change is None:
        why = f"{said} They did not answer the same test rows."
        return Case(label, fast.workload, "unresolved", why, None, behind)
    figure = Figure(change.delta_pp, 0.0, "pp", change.low_pp, change.high_pp)
    verdict, because = asking.held(figure)
    why = f"{said} Accuracy of {names[1]} less that of {names[0]}: {figure.said()}. {because}"
    return Case(label, fast.workload, verdict, why, figure, behind)


CLAIMS = (
    Claim(
        "smaller-architectures",
        "Faster and smaller architectures are less accurate than larger ones.",
        "Vision models on the same data, two at a time: accuracy of the slower less that of the faster.",
        "above 0 pp: the faster is less accurate",
        _architectures,
    ),
)
