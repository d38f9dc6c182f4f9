"""Two studies side by side in words: what differs between them beside their results, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from efficiency.analysis import compare, wording
from efficiency.equivalence import equivalence_pct_of
from efficiency.study import BASELINE
from efficiency.tolerance import tolerance_of

if TYPE_CHECKING:
    from efficiency.results.store import StudyRecord

EFFORT = {
    "test_rows": "test rows",
    "calibration_rows": "rows to calibrate with",
    "training_rows": "rows to fine-tune with",
    "replicates": "processes at least",
    "most_replicates": "processes at most",
    "seconds_per_replicate": "seconds a process",
    "precision": "half an interval's width, as a share,",
    "calls": "timed calls of each:",
}
CAUTION = (
    "The intervals of B against A allow for what differs from hour to hour, as far as it can be guessed from how "
    "far apart a variant's processes lie, how much it gains, and what earlier studies of the same machine found."
)
ONLY = {"variant_label": "Variant", "workload_label": "Workload", "condition": "Condition"}
"""Columns of what one study alone measured, and their headings."""
NAMED = 4
"""Variants that a study was not asked for are named, or all but some."""
SOMETIMES = ("Latency, A / B", "p99 in A [ms]", "p99 in B [ms]")
"""Columns that are left out where nothing stands in them: of two machines, of few calls."""
MOVED = 1.02
"""A baseline whose latency differs by more than this, surely, has moved."""


def told(a: StudyRecord, b: StudyRecord) -> list[str]:
    """Machine, versions, effort, tolerance and band, a sentence each; none of what is equal but the machine."""
    found = [_machines(a, b)]
    for name, ours, theirs in (
        ("PyTorch", a.torch_version, b.torch_version),
        ("This program's version", a.version, b.version),
        ("Python", a.machine.get("python_version"), b.machine.get("python_version")),
    ):
        if ours != theirs:
            found.append(f"{name}: {ours or 'unknown'} in A, {theirs or 'unknown'} in B.")
    if effort := _effort(a.asked, b.asked):
        found.append(f"Effort: {effort}.")
    if tolerance_of(a.asked) != tolerance_of(b.asked):
        found.append(
            f"Tolerated loss of accuracy: {tolerance_of(a.asked):g} pp in A, {tolerance_of(b.asked):g} pp in B; the "
            "smaller one counts here."
        )
    if equivalence_pct_of(a.asked) != equivalence_pct_of(b.asked):
        found.append(
            f"Speeds count as the same within {equivalence_pct_of(a.asked):g} % in A, "
            f"{equivalence_pct_of(b.asked):g} % in B; the smaller one counts here."
        )
    for side, study in (("A", a), ("B", b)):
        if study.status != "done":
            found.append(f"{side} is {study.status}: rows may be missing.")
    return found


def _machines(a: StudyRecord, b: StudyRecord) -> str:
    ours, theirs = (study.machine.get("label") or "an unknown machine" for study in (a, b))
    if compare.one_machine(a, b):
        return (
            f"Machine: {ours} in both, so their latencies stand side by side, too; but a latency takes in whatever "
            "else the machine did at that hour, a speed-up far less of it."
        )
    if ours == theirs:
        return f"Machine: {ours} in both by name, but not the same cores or instructions; latencies are not compared."
    return (
        f"Machine: {ours} in A, {theirs} in B. Their latencies are not compared: a ratio of speed-ups says which of "
        "the two gains more by a technique, not which is the faster machine."
    )


def _effort(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    ours, theirs = (asked.get("effort") for asked in (a, b))
    if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
        return ""
    ours, theirs = ({"calls": 0, **effort} for effort in (ours, theirs))  # an older study asked for none
    return "; ".join(
        f"{words} {_amount(name, ours.get(name))} in A, {_amount(name, theirs.get(name))} in B"
        for name, words in EFFORT.items()
        if ours.get(name) != theirs.get(name)
    )


def _amount(name: str, value: object) -> str:
    """None stands for all test rows, no calls for as many as the time takes."""
    if name == "calls":
        return f"{value:,g} or more" if isinstance(value, int | float) and value else "as many as fit"
    return f"{value:,g}" if isinstance(value, int | float) else "all"


def found_beside(rows: pd.DataFrame) -> list[str]:
    """What is to be known of the results, beside them, a sentence each."""
    return [*of_code(rows), *of_disturbed(rows), *of_baselines(rows), *of_training(rows)]


def of_code(rows: pd.DataFrame) -> list[str]:
    """The user's own models whose code differs between the studies."""
    a, b = rows["code_digest_a"], rows["code_digest_b"]  # empty where they are not known
    changed = rows[(a != "") & (b != "") & (a != b)]
    return [
        f"{label}: its Python files are not the same in A and B, so what moved may be the model's own doing."
        for label in dict.fromkeys(changed["workload_label"])
    ]


def of_disturbed(rows: pd.DataFrame) -> list[str]:
    """How many rows of either study were timed on a disturbed machine, so that nothing is said of what moved there."""
    rows = rows[rows["variant"] != BASELINE]
    counts = {side: int(rows[f"disturbed_{side}"].sum()) for side in "ab"}
    return [
        f"{side.upper()}: {count} of {len(rows)} variants {'was' if count == 1 else 'were'} timed while the machine "
        "was disturbed in most of the processes (their warnings say by what). No interval knows what that does to a "
        f"speed-up, so {'it is' if count == 1 else 'they are'} not judged: measure again at a better moment."
        for side, count in counts.items()
        if count
    ]


def of_baselines(rows: pd.DataFrame) -> list[str]:
    """Baselines that themselves moved, where latencies are compared: a speed-up that changed may mean nothing else."""
    found = rows[(rows["variant"] == BASELINE) & rows["latency_ratio"].notna()]
    return [
        f"{row['workload_label']}, {row['condition']}: the baseline itself takes {row['latency_ms_p50_b']:.3g} ms in B "
        f"and {row['latency_ms_p50_a']:.3g} ms in A ({wording.interval(1 / high, 1 / low, 'x', 2)} of the time), and "
        "every speed-up is a share of it."
        for row in found.to_dict("records")
        for low, high in [(row["latency_ratio_low"], row["latency_ratio_high"])]
        if low > MOVED or high < 1 / MOVED
    ]


def of_training(rows: pd.DataFrame) -> list[str]:
    """What a verdict on accuracy is held against, where models were trained."""
    if not (rows["phase"] == "training").any():
        return []
    return [
        "Two trainings differ by luck: a loss of accuracy no larger than what FP32 itself shows, with its batches in "
        "another order, is unresolved here, and so is all that was trained too little to do more than guess."
    ]


def summary(found: compare.Compared) -> str:
    """`12 variants compared: 1 slower, 0 faster, 9 the same, 2 unresolved.`"""
    verdicts = list(found.judged["verdict"])
    if not verdicts:
        return "No variant was timed in both, so there is nothing to compare."
    words = {"slower": "slower", "faster": "faster", "same": "the same", "unresolved": "unresolved"}
    disturbed = found.judged["disturbed_a"] | found.judged["disturbed_b"]
    told = list(found.judged.loc[~disturbed, "verdict"])
    counted = ", ".join(f"{told.count(key)} {word}" for key, word in words.items())
    left = len(verdicts) - len(told)
    of = f", {left} not judged, since the machine was disturbed" if left else ""
    return f"{len(verdicts)} variant{'s' * (len(verdicts) != 1)} compared, B against A: {counted}{of}."


def moved(row: Mapping[Any, Any]) -> str:
    """`1.20x slower [1.15–1.25x]`, `same [0.99–1.01x]`, `not judged [0.95–1.10x], B disturbed`: B against A, by
    the speed-ups."""
    if pd.isna(row["ratio"]):
        return ""
    ratio, low, high = row["ratio"], row["ratio_low"], row["ratio_high"]
    if row["verdict"] not in ("faster", "slower"):
        sides = " and ".join(side.upper() for side in "ab" if row[f"disturbed_{side}"])
        word, bad = ("not judged", f", {sides} disturbed") if sides else (row["verdict"], "")
        return f"{word} [{wording.interval(low, high, 'x', 2) or f'{ratio:.2f}x'}]{bad}"
    if ratio < 1:
        ratio, low, high = 1 / ratio, 1 / high, 1 / low
    return f"{ratio:.2f}x {row['verdict']} [{wording.interval(low, high, 'x', 2) or f'{ratio:.2f}x'}]"


def accuracy(row: Mapping[Any, Any]) -> str:
    """`-0.25 pp [-0.60 to 0.10], unresolved, unpaired`; empty where one of the two has none."""
    if pd.isna(row["accuracy_change_pp"]):
        return ""
    ends = wording.interval(row["accuracy_change_low_pp"], row["accuracy_change_high_pp"], places=2)
    text = f"{round(row['accuracy_change_pp'], 2) + 0.0:+.2f} pp" + (f" [{ends}]" if ends else "")
    return f"{text}, {row['accuracy_verdict']}" + ("" if row["paired"] else ", unpaired")


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The comparison as it is shown: what lost most first, the baselines last, unknowns empty."""
    order = rows.assign(_last=rows["variant"] == BASELINE).sort_values(["_last", "ratio"], kind="stable")
    lines = order.to_dict("records")
    table = pd.DataFrame({
        "Variant": order["variant_label"],
        "Workload": order["workload_label"],
        "B against A": [moved(line) for line in lines],
        "Speed-up in A": [speed_up(line, "a") for line in lines],
        "Speed-up in B": [speed_up(line, "b") for line in lines],
        "Latency, A / B": [latency(line) for line in lines],
        "Both noise floors": [wording.plus_minus(100 * (floor - 1)) if floor > 1 else "" for floor in order["floor"]],
        "Accuracy, B - A": [accuracy(line) for line in lines],
        "Size, A / B": order["size_ratio"],
        "Latency in A [ms]": order["latency_ms_p50_a"],
        "Latency in B [ms]": order["latency_ms_p50_b"],
        "p99 in A [ms]": order["latency_ms_p99_a"],
        "p99 in B [ms]": order["latency_ms_p99_b"],
        "Condition": order["condition"],
        "Data set": order["dataset"],
    }).reset_index(drop=True)  # fmt: skip
    empty = [name for name in SOMETIMES if table[name].replace("", None).isna().all()]
    return table.drop(columns=empty)


def only(found: pd.DataFrame, other: str) -> pd.DataFrame:
    """What one study measured and the other, `A` or `B`, did not: a line each where the other tried, else together."""
    tried = found["status"] != ""
    shown = found.rename(columns=ONLY)
    together = [
        {
            "Workload": workload,
            "Condition": condition,
            "why": why,
            "Variant": wording.some(list(rows["Variant"].unique()), NAMED),
        }
        for (workload, condition, why), rows in shown[~tried].groupby(["Workload", "Condition", "why"], sort=False)
    ]
    columns = [*ONLY.values(), "why"]
    lines = [*shown.loc[tried, columns].to_dict("records"), *together]
    return pd.DataFrame(lines, columns=columns).rename(columns={"why": f"In {other}"})


def speed_up(row: Mapping[Any, Any], side: str) -> str:
    """`2.86x [2.81–2.90x]` of one of the studies; empty where unknown."""
    if row["variant"] == BASELINE:
        return ""
    return wording.times(*(row[f"speedup{part}_{side}"] for part in ("", "_ci_low", "_ci_high")))


def latency(row: Mapping[Any, Any]) -> str:
    """`1.03x [0.98–1.08x]`; empty where the machines differ."""
    return wording.times(row["latency_ratio"], row["latency_ratio_low"], row["latency_ratio_high"])
