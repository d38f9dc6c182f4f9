"""What training studies found: sentences, loss curves, and a table of where the steps led. Frames in, frames out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from efficiency.analysis import views, wording
from efficiency.analysis.kept import is_number, mapping_of, number_of, sequence_of
from efficiency.study import BASELINE, CONTROL

SAME_MEMORY = 0.02
"""Peaks that differ by less than this share are as good as equal: each is read once."""
AT_THE_END = 0.1
"""Share of the steps, the last ones, whose mean is the loss at the end: a single batch's goes up and down."""
REORDERED = "Baseline, batches in another order"


def panels(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The measured rows of one study, split by workload and condition, with a title each."""
    done = views.measured(rows[rows["phase"] == "training"])
    grouped = done.groupby(["workload_label", "condition"], sort=False)
    return [(f"{workload} · {condition}", panel) for (workload, condition), panel in grouped]


def sentences(panel: pd.DataFrame) -> list[str]:
    """One for each variant with AMP, or for all where there is none: its memory and its time against FP32's."""
    own = panel[~panel["variant"].isin([BASELINE, CONTROL])]
    amp = own[own["variant"].str.contains("amp-")]
    return [
        _sentence(row, baseline)
        for baseline in views.records(panel[panel["variant"] == BASELINE])
        for row in views.records(amp if len(amp) else own)
    ]


def _sentence(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    needed = memory(row["peak_memory_mb"], baseline["peak_memory_mb"])
    said = filter(None, (needed and f"trains {needed}", _time(row)))
    return f"{row['variant_label']} {' and '.join(said)}."


def memory(peak_mb: Any, baseline_mb: Any) -> str:
    """`with 12 % less memory here`, `with as much memory here`; empty where a peak is unknown."""
    if pd.isna(peak_mb) or pd.isna(baseline_mb) or not baseline_mb > 0:
        return ""
    less = 1 - peak_mb / baseline_mb
    if abs(less) < SAME_MEMORY:
        return "with as much memory here"
    return f"with {abs(less):.0%} {'less' if less > 0 else 'more'} memory here".replace("%", " %")


def _time(row: Mapping[str, Any]) -> str:
    found = wording.speed(row)
    if row["speed_verdict"] == "same":
        return "takes as long a step as FP32"
    if row["speed_verdict"] == "unresolved":
        ends = wording.interval(row["speedup_ci_low"], row["speedup_ci_high"], "x")
        return f"cannot be told from FP32 by the time of a step ({ends} as fast)"
    return f"is {found}" if found else ""


def curves(panel: pd.DataFrame, details: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """The loss of every step: `variant`, `label`, `step` from 1, `loss`; by the rows' details, as the store has them.

    The baseline's second run, with its batches in another order, has the variant `control`.
    """
    found = []
    for row in views.records(panel):
        kept = _kept(details, row)
        runs = [(row["variant"], row["variant_label"], kept), (CONTROL, REORDERED, mapping_of(kept.get("reordered")))]
        for variant, label, run in runs:
            losses = enumerate(sequence_of(run.get("losses")), start=1)
            found += [(variant, label, step, number_of(loss)) for step, loss in losses]
    return pd.DataFrame(found, columns=["variant", "label", "step", "loss"]).astype({"loss": float})


def outcome(panel: pd.DataFrame, details: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """A line a variant that was trained: time and memory of a step, and where all of them led."""
    shown = panel[panel["variant"] != CONTROL]
    ends = [loss_at_end(_kept(details, row).get("losses")) for row in views.records(shown)]
    return pd.DataFrame({
        "Variant": shown["variant_label"],
        "Step p50 [ms]": shown["latency_ms_p50"],
        "Step time": [wording.speed(row) if row["variant"] != BASELINE else "the reference"
                      for row in views.records(shown)],
        "Peak memory [MB]": shown["peak_memory_mb"],
        "Loss at the end": ends,
        "Accuracy [%]": shown["accuracy_pct"],
        "Against FP32": [wording.accuracy(row) if row["variant"] != BASELINE else "the reference"
                         for row in views.records(shown)],
        "Verdict": shown["accuracy_verdict"],
        "Examples/s": shown["throughput_per_s"],
        "Energy [mJ]": shown["energy_mj"],
        "Compiled for [s]": shown["prepare_s"].where(shown["variant"].str.contains("torch-compile")),
    }).dropna(axis=1, how="all").reset_index(drop=True)  # fmt: skip


def no_energy(panel: pd.DataFrame, details: Mapping[int, Mapping[str, Any]]) -> str:
    """Why there is no column of energy; empty where some row has a figure."""
    if panel["energy_mj"].notna().any():
        return ""
    said = (wording.energy(details.get(int(row["row_id"]), {}).get("energy")) for row in views.records(panel))
    return next(filter(None, said), "Energy was not measured.")


def padding(panel: pd.DataFrame) -> str:
    """What share of the text is padding; empty where rows have no tokens."""
    return next(filter(None, map(views.padding_said, panel["padding_pct"])), "")


def luck_pp(details: Mapping[Any, Any], accuracy_pct: Any) -> float:
    """From a baseline's details and accuracy, how far luck alone leads two runs of its training apart.

    As `accuracy.verdict` takes it: infinite where it has learned no more than to guess, and 0 where nothing is trained.
    """
    kept = mapping_of(details.get("training"))
    apart_pp = _apart_pp(kept, accuracy_pct)
    if apart_pp is None:
        return 0.0
    return math.inf if kept.get("beats_guessing") is False else apart_pp


def _apart_pp(kept: Mapping[Any, Any], accuracy_pct: Any) -> float | None:
    """Between FP32 and FP32 with its batches in another order; None where one of the two is unknown."""
    own, again = number_of(accuracy_pct), number_of(mapping_of(kept.get("reordered")).get("accuracy_pct"))
    return None if own is None or again is None else abs(again - own)


def luck(panel: pd.DataFrame, details: Mapping[int, Mapping[str, Any]]) -> str:
    """How many steps were taken, and how far two runs of one training lie apart; empty where nothing is kept."""
    for row in views.records(panel[panel["variant"] == BASELINE]):
        kept = _kept(details, row)
        steps, rows = (number_of(kept.get(name)) for name in ("steps", "rows"))
        apart_pp = _apart_pp(kept, row["accuracy_pct"])
        if steps is None or rows is None or apart_pp is None:
            continue
        said = (
            f"After {steps:,.0f} steps over {rows:,.0f} rows, all from the same weights with the same batches. FP32 "
            f"itself, with its batches in another order, ends {apart_pp:.2f} pp away: differences this small are luck, "
            "and no loss up to it counts as one."
        )
        if kept.get("beats_guessing") is False:
            said += (
                " FP32 has not surely learned more than to guess yet, so the accuracy tells nothing and is unresolved: "
                "take more steps, such as with the preset article."
            )
        return said
    return ""


def _kept(details: Mapping[int, Mapping[str, Any]], row: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping_of(details.get(int(row["row_id"]), {}).get("training"))


def loss_at_end(losses: Any) -> float | None:
    """The mean loss of the last steps; None where it is no number any more."""
    kept = sequence_of(losses)
    last = kept[-max(1, round(AT_THE_END * len(kept))) :]
    return float(np.mean(last)) if last and all(map(is_number, last)) else None
