"""The table beside an answer: every row that could be chosen, what it costs, and which limits it keeps to."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from efficiency.analysis import decision_words, speed, views, wording
from efficiency.analysis import limits as limits_module
from efficiency.analysis.choice import Row
from efficiency.analysis.limits import Limits
from efficiency.study import BASELINE, CONTROL

WORDS = {"met": "✓", "probably": "probably", "unresolved": "not sure", "missed": "✗", "unknown": "not known"}
MEANING = (
    "✓: kept, by the whole 95 % interval. Probably: kept in four of five such studies. Not sure: it may be kept or "
    "not. ✗: missed, by the whole interval. What has no interval counts as it was measured. "
    "Not known: there is no such figure."
)
"""Of those words in the column of a limit."""
BEFORE = "Before it was timed again"
"""The column of what the study itself found of rows that were."""


def of(rows: pd.DataFrame, limits: Limits, price_per_hour: float | None, before: Mapping[str, Row]) -> pd.DataFrame:
    """Those that keep to the limits first, then by speed; `row_id` is the first column.

    `rows` are what is known (`decisions.Case.known`), `before` the study's own of each variant that was timed again.
    """
    own = views.measured(rows)
    # Of two baselines the study's own, which comes first.
    own = own[own["variant"] != CONTROL].drop_duplicates("variant")
    meets = limits_module.meets(own, limits) & (own["took_effect"] != "no")
    own = own.assign(_meets=meets).sort_values(["_meets", "speedup"], ascending=False, kind="stable")
    state = limits_module.states(own, limits)
    table = pd.DataFrame({
        "row_id": own["row_id"],
        "Variant": own["variant_label"],
        "Keeps to all": _to_all(own, state),
        **{limits_module.kind_of(str(name), limits).title: state[name].map(WORDS) for name in state},
        "Against the baseline": own["relative"],
        **({BEFORE: [_before(before.get(key)) for key in own["variant"]]} if before else {}),
        "Latency p50 [ms]": own["latency_ms_p50"],
        "Latency p99 [ms]": own["latency_ms_p99"],
        "Size [MB]": own["size_mb"],
        "Peak memory [MB]": own["peak_memory_mb"],
        "Preparation [s]": own["prepare_s"],
        "Break-even [calls]": own["break_even_calls"],
    })  # fmt: skip
    if price_per_hour:
        costs = [decision_words.cost_per_million(row, price_per_hour) for row in views.records(own)]
        table["Cost of a million calls"] = costs
    return table.reset_index(drop=True)


def _to_all(rows: pd.DataFrame, state: pd.DataFrame) -> list[str]:
    """Of each row whether it counts as keeping to all limits: not sure where no limit rules it out."""
    out = (state == "missed").any(axis=1) | (rows["took_effect"] == "no")
    kept = (state == "probably").any(axis=1).map({True: WORDS["probably"], False: WORDS["met"]})
    words = zip(rows["_meets"], kept, out, strict=True)
    return [word if meets else WORDS["missed" if ruled_out else "unresolved"] for meets, word, ruled_out in words]


def _before(row: Row | None) -> str:
    """What the study itself found of a row that was timed again; nothing of the baseline, which it is held against."""
    if row is None or row["variant"] == BASELINE:
        return ""
    return ", ".join(filter(None, (str(row["relative"]), wording.number(row["latency_ms_p50"], "ms"))))


def why_no_p99(table: pd.DataFrame) -> str:
    """Why cells of that column are empty, in a sentence; empty where none is."""
    without = int((table["Latency p99 [ms]"].isna() & table["Latency p50 [ms]"].notna()).sum())
    if not without:
        return ""
    has = "has" if without == 1 else "have"
    which = "No row has a p99" if without == len(table) else f"{without} of {len(table)} rows {has} no p99"
    return f"{which}: {speed.P99_TAKES}. {speed.P99_BY}"
