"""The rows of a study in the terminal: tables, relative first, what warnings mean, and why a row is not faster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from efficiency import console
from efficiency.analysis import views, wording
from efficiency.study import BASELINE

INFERENCE = (
    "variant", "speed-up [95 %]", "", "accuracy", "", "smaller", "p50 ms", "p99", "accuracy %", "MB", "note"
)  # fmt: skip
TRAINING = (
    "variant", "speed-up [95 %]", "", "accuracy", "", "p50 ms", "accuracy %", "loss", "peak MB", "mJ", "note"
)  # fmt: skip
"""Trained weights are FP32's in size, so that size says nothing."""


NARROW = ("variant", "speed-up [95 %]", "", "accuracy", "p50 ms")
"""What is shown where the terminal has no room for all; the verdict on accuracy stands with it."""
WITH_P99 = 90
"""Columns of a terminal from which on there is room for p99, too."""
LEAST = ("variant", "speed-up [95 %]")
"""What is left where not even these have room."""
LEAST_VARIANT = 14
"""Columns for a variant's name, which may take several lines."""
LEAST_NOTE = 16
"""Columns for warnings, which may take several lines."""
EDGES = 3
"""Columns of a terminal between two of a table."""


def table(rows: pd.DataFrame, *, live: bool = False) -> None:
    """The rows of a study, relative first, one table a workload and condition; where the terminal has no room for all
    columns the chief ones. Below each is why what was not timed to the end was not, equal reasons told once.

    What is left out is in `export ID --csv` and on the pages. `live` is whether the study still runs.
    """
    rows = views.prepared(rows, live=set(rows["study_id"]) if live else ())
    several = rows.groupby("workload")["dataset"].transform("nunique") > 1
    needed, any_table = 0, False
    for (workload, dataset, condition), part in rows.groupby(views.PANEL, sort=False):
        noise = wording.plus_minus(part["noise_pct"].max())
        of_several = f", {dataset}" if several[part.index[0]] else ""
        title = f"{workload}{of_several}, {condition}{f', noise floor {noise}' if noise else ''}"
        columns = TRAINING if part["phase"].iloc[0] == "training" else INFERENCE
        lines = [_row(row) for row in part[_found(part)].to_dict("records")]
        if lines:
            any_table = True
            needed = max(needed, _print(title, columns, lines))
        else:
            console.say(title)
        _left_out(part[part["status"] != "done"])
    if not any_table:
        return
    trained = bool((rows["phase"] == "training").any())
    if needed:
        more = "loss, memory, energy" if trained else "size" if console.shown_on().width >= WITH_P99 else "p99, size"
        console.say(f"A terminal of {needed} columns shows more: intervals, {more}, warnings.")
    elif trained:
        console.say(
            "p50 is the time of a step; loss, the mean of the last tenth of the steps; mJ, of an example above idle."
        )
        if rows["energy_mj"].isna().all():
            console.say(
                "There is no mJ: energy was not measured, for a reason that the row's details on the pages give."
            )
    console.shown_on().print(
        "* on the Pareto front: nothing measured here is better in one of accuracy, speed and size and at least as "
        "good in the others."
    )
    console.shown_on().print(
        "± is half the 95 % interval; the noise floor is what the control shows, where nothing differs."
    )


def _found(rows: pd.DataFrame) -> pd.Series:
    """Whether there is a figure of a row: also of some that were not timed to the end."""
    return (rows["status"] == "done") | rows[["latency_ms_p50", "accuracy_pct"]].notna().any(axis=1)


def _left_out(rows: pd.DataFrame) -> None:
    """`not-applicable: A, B: Why.`"""
    for (state, reason), part in rows.fillna({"reason": ""}).groupby(["state", "reason"], sort=False):
        console.say(": ".join(filter(None, (str(state), ", ".join(part["variant"]), str(reason)))))


def _print(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> int:
    """All columns and 0, or, where that would break words, the chief ones and how wide a terminal all would take."""
    width = console.shown_on().width
    widest = [max(map(len, cells)) for cells in zip(columns, *lines, strict=True)]
    needed = sum(widest[:-1]) + min(widest[-1], LEAST_NOTE) + EDGES * len(columns) + 1
    if needed <= width:
        console.table(title, columns, lines)
        return 0
    shown = Table(
        title=Text(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False,
    )  # fmt: skip
    chief: tuple[str, ...] = (*NARROW, "p99") if "p99" in columns and width >= WITH_P99 else NARROW
    short = [_chief(columns, line, chief) for line in lines]
    taken = [max(map(len, cells)) for cells in zip(chief, *short, strict=True)]
    if sum(taken[1:]) + LEAST_VARIANT + (EDGES - 1) * len(chief) > width:
        chief = LEAST
    for heading in chief:
        shown.add_column(heading, overflow="fold", no_wrap=heading != "variant")
    for line in short:
        shown.add_row(*map(Text, line[: len(chief)]))
    console.shown_on().print(shown)
    return needed


def _chief(columns: Sequence[str], line: Sequence[str], chief: Sequence[str]) -> list[str]:
    """A line's figures without their intervals, but for the speed-up's."""
    variant, speed_up, verdict, accuracy, kept, *_ = line
    lost = f"{accuracy.partition(' ±')[0]} {kept}".strip()
    rest = [line[columns.index(heading)].partition(" ")[0] for heading in chief[4:]]
    return [variant, speed_up, verdict, lost, *rest]


def hints(told: Iterable[tuple[str, str, list[str]]]) -> None:
    """What the warnings in the rows mean and what to do about them, as `notes.of_study` has them."""
    for key, text, of in told:
        console.say(f"{key}: {text} ({', '.join(of[:4])}{f' and {len(of) - 4} more' if len(of) > 4 else ''})")


def reasons(told: Iterable[tuple[str, str, list[str]]]) -> None:
    """Of each row that is not faster the verdict's reasons, as `why.of_study` has them."""
    for number, (where, variant, said) in enumerate(told):
        if number == 0:
            console.say("\nWhy is it not faster?")
        console.say(f"- {where}: {variant}. {' '.join(said)}")


def _row(row: Mapping[Any, Any]) -> list[str]:
    def number(name: str, pattern: str) -> str:
        return "" if pd.isna(row[name]) else pattern.format(row[name])

    def half(low: str, high: str, pattern: str) -> str:
        width = row[high] - row[low]
        return pattern.format(width / 2) if width > 0 else ""

    def half_ms() -> str:
        """To one figure, but never as 1e+01."""
        found = half("latency_low_ms", "latency_high_ms", "{:.1g}")
        return f" ±{float(found):g}" if found else ""

    def text(name: str) -> str:
        return "" if pd.isna(row[name]) else str(row[name])

    own = row["variant"] == BASELINE  # what all others are held against
    speed = "" if own else number("speedup", "{:.2f}x")
    if speed and pd.notna(row["speedup_ci_low"]):
        speed += f" [{row['speedup_ci_low']:.2f}, {row['speedup_ci_high']:.2f}]"
    trained = row["phase"] == "training"
    of_training = (("training_loss", "{:.3f}"), ("peak_memory_mb", "{:.0f}"), ("energy_mj", "{:.3g}"))
    return [
        text("variant") + (" *" if row["on_pareto_front"] is True else ""),
        speed,
        "" if own else text("speed_verdict"),
        ""
        if own
        else number("accuracy_delta_pp", "{:+.2f} pp")
        + half("accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", " ±{:.2f}"),
        "" if own else text("accuracy_verdict"),
        *([] if trained else ["" if own else number("size_ratio", "{:.2f}x")]),
        number("latency_ms_p50", "{:.3g}") + half_ms(),
        *([] if trained else [number("latency_ms_p99", "{:.3g}")]),
        number("accuracy_pct", "{:.2f}") + half("accuracy_ci_low_pct", "accuracy_ci_high_pct", " ±{:.1f}"),
        *([number(*one) for one in of_training] if trained else [number("size_mb", "{:.3g}")]),
        wording.warnings(text("warnings")) if row["status"] == "done" else text("state"),
    ]
