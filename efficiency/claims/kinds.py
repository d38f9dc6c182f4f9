"""The article's table of the three kinds of quantization, with what was measured here in place of words."""

from __future__ import annotations

from typing import Any

import pandas as pd

from efficiency import workloads
from efficiency.analysis import views, wording
from efficiency.claims.asking import CONDITION
from efficiency.claims.base import Need
from efficiency.claims.dynamic import KINDS, data_rows
from efficiency.claims.here import Heat, Here
from efficiency.study import Variant

COLUMNS = ["Workload", "Quantization", "Accuracy kept", "Speed", "Preparation", "Data needed"]
TITLE = "The three kinds of quantization"
CAPTION = "The article has words in this table; these are the figures of this machine, a row a call on one thread."
NOTHING = "None of the three is measured on this machine yet."
FIGURES = (
    "accuracy_delta_pp", "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", "accuracy_verdict", "speedup",
    "speedup_ci_low", "speedup_ci_high", "prepare_s",
)  # fmt: skip
"""Columns of a row that stand in the document."""


def table(here: Here) -> pd.DataFrame:
    """A line a workload and kind, as text; kinds that a workload was not measured with here are left out."""
    return pd.DataFrame([_line(heat, key) for heat, key in _measured(here)], columns=COLUMNS)


def figures(here: Here) -> list[dict[str, Any]]:
    """As `table`, with numbers in place of text, ready for JSON; what is unknown is None."""
    return [
        {"workload": heat.workload, "variant": key, "study_id": heat.study_id, "row_id": heat.row_id(key)}
        | {column: heat.rows[key][column] for column in FIGURES}
        | {"data_rows": data_rows(heat, key)}
        for heat, key in _measured(here)
    ]


def _measured(here: Here) -> list[tuple[Heat, str]]:
    """Each workload's kinds are of one heat where one has them all, else each of the newest that has it."""
    found = []
    for workload in workloads.WORKLOADS:
        known = [key for key in KINDS if here.best(_need(workload, key))]
        together = here.best(_need(workload, *known))
        for key in known:
            heat = together or here.best(_need(workload, key))
            if heat is not None:
                found.append((heat, key))
    return found


def _need(workload: str, *keys: str) -> Need:
    return Need(workload, CONDITION, tuple(Variant((key,)) for key in keys))


def _line(heat: Heat, key: str) -> list[str]:
    row, rows = heat.rows[key], data_rows(heat, key)
    accuracy, verdict = wording.accuracy(row), row["accuracy_verdict"]
    return [
        views.workload_label(heat.workload),
        views.variant_label(key),
        f"{accuracy} (kept)" if accuracy and verdict == "kept" else accuracy or "–",
        wording.speed(row) or "–",
        wording.number(row["prepare_s"], "s"),
        f"{rows:,} rows" if rows else "none",
    ]
