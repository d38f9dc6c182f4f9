"""On which test rows a variant and its baseline differ, for people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from efficiency import workloads
from efficiency.analysis import accuracy
from efficiency.study import TOLERANCE_PP

VERDICTS: dict[accuracy.Verdict, str] = {
    "kept": "Surely no more than the tolerated {:g} pp is lost.",
    "lost": "Surely more than the tolerated {:g} pp is lost.",
    "unresolved": "Whether more than the tolerated {:g} pp is lost cannot be told.",
}


def said(own: pd.DataFrame, baseline: pd.DataFrame, tolerance_pp: float = TOLERANCE_PP) -> str:
    """How many rows only one of the two has right, what follows from it, and how many rows would settle what does not.

    Both frames hold `predicted` and `label` of the same test rows; `tolerance_pp` is the study's.
    """
    labels = baseline["label"].to_numpy()
    change = accuracy.difference(own["predicted"].to_numpy(), baseline["predicted"].to_numpy(), labels)
    verdict = accuracy.verdict(change, tolerance_pp)
    if change.gained or change.lost:
        text = _discordant(change, len(labels))
    else:
        text = f"None that matters: of {len(labels):,} test rows, both have the same ones right."
    text += f" {VERDICTS[verdict].format(tolerance_pp)} The difference lies within {change.low_pp:+.2f} to "
    text += f"{change.high_pp:+.2f} pp (95 % interval)."
    if verdict == "unresolved" and (rows := accuracy.rows_to_settle(change, len(labels), tolerance_pp)):
        text += f" About {rows:,} test rows would settle whether more than {tolerance_pp:g} pp is lost."
    return text


def _discordant(change: accuracy.Difference, rows: int) -> str:
    return (
        f"Of {rows:,} test rows, {change.gained:,} {_are(change.gained)} right here alone and {change.lost:,} "
        f"with the baseline alone (exact McNemar test: p = {change.mcnemar_p:.2g})."
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def by_class(own: pd.DataFrame, baseline: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The same by class, the one that lost most first; classes are numbers where they have no names here."""
    found = accuracy.by_class(
        own["predicted"].to_numpy(), baseline["predicted"].to_numpy(), baseline["label"].to_numpy()
    )
    return pd.DataFrame(
        [
            (classes[label] if label < len(classes) else str(label), rows, gained, lost, gained - lost)
            for label, rows, gained, lost in found
        ],
        columns=["Class", "Test rows", "Right here alone", "Right with the baseline alone", "Change"],
    )


def classes(workload: str, dataset: str) -> tuple[str, ...]:
    """Names of the classes; none where the workload is a user's own or unknown here."""
    known = workloads.WORKLOADS.get(workload)
    return next((found.classes for found in known.datasets if found.key == dataset), ()) if known else ()
