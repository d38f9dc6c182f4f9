"""On which test rows a variant and its baseline differ, for people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from efficiency import workloads
from efficiency.analysis import accuracy


def said(own: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """How many rows only one of the two has right, and how many rows would settle what that costs.

    Both frames hold `predicted` and `label` of the same test rows.
    """
    labels = baseline["label"].to_numpy()
    change = accuracy.difference(own["predicted"].to_numpy(), baseline["predicted"].to_numpy(), labels)
    if not change.gained and not change.lost:
        return f"None that matters: of {len(labels):,} test rows, both have the same ones right."
    text = (
        f"Of {len(labels):,} test rows, {change.gained:,} {_are(change.gained)} right here alone and {change.lost:,} "
        f"with the baseline alone (exact McNemar test: p = {change.mcnemar_p:.2g})."
    )
    if accuracy.verdict(change) == "unresolved" and (rows := accuracy.rows_to_settle(change, len(labels))):
        text += f" About {rows:,} test rows would settle whether more than {accuracy.TOLERANCE_PP:g} pp is lost."
    return text


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
