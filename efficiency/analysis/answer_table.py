"""The answers of a study at a glance: a line for each workload and condition."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from efficiency.analysis import decision_words, limits, wording
from efficiency.analysis.choice import Answer
from efficiency.analysis.limits import Limits

TITLE, ANSWER, VARIANT, RELATIVE = "Workload and condition", "Answer", "Variant", "Against the baseline"
FIGURES = {"Latency p50": ("latency_ms_p50", "ms"), "Latency p99": ("latency_ms_p99", "ms"), "Size": ("size_mb", "MB")}
"""Column of a row and unit, by heading."""
COST = "Cost of a million calls"


def of(answers: Sequence[tuple[str, Answer]], asked: Limits, price_per_hour: float | None) -> pd.DataFrame:
    """Of each, by its title, what it says and the row that it says it of: the winner, or the closest miss. Text.

    Whatever else is limited has a column, and so has the cost where the machine has a price.
    """
    figures = dict(FIGURES)
    for kind in (limits.kind_of(name, asked) for name in asked.asked):
        if kind.column not in {"accuracy_delta_pp", *(column for column, _ in figures.values())}:
            figures[kind.title] = (kind.column, kind.unit)
    found = []
    for title, answer in answers:
        row = answer.row
        line = {TITLE: title, ANSWER: decision_words.verdict(answer)}
        if row is not None:
            name = str(row["variant_label"])
            line[VARIANT] = name if answer.last.winner is not None else f"closest: {name}"
            line[RELATIVE] = str(row["relative"])
            for heading, (column, unit) in figures.items():
                line[heading] = "" if pd.isna(row[column]) else wording.number(row[column], unit)
            if price_per_hour:
                cost = decision_words.cost_per_million(row, price_per_hour)
                line[COST] = "" if cost is None else wording.number(cost)
        found.append(line)
    headings = (TITLE, ANSWER, VARIANT, *figures, *((COST,) if price_per_hour else ()), RELATIVE)
    return pd.DataFrame(found, columns=headings).fillna("")
