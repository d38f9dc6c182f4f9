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


WIDE = 150
"""Columns that a terminal needs for all there is; with fewer, words would be broken anywhere."""
NARROW = ("variant", "speed-up [95 %]", "", "accuracy", "p50 ms")
"""What a narrow one shows; the verdict on accuracy stands with it."""
WITH_P99 = 90
"""Columns from which on a narrow one has room for p99, too."""


def table(rows: pd.DataFrame, *, live: bool = False) -> None:
    """The rows of a study, relative first, one table a workload and condition; in a narrow terminal the chief columns.
    Below each is why what was not measured was not, equal reasons told once.

    What a narrow one leaves out is in `export ID --csv` and on the pages. `live` is whether the study still runs.
    """
    rows = views.prepared(rows, live=set(rows["study_id"]) if live else ())
    several = rows.groupby("workload")["dataset"].transform("nunique") > 1
    for (workload, dataset, condition), part in rows.groupby(views.PANEL, sort=False):
        noise = wording.noise(part["noise_pct"].max())
        of_several = f", {dataset}" if several[part.index[0]] else ""
        show = console.table if console.shown_on().width >= WIDE else _narrow
        show(
            f"{workload}{of_several}, {condition}{f', noise floor {noise}' if noise else ''}",
            TRAINING if part["phase"].iloc[0] == "training" else INFERENCE,
            [_row(row) for row in part[_found(part)].to_dict("records")],
        )
        _left_out(part[part["status"] != "done"])
    trained = bool((rows["phase"] == "training").any())
    if console.shown_on().width < WIDE:
        more = "loss, memory, energy" if trained else "p99, size"
        console.say(f"A terminal of {WIDE} columns shows more: intervals, {more}, warnings.")
    elif trained:
        console.say(
            "p50 is the time of a step; loss, the mean of the last tenth of the steps; mJ, of an example above idle."
        )
        if rows["energy_mj"].isna().all():
            console.say(
                "There is no mJ: energy was not measured, for a reason that the row's details on the pages give."
            )
    console.shown_on().print(
        "* on the Pareto front: nothing measured here is better in one thing and no worse in another."
    )
    console.shown_on().print(
        "± is half the 95 % interval; the noise floor is what the control shows, where nothing differs."
    )


def _found(rows: pd.DataFrame) -> pd.Series:
    """Whether there is a figure of a row: also of some that were not timed to the end."""
    return (rows["status"] == "done") | rows[["latency_ms_p50", "accuracy_pct"]].notna().any(axis=1)


def _left_out(rows: pd.DataFrame) -> None:
    """`not-applicable: A, B: Why.`"""
    for (state, reason), part in rows.groupby(["state", "reason"], sort=False):
        console.say(f"{state}: {', '.join(part['variant'])}: {reason}")


def _narrow(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As `table`, in 80 columns, or in a few more with p99."""
    shown = Table(
        title=Text(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False,
    )  # fmt: skip
    latency = columns.index("p50 ms")
    with_p99 = ("p99",) if "p99" in columns and console.shown_on().width >= WITH_P99 else ()
    for heading in (*NARROW, *with_p99):
        shown.add_column(heading, overflow="fold", no_wrap=heading != "variant")
    for row in rows:
        variant, speed_up, verdict, accuracy, kept, *_ = row
        lost = f"{accuracy.partition(' ±')[0]} {kept}".strip()
        p99 = (row[columns.index("p99")],) if with_p99 else ()
        shown.add_row(*map(Text, (variant, speed_up, verdict, lost, row[latency].partition(" ")[0], *p99)))
    console.shown_on().print(shown)


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
    if speed:
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
