"""Which variant to ship: the fastest that meets the limits, and what is to be said beside it.

The fastest of many is partly so by luck. So those that come near it are compared with it directly, process by
process, in the rounds that both took part in; what cannot be told apart from it is tied with it. And it only
leads until it has been timed again: an `Answer` holds both choices, and the second rests on fresh processes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from efficiency.analysis import limits as limits_module
from efficiency.analysis import speed, views
from efficiency.analysis.limits import Limits
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.study import BASELINE, CONTROL

Row = dict[str, Any]
"""A row of `views.prepared`, and whether it was timed while the machine was `disturbed` (`analysis.disturbance`)."""
Compare = Callable[[int, int], speed.SpeedUp | None]
"""How much faster the first id's row is than the second's, paired; None where not two processes timed both."""
Kind = Literal["found", "none", "empty"]

COMPARED = 12
"""Rows that are compared with the winner directly, the nearest; more ties than this nobody reads."""
OPEN = ("probably", "unresolved")
"""States of a limit that further replicates may settle, or test rows."""
UNSETTLED = 3
"""Faster rows that are named though it is not known whether they meet the limits."""


@dataclass(frozen=True)
class Miss:
    """By what a row misses one limit."""

    limit: str
    """A key of `limits.KINDS`."""
    value: float
    """What it costs."""
    state: limits_module.State


@dataclass(frozen=True)
class Choice:
    """The answer for one workload under one condition of one study."""

    kind: Kind
    limits: Limits
    equivalence_pct: float = EQUIVALENCE_PCT
    """Within what percentage of the winner others are tied with it."""
    considered: int = 0
    """Rows that could be chosen: measured, with some technique in effect."""
    meeting: int = 0
    winner: Row | None = None
    baseline: Row | None = None
    """What the winner is held against; None where it was not measured."""
    runner_up: Row | None = None
    """The fastest of those that are surely slower than the winner."""
    tied: tuple[Row, ...] = ()
    """Those that meet the limits, too, and cannot be told apart from the winner."""
    uncompared: tuple[Row, ...] = ()
    """Of the tied those that no two processes timed together with the winner: their own intervals are all there is."""
    unsettled: tuple[Row, ...] = ()
    """Faster by their estimate than the winner, if there is one, and it is not known whether they meet the limits."""
    closest: Row | None = None
    """Where nothing meets them."""
    misses: tuple[Miss, ...] = ()
    """Of the closest."""
    impossible: tuple[str, ...] = ()
    """Limits that every row surely misses."""
    unsure: tuple[str, ...] = ()
    """Limits that no row is known to meet, but some may."""
    unheld: tuple[str, ...] = ()
    """Limits that no row is known to keep to: every row surely misses it or has no such figure, and some have none."""
    unknown: dict[str, int] | None = None
    """Of the considered, by limit, how many have no such figure to hold against it; limits with none are left out."""
    left_out: dict[str, list[str]] | None = None
    """What the rows that cannot be chosen are called, by why: `failed`, `not-applicable`, `cancelled`, `no effect`,
    `not timed`."""


@dataclass(frozen=True)
class Confirmation:
    """What was timed again: the choice among its rows, and these by their variant's key."""

    choice: Choice
    rows: Mapping[str, Row]


@dataclass(frozen=True)
class Answer:
    """The choice that a study leads to, and the one among those that were timed again, if they were."""

    first: Choice
    fresh: Choice | None = None
    again: Mapping[str, Row] = field(default_factory=dict)
    """What was timed again, by the variant's key; none where nothing was."""
    before: tuple[Confirmation, ...] = ()
    """Earlier confirmations of what leads, the newest first."""
    own: Mapping[str, Row] = field(default_factory=dict)
    """What the study itself found of each variant that was timed again."""

    @property
    def confirmed(self) -> bool:
        """Whether a winner stands that was timed again."""
        return self.fresh is not None and self.fresh.kind == "found"

    @property
    def last(self) -> Choice:
        """The choice that counts."""
        return self.fresh or self.first

    @property
    def row(self) -> Row | None:
        """What is answered with: the winner, or the closest miss."""
        return self.last.winner or self.last.closest

    @property
    def runner_up(self) -> Row | None:
        """The fastest of those that are slower than the winner; of the first timing, where it was not in the second:
        few are timed again."""
        own, before, winner = self.last.runner_up, self.first.runner_up, self.last.winner
        if before is None or before["variant"] in self.again or self.fresh is None:
            return own
        if winner is None or winner["variant"] == BASELINE or before["speedup"] >= winner["speedup"]:
            return own  # what was seen of it before says nothing beside this
        return before if own is None or own["speedup"] < before["speedup"] else own


def decide(rows: pd.DataFrame, limits: Limits, compare: Compare, equivalence_pct: float = EQUIVALENCE_PCT) -> Choice:
    """The choice among the rows of one study, workload and condition, as `views.prepared` has them.

    `equivalence_pct` is the study's band of practical equivalence.
    """
    able, left_out = _able(rows)
    if able.empty:
        return Choice("empty", limits, left_out=left_out)
    state = limits_module.states(able, limits)
    counting = limits_module.counting(state, limits)
    meets = counting.all(axis=1)
    meeting = able[meets]
    if meeting.empty:
        return _nothing(able, limits, state, counting, left_out)
    ranked = _ranked(meeting)
    tied, uncompared, slower = _contest(ranked, compare, equivalence_pct)
    return Choice(
        "found",
        limits,
        equivalence_pct=equivalence_pct,
        considered=len(able),
        meeting=len(meeting),
        winner=ranked[0],
        baseline=next(iter(views.records(able[able["variant"] == BASELINE])), None),
        runner_up=slower[0] if slower else None,
        tied=tuple(tied),
        uncompared=tuple(uncompared),
        unsettled=_unsettled(able[~meets], state[~meets], ranked[0]["speedup"]),
        unknown=_unknown(state),
        left_out=left_out,
    )


def _unknown(state: pd.DataFrame) -> dict[str, int]:
    return {str(name): count for name in state if (count := int((state[name] == "unknown").sum()))}


def _able(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The rows that may be chosen, and what those are called that may not, by why. The control is neither."""
    own = rows[rows["variant"] != CONTROL]
    why = own["status"].mask(own["status"] == "done", "")
    why = why.mask((why == "") & (own["took_effect"] == "no"), "no effect")
    why = why.mask((why == "") & ~(own["speedup"] > 0), "not timed")
    left_out: dict[str, list[str]] = {}
    for reason, name in zip(why[why != ""], own.loc[why != "", "variant_label"], strict=True):
        left_out.setdefault(str(reason), []).append(str(name))
    return own[why == ""], left_out


def _ranked(meeting: pd.DataFrame) -> list[Row]:
    """Fastest first. Where the baseline meets the limits, what is not surely faster than it comes after it."""
    by_speed = meeting.sort_values("speedup", ascending=False, kind="stable")
    baseline = by_speed["variant"] == BASELINE
    if baseline.any():
        before = by_speed["speed_verdict"] == "faster"
        by_speed = pd.concat([by_speed[before & ~baseline], by_speed[baseline], by_speed[~before & ~baseline]])
    return views.records(by_speed)


def _contest(ranked: list[Row], compare: Compare, equivalence_pct: float) -> tuple[list[Row], list[Row], list[Row]]:
    """Those after the winner: tied with it, those of them that were not compared with it, and surely slower.

    Holm's method keeps all errors together below 5 %.
    """
    winner, others = ranked[0], ranked[1:]
    reaching = [row for row in others if _may_reach(row, winner, equivalence_pct)]
    near, too_many = reaching[:COMPARED], {row["row_id"] for row in reaching[COMPARED:]}
    ratios = [compare(winner["row_id"], row["row_id"]) for row in near]
    thresholds = _holm([1.0 if ratio is None else ratio.p_value for ratio in ratios])
    floor = 1 + _known(winner["noise_pct"], 0.0) / 100
    tied = [
        row
        for row, ratio, threshold in zip(near, ratios, thresholds, strict=True)
        if ratio is None or speed.verdict(ratio, floor, threshold, equivalence_pct) != "faster"
    ]
    ids = {row["row_id"] for row in tied} | too_many
    uncompared = [row for row, ratio in zip(near, ratios, strict=True) if ratio is None]
    return tied, uncompared, [row for row in others if row["row_id"] not in ids]


def _may_reach(row: Row, winner: Row, equivalence_pct: float) -> bool:
    """Whether it is worth a comparison: its interval comes near the winner's."""
    high, low = _known(row["speedup_ci_high"], row["speedup"]), _known(winner["speedup_ci_low"], winner["speedup"])
    return bool(high * (1 + equivalence_pct / 100) >= low)


def _holm(p_values: list[float]) -> list[float]:
    """For each p value the threshold up to which it counts (Holm, 1979); 0 where it does not."""
    thresholds, counts = [0.0] * len(p_values), True
    for place, index in enumerate(np.argsort(p_values, kind="stable")):
        own = speed.FALSE_DISCOVERIES / (len(p_values) - place)
        counts = counts and p_values[index] <= own
        thresholds[index] = own if counts else 0.0
    return thresholds


def _known(value: Any, otherwise: float) -> float:
    return otherwise if pd.isna(value) else float(value)


def _unsettled(others: pd.DataFrame, state: pd.DataFrame, speedup: float) -> tuple[Row, ...]:
    """Of the rows that do not meet the limits those with a faster estimate that no limit rules out, fastest first."""
    ruled_out = (state == "missed").any(axis=1)
    found = others[~ruled_out & (others["speedup"] > speedup)]
    return tuple(views.records(found.sort_values("speedup", ascending=False, kind="stable").head(UNSETTLED)))


def _nothing(
    able: pd.DataFrame, limits: Limits, state: pd.DataFrame, counting: pd.DataFrame, left_out: dict[str, list[str]]
) -> Choice:
    """The row whose largest excess over a limit is the least, among those that may meet all where there are some, and
    of these among those of which all figures are known; among equals the fastest."""
    excess, unknown = limits_module.excess(able, limits), state == "unknown"
    by = {
        "_missed": (state == "missed").any(axis=1),
        "_unknown": unknown.any(axis=1),
        "_open": (~counting & ~unknown).any(axis=1),  # beside what is not known
        "_over": excess.max(axis=1, skipna=False).fillna(np.inf),
        "_known": excess.max(axis=1).fillna(0.0),
    }
    order = able.assign(**by).sort_values([*by, "speedup"], ascending=[True] * len(by) + [False], kind="stable")
    closest = order.drop(columns=list(by)).iloc[[0]]
    (row,) = views.records(closest)
    misses = tuple(
        Miss(name, float(limits_module.figures(closest, limits_module.kind_of(name, limits)).iloc[0]), word)
        for name, word in state.loc[closest.index[0]].items()
        if not limits_module.counts(word, limits)
    )
    unmet = [str(name) for name in counting if not counting[name].any()]
    impossible = tuple(name for name in unmet if (state[name] == "missed").all())
    unsure = tuple(name for name in unmet if state[name].isin(OPEN).any())
    return Choice(
        "none",
        limits,
        considered=len(able),
        closest=row,
        misses=misses,
        impossible=impossible,
        unsettled=_unsettled(able, state, 0.0),
        unsure=unsure,
        unheld=tuple(name for name in unmet if name not in impossible + unsure),
        unknown=_unknown(state),
        left_out=left_out,
    )
