"""The answers of a study at a glance: a line for each workload and condition."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from efficiency.analysis import decision_words, wording
from efficiency.analysis.choice import Answer

COLUMNS = (
    "Workload and condition", "Answer", "Variant", "Against the baseline", "Latency p50", "Latency p99", "Size",
)  # fmt: skip


def of(answers: Iterable[tuple[str, Answer]]) -> pd.DataFrame:
    """Of each, by its title, what it says and the row that it says it of: the winner, or the closest miss. Text."""
    return pd.DataFrame([_line(title, answer) for title, answer in answers], columns=COLUMNS)


def _line(title: str, answer: Answer) -> tuple[str, ...]:
    said, row = decision_words.verdict(answer), answer.row
    if row is None:
        return (title, said, *[""] * (len(COLUMNS) - 2))
    name = str(row["variant_label"])
    figures = (("latency_ms_p50", "ms"), ("latency_ms_p99", "ms"), ("size_mb", "MB"))
    return (
        title,
        said,
        name if answer.last.winner is not None else f"closest: {name}",
        str(row["relative"]),
        *("" if pd.isna(row[column]) else wording.number(row[column], unit) for column, unit in figures),
    )
