"""On which test rows a variant and its baseline differ, for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from efficiency import workloads
from efficiency.analysis import accuracy
from efficiency.tolerance import TOLERANCE_PP

VERDICTS: dict[accuracy.Verdict, str] = {
    "kept": "Surely no more than the tolerated {:g} pp is lost.",
    "lost": "Surely more than the tolerated {:g} pp is lost.",
    "unresolved": "Whether more than the tolerated {:g} pp is lost cannot be told.",
}


LARGEST_DB = 1_000
"""No ratio of two numbers that a computer holds is further from 1."""


def said(own: pd.DataFrame, baseline: pd.DataFrame, tolerance_pp: float = TOLERANCE_PP, luck_pp: float = 0.0) -> str:
    """How many rows only one of the two has right, what follows from it, and how many rows would settle what does not.

    Both frames hold `predicted` and `label` of the same test rows; `tolerance_pp` is the study's, and `luck_pp` what
    luck explains where both were trained (`training.luck_pp`).
    """
    labels = baseline["label"].to_numpy()
    change = accuracy.difference(own["predicted"].to_numpy(), baseline["predicted"].to_numpy(), labels)
    verdict = accuracy.verdict(change, tolerance_pp, luck_pp)
    if change.gained or change.lost:
        text = _discordant(change, len(labels))
    else:
        text = f"None that matters: of {len(labels):,} test rows, both have the same ones right."
    text += f" {VERDICTS[verdict].format(tolerance_pp)} The difference lies within {change.low_pp:+.2f} to "
    text += f"{change.high_pp:+.2f} pp (95 % interval)."
    if verdict == "unresolved":
        text += _would_settle(change, len(labels), tolerance_pp, luck_pp)
    return text


def _would_settle(change: accuracy.Difference, rows: int, tolerance_pp: float, luck_pp: float) -> str:
    """More test rows, as far as they would; none of them says which of two trainings was the lucky one."""
    if math.isinf(luck_pp):
        return " FP32 itself has not surely learned more than to guess: more steps are needed to tell."
    if luck_pp:
        return f" FP32 itself, its batches in another order, ends {luck_pp:.2f} pp away: a loss up to that may be luck."
    needed = accuracy.rows_to_settle(change, rows, tolerance_pp)
    return f" About {needed:,} test rows would settle whether more than {tolerance_pp:g} pp is lost." if needed else ""


def _discordant(change: accuracy.Difference, rows: int) -> str:
    return (
        f"Of {rows:,} test rows, {change.gained:,} {_are(change.gained)} right here alone and {change.lost:,} "
        f"with the baseline alone (exact McNemar test: p = {change.mcnemar_p:.2g})."
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def logits_said(kept: object) -> str:
    """What a row's details keep of the distance between its logits and the baseline's; empty where nothing is kept."""
    if not isinstance(kept, Mapping):
        return ""
    if kept.get("why_not") == "identical":
        return "The logits are the baseline's to the last bit: this variant computes the very same."
    if kept.get("why_not") == "not-finite":
        return "Some logits are infinite or no number, so they cannot be compared with the baseline's."
    snr_db = kept.get("snr_db")
    if not isinstance(snr_db, int | float) or not -LARGEST_DB < snr_db < LARGEST_DB:
        return ""
    share_pct = 100 * 10 ** (-snr_db / 20)
    return (
        f"The logits lie {snr_db:.0f} dB from the baseline's: the difference is {share_pct:.2g} % of their own size. "
        "Every 20 dB less is ten times the difference; it shows what the arithmetic costs before answers change."
    )


def by_class(own: pd.DataFrame, baseline: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The same by class, the one that lost most first; classes are numbers where they have no names here."""
    found = accuracy.by_class(
        own["predicted"].to_numpy(), baseline["predicted"].to_numpy(), baseline["label"].to_numpy()
    )
    return pd.DataFrame(
        [(_class_name(label, classes), rows, gained, lost, gained - lost) for label, rows, gained, lost in found],
        columns=["Class", "Test rows", "Right here alone", "Right with the baseline alone", "Change"],
    )


def worst_classes(table: pd.DataFrame, limit: int = 3) -> str:
    """Which classes of `by_class` lose most, in a sentence; empty where none loses."""
    losing = table[table["Change"] < 0].head(limit)
    if losing.empty:
        return ""
    told = [
        f"{name} ({change} of {rows})" for name, rows, change in losing[["Class", "Test rows", "Change"]].to_numpy()
    ]
    return f"Most is lost in {', '.join(told)}."


def flipped(
    own: pd.DataFrame, baseline: pd.DataFrame, classes: Sequence[str], limit: int = 50
) -> tuple[pd.DataFrame, int]:
    """Test rows that the two answer differently, and how many there are: lost ones first, then gained, then both wrong.

    Rows are numbered from 0, in the order of the test set, so that `load("test", None)` finds them. At most `limit`.
    """
    labels, ours, theirs = (
        column.to_numpy() for column in (baseline["label"], own["predicted"], baseline["predicted"])
    )
    rows = np.flatnonzero(ours != theirs)
    kind = np.select([theirs[rows] == labels[rows], ours[rows] == labels[rows]], [0, 1], 2)
    order = np.argsort(kind, kind="stable")[:limit]
    words = ("lost", "gained", "wrong both times")
    table = pd.DataFrame(
        [
            (
                int(row),
                *(_class_name(int(answer), classes) for answer in (labels[row], theirs[row], ours[row])),
                words[k],
            )
            for row, k in zip(rows[order], kind[order], strict=True)
        ],
        columns=["Test row", "Label", "Baseline's answer", "Answer here", "Change"],
    )
    return table, len(rows)


def _class_name(number: int, classes: Sequence[str]) -> str:
    """Classes are numbers where they have no names here."""
    return classes[number] if number < len(classes) else str(number)


def classes(workload: str, dataset: str) -> tuple[str, ...]:
    """Names of the classes; none where the workload is a user's own or unknown here."""
    known = workloads.WORKLOADS.get(workload)
    return next((found.classes for found in known.datasets if found.key == dataset), ()) if known else ()
