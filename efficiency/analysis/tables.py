"""The tables that the pages show, made from frames that `views.prepared` made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from efficiency.analysis import views, wording
from efficiency.analysis.wording import number
from efficiency.ceiling import ARITHMETIC, Ceiling, Rates
from efficiency.results.columns import COLUMNS
from efficiency.study import BASELINE

SHOWN = [
    "variant", "variant_label", *views.PANEL, "workload_label", "relative", "on_front", "speedup", "accuracy_delta_pp",
    "size_ratio", "latency_ms_p50", "accuracy_pct", "size_mb", "peak_memory_mb", "took_effect", "noise_pct", "warnings",
    "speedup_ci_low", "speedup_ci_high", "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp",
    "latency_low_ms", "latency_high_ms", "latency_ms_p99", "accuracy_ci_low_pct", "accuracy_ci_high_pct",
    "runtime_speedup",
]  # fmt: skip
"""Columns of `views.prepared` that the comparison table is made of."""


def comparison(frame: pd.DataFrame, limit: int | None = None) -> pd.DataFrame:
    """The comparison table: relative first, absolute beside, best first within a panel; the first `limit` lines."""
    done = views.measured(frame[["row_id", "study_id", "study_name", "status", *SHOWN]])
    several = done["study_id"].nunique() > 1
    group = done.groupby([*views.PANEL, "study_id"], sort=False).ngroup()
    order = done.assign(_group=group, _baseline=(done["variant"] == BASELINE)).sort_values(
        ["_group", "_baseline", "speedup"], ascending=[True, False, False], kind="stable"
    )
    order = order.head(len(order) if limit is None else limit)
    table = pd.DataFrame({
        "row_id": order["row_id"],
        "Variant": order["variant_label"],
        "Workload": order["workload_label"],
        "Against the baseline": order["relative"],
        "Warnings": order["warnings"].map({keys: wording.warnings(keys) for keys in order["warnings"].unique()}),
        "Noise floor": [wording.plus_minus(percent) for percent in order["noise_pct"]],
        "Front": np.where(order["on_front"], "★", ""),
        "Speed-up": order["speedup"],
        "Speed-up 95 %": _intervals(order, "speedup_ci_low", "speedup_ci_high", 2),
        "Accuracy Δ [pp]": order["accuracy_delta_pp"],
        "Δ 95 %": _intervals(order, "accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", 2),
        "Size ratio": order["size_ratio"],
        "Latency p50 [ms]": order["latency_ms_p50"],
        "Latency 95 %": _intervals(order, "latency_low_ms", "latency_high_ms", 3),
        "Accuracy [%]": order["accuracy_pct"],
        "Accuracy 95 %": _intervals(order, "accuracy_ci_low_pct", "accuracy_ci_high_pct", 2),
        "Size [MB]": order["size_mb"],
        "Peak memory [MB]": order["peak_memory_mb"],
        "Condition": order["condition"],
        "Took effect": order["took_effect"],
    })  # fmt: skip
    if order["latency_ms_p99"].notna().any():
        table.insert(list(table.columns).index("Latency 95 %") + 1, "Latency p99 [ms]", order["latency_ms_p99"])
    if several:
        table.insert(1, "Study", order["study_name"])
    if order["runtime_speedup"].notna().any():
        place = list(table.columns).index("Accuracy Δ [pp]")
        table.insert(place, "Over its runtime in FP32", order["runtime_speedup"])
    return table.reset_index(drop=True)


def _intervals(rows: pd.DataFrame, low: str, high: str, places: int) -> list[str]:
    """An interval a row, as text, with the decimals of its figure."""
    return [wording.interval(*ends, places=places) for ends in zip(rows[low], rows[high], strict=True)]


def reasons(frame: pd.DataFrame) -> pd.DataFrame:
    """Variants without a measurement and why, equal reasons of several conditions or studies told once."""
    kept = ["workload_label", "variant_label", "state", "reason"]
    table = views.left_out(frame[["status", *kept]])[kept]
    counted = table.value_counts(sort=False, dropna=False).reset_index()
    counted.columns = pd.Index(["Workload", "Variant", "Status", "Reason", "Rows"])
    first = table.drop_duplicates().rename(columns=dict(zip(kept, counted.columns, strict=False)))
    return first.merge(counted, how="left").reset_index(drop=True)


def evidence(details: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """(technique key, yes/no/partly, reason) of a row's details; empty where none is kept."""
    kept = details.get("evidence")
    if not isinstance(kept, Mapping):
        return []
    return [
        (str(key), str(shown.get("took_effect", "")), str(shown.get("reason", "")))
        for key, shown in kept.items()
        if isinstance(shown, Mapping)
    ]


def all_numbers(row: pd.Series) -> pd.DataFrame:
    """Every column of the CSV and its value, as text; what is unknown, an empty cell there, is left out."""
    shown = []
    for name, kind in COLUMNS.items():
        value = row[name]
        if pd.isna(value) or value == "":
            continue
        if kind == "flag":
            text = "true" if value else "false"
        else:
            text = f"{value:,.6g}" if kind == "number" else str(int(value)) if kind == "whole" else str(value)
        shown.append((name, text))
    return pd.DataFrame(shown, columns=["Column", "Value"])


def machine_facts(machine: Mapping[str, object]) -> pd.DataFrame:
    """What is known of a machine, a line each."""
    facts = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
        for name, value in machine.items()
        if name not in ("label", "key") and value not in ("", None, [], ())
    ]
    return pd.DataFrame(facts, columns=["Fact", "Value"])


def ceiling(found: Ceiling) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of what a machine can do: a line a rate, a column a number of threads or a GPU."""
    kinds = [kind for kind in ARITHMETIC if any(rates.gops.get(kind) for rates in found.rates)]
    lines = [
        [f"{ARITHMETIC[kind]} matrix product [{'GOP/s' if kind == 'int8' else 'GFLOP/s'}]"]
        + [number(rates.gops.get(kind) or None) for rates in found.rates]
        for kind in kinds
    ]
    lines.append(["Memory [GB/s]", *(number(rates.memory_gb_s) for rates in found.rates)])
    return ["", *(of_threads(rates) for rates in found.rates)], lines


def of_threads(rates: Rates) -> str:
    """`1 thread`, `2 threads`, `GPU`."""
    return "GPU" if rates.device == "cuda" else f"{rates.threads} thread{'' if rates.threads == 1 else 's'}"


def history(studies: pd.DataFrame) -> pd.DataFrame:
    """The list of studies as it is shown, in the same order."""
    return pd.DataFrame({
        "Name": studies["name"].where(studies["name"] != "", studies["id"]),
        "Recorded (UTC)": pd.to_datetime(studies["recorded_at"], errors="coerce", utc=True, format="ISO8601"),
        "Status": studies["status"],
        "Rows": studies["rows"],
        "Preset": studies["preset"],
        "Workloads": studies["workloads"],
        "Machine": studies["machine"],
        "": np.where(studies["example"].astype(bool), "example", ""),
    })  # fmt: skip


def live_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a study that runs, the newest first.

    What does not apply was known before it began, and would only hide the others.
    """
    frame = frame[frame["status"] != "not-applicable"]
    table = pd.DataFrame({
        "Workload": frame["workload_label"],
        "Variant": frame["variant_label"],
        "Status": frame["state"],
        "Against the baseline": frame["relative"],
        "Warnings": [wording.warnings(keys) for keys in frame["warnings"]],
        "Noise floor": [wording.plus_minus(percent) for percent in frame["noise_pct"]],
        "Accuracy [%]": frame["accuracy_pct"].round(2),
        "Size [MB]": frame["size_mb"].round(2),
        "Latency p50 [ms]": frame["latency_ms_p50"].round(3),
        "Reason": frame["reason"],
    })  # fmt: skip
    return table.iloc[::-1].reset_index(drop=True)
