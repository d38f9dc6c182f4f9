"""The article's table of the three kinds of quantization, with what was measured here in place of words."""

from __future__ import annotations

import pandas as pd

from efficiency import workloads
from efficiency.analysis import views, wording
from efficiency.claims.asking import CONDITION
from efficiency.claims.base import Need
from efficiency.claims.dynamic import KINDS, data_rows
from efficiency.claims.here import Heat, Here
from efficiency.study import Variant

COLUMNS = ["Workload", "Quantization", "Accuracy kept", "Speed", "Preparation", "Data needed"]


def table(here: Here) -> pd.DataFrame:
    """A line a workload and kind, as text; kinds that a workload was not measured with here are left out.

    Each workload's lines are of one heat where one has them all, else each of the newest that has it.
    """
    lines = []
    for workload in workloads.WORKLOADS:
        known = [key for key in KINDS if here.best(_need(workload, key))]
        together = here.best(_need(workload, *known))
        for key in known:
            heat = together or here.best(_need(workload, key))
            if heat is not None:
                lines.append(_line(heat, key))
    return pd.DataFrame(lines, columns=COLUMNS)


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
