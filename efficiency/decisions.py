"""The answers that a study gives: a choice for each workload and condition, from what the store holds.

The page Decide and `recommend` both ask here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import pandas as pd

from efficiency import confirm
from efficiency.analysis import choice, disturbance, fastest_calls, replicates, speed, timing_again, views
from efficiency.analysis.choice import Answer, Choice, Compare, Confirmation
from efficiency.analysis.limits import Limits
from efficiency.equivalence import equivalence_pct_of
from efficiency.results.store import Store
from efficiency.study import BASELINE, CONTROL


@dataclass(frozen=True)
class Timing:
    """Rows that were timed together, and how two of them compare."""

    study_id: str
    rows: pd.DataFrame
    """As `views.prepared` has them, and whether each was timed while the machine was `disturbed`."""
    compare: Compare
    equivalence_pct: float
    """Of the study."""

    @cached_property
    def by_variant(self) -> dict[str, choice.Row]:
        """The rows that were measured, by the variant's key."""
        return {str(row["variant"]): row for row in views.records(views.measured(self.rows))}

    def choose(self, limits: Limits) -> Choice:
        """What these rows say."""
        return choice.decide(self.rows, limits, self.compare, self.equivalence_pct)


@dataclass(frozen=True)
class Case:
    """One workload under one condition of one study."""

    title: str
    first: Timing
    again: tuple[Timing, ...] = ()
    """Confirmations, the newest first."""

    @property
    def rows_again(self) -> pd.DataFrame:
        """Of all confirmations."""
        return pd.concat([one.rows for one in self.again]) if self.again else self.first.rows.head(0)

    def choose(self, limits: Limits) -> Choice:
        """What the study itself says."""
        return self.first.choose(limits)

    def answer(self, limits: Limits) -> Answer:
        """What leads or may do, and, where that was timed again, what the fresh processes say."""
        found = self.choose(limits)
        again = self._confirming(found)
        if not again:
            return Answer(found)
        last, *before = (Confirmation(one.choose(limits), one.by_variant) for one in again)
        own = {variant: row for variant, row in self.first.by_variant.items() if variant in last.rows}
        return Answer(found, last.choice, last.rows, tuple(before), own)

    def known(self, found: Choice) -> pd.DataFrame:
        """The study's rows, and in place of those that were timed again what that found, beside its own baseline."""
        again = self._confirming(found)
        if not again:
            return self.first.rows
        own = self.first.rows
        # What a condition is called turns on what stands beside it in its study.
        fresh = views.measured(again[0].rows).assign(condition=own["condition"].iloc[0])
        replaced = own["variant"].isin(fresh["variant"]) & ~own["variant"].isin([BASELINE, CONTROL])
        return pd.concat([own[~replaced], fresh], ignore_index=True)

    def fresh_study(self, found: Choice) -> str:
        """The id of the confirmation in which what leads, or may, was timed again; empty where there is none."""
        return next((one.study_id for one in self._confirming(found)), "")

    def _confirming(self, found: Choice) -> list[Timing]:
        """The confirmations in which what leads, or may, was timed again, the newest first."""
        row = timing_again.candidate(found)
        return [] if row is None else [one for one in self.again if row["variant"] in one.by_variant]


def cases(store: Store, rows: pd.DataFrame, again: pd.DataFrame) -> list[Case]:
    """One a workload and condition of a study's rows; `again` holds the rows of its confirmations (`confirmations`).

    A training step is not shipped: of training rows there is none.
    """
    rows = rows[rows["phase"] != "training"]
    differs = [name for name in ("dataset", "condition") if (rows.groupby("workload")[name].nunique() > 1).any()]
    found = []
    bands_pct = {
        id: equivalence_pct_of(store.study(id).asked) for id in {*rows["study_id"], *again.get("study_id", ())}
    }
    for _, own in rows.groupby(views.PANEL, sort=False):
        first = own.iloc[0]
        title = " · ".join(str(first[name]) for name in ("workload_label", *differs))
        fresh = confirm.again(again, first) if len(again) else again
        found.append(Case(title, _timing(store, own, bands_pct), tuple(_studies(store, fresh, bands_pct))))
    titles = Counter(case.title for case in found)  # two files of a user's own may have one name
    return [
        replace(case, title=f"{case.title} ({case.first.rows['workload'].iloc[0]})") if titles[case.title] > 1 else case
        for case in found
    ]


def of_study(store: Store, study_id: str, rows: pd.DataFrame) -> list[Case]:
    """As `cases`, of a study's rows with the confirmations that are done."""
    again = confirmations(store.studies(), study_id)
    return cases(store, rows, views.prepared(store.rows(list(again.loc[again["status"] == "done", "id"]))))


def _studies(store: Store, rows: pd.DataFrame, bands_pct: Mapping[str, float]) -> Iterator[Timing]:
    for _, own in rows.groupby("study_id", sort=False):
        yield _timing(store, own, bands_pct)


def confirmations(studies: pd.DataFrame, study_id: str) -> pd.DataFrame:
    """Of all studies (`Store.studies`) those that time a winner of this one again, newest first."""
    return studies[studies["confirms"] == study_id]


def _timing(store: Store, rows: pd.DataFrame, bands_pct: Mapping[str, float]) -> Timing:
    """With the samples read when they are first needed, and each comparison made once; the bands are by study."""

    @cache
    def samples(row_id: int) -> fastest_calls.Samples:
        return replicates.nanoseconds(store.samples(row_id))

    own = rows.set_index("row_id")["speedup"]

    @cache
    def compare(winner: int, other: int) -> speed.SpeedUp | None:
        return speed.speed_up(samples(other), samples(winner), speed.how_unlike(own[winner], own[other]))

    study_id = str(rows["study_id"].iloc[0])
    rows = rows.assign(disturbed=disturbance.of(rows, store.details))
    return Timing(study_id, rows, compare, bands_pct[study_id])


def why_empty(rows: pd.DataFrame, status: str, message: Any) -> str:
    """A sentence for a study without a row that could be chosen; empty where there are rows."""
    going_on = status in ("queued", "running")
    if going_on and not rows.loc[rows["variant"] != BASELINE, "speedup"].notna().any():
        return "It is still being measured; the answer appears as soon as rows are timed."
    if len(rows):
        trained = bool((rows["phase"] == "training").all())
        return "It timed training steps, and nothing of them is shipped: see the page Training." if trained else ""
    return f"This study is {status} and holds no rows. {message or ''}".strip()
