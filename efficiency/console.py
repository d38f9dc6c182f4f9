"""What the command line prints: tables and progress with rich, on standard error; documents on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from efficiency.analysis import views, wording
from efficiency.engine import progress as state
from efficiency.errors import BadRequest
from efficiency.techniques.matrix import Matrix

# Piped into a file there is no terminal to fit into, and 80 columns would break every cell.
console = Console(stderr=True, width=None if sys.stderr.isatty() else 160)


def say(sentence: str) -> None:
    """Print it as it is: a name or a message may hold what rich takes for markup."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def refuse(error: Exception) -> None:
    """Print why a command ends here."""
    console.print(Text.assemble(("Error:", "red"), f" {error}"), soft_wrap=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; None is shown as nothing."""
    shown = Table(title=Text(title), title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(shown)


def matrix(found: Matrix) -> None:
    """Print which technique applies to which workload, and below it each reason once; 100 columns hold it."""
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, header_style="bold")
    # Long keys may break where they have a hyphen, and nowhere else.
    for heading in ("technique", "stage", "API", *(w.key.replace("-", "-\n") for w in found.workloads)):
        shown.add_column(heading, overflow="fold")
    for row in found.rows:
        t = row.technique
        shown.add_row(*map(Text, (t.key, t.stage.value, t.api_status, *found.cells(row))))
    console.print(shown)
    if found.reasons:
        say("\nyes: it applies here. A number: it does not, for this reason.")
    listed = Table.grid(padding=(0, 1))
    listed.add_column(justify="right")
    for number, reason in enumerate(found.reasons, start=1):
        listed.add_row(str(number), Text(reason))
    console.print(listed)
    if succeeded := [row.technique for row in found.rows if row.technique.successor]:
        say("\nDeprecated, and the successor here:")
        successors = Table.grid(padding=(0, 1))
        for t in succeeded:
            successors.add_row(Text(f"{t.key}:"), Text(t.successor or ""))
        console.print(successors)


def write_json(place: str, document: Mapping[str, Any]) -> None:
    """To a file, or for `-` as one line on standard output."""
    if place == "-":
        print(json.dumps(document, allow_nan=False), flush=True)
    else:
        write_file("--json", place, json.dumps(document, allow_nan=False) + "\n")


def write_file(option: str, place: str, content: str | bytes) -> None:
    """Write to a file, or to standard output for `-`; raises `BadRequest`."""
    raw = content.encode() if isinstance(content, str) else content
    if place == "-":
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
        return
    try:
        Path(place).expanduser().write_bytes(raw)
    except OSError as error:
        raise BadRequest(f"{option}: {place} cannot be written ({error.strerror}); name another file.") from error
    say(f"Wrote {place}.")


def writable(option: str, place: str | None) -> None:
    """Refuse before a long measurement what could not be written after it; raises `BadRequest`.

    Only opening a file tells for sure. One that this made is gone again: the command may yet be refused or fail.
    """
    if place in (None, "-"):
        return
    path = Path(str(place)).expanduser()
    if path.is_dir():
        raise BadRequest(f"{option}: {place} is a folder; name a file.")
    if not path.parent.is_dir():
        raise BadRequest(f"{option}: the folder of {place} does not exist; make it or name another file.")
    new = not path.exists()
    try:
        path.open("a").close()
        if new:
            path.resolve().unlink()  # what a link points to, not the link
    except OSError as error:
        raise BadRequest(f"{option}: {place} cannot be written ({error.strerror}); name another file.") from error


TOLD_EVERY_S = 30.0
"""Seconds between two lines in a file, which shows no bar."""


class Bar:
    """A progress line: what is being done, how far it is, and how long it has taken and will take."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[count]}", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("Starting", total=None, count="", left="")
        self._started, self._share = time.monotonic(), 0.0
        self._told = self._started
        self._waits_for: str | None = None

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, told: state.Progress) -> None:
        """Show how a study stands."""
        waiting = f" for {wording.at_work(told.waiting_for)}" if told.waiting_for else ""
        if told.waiting_for != self._waits_for and told.waiting_for and not console.is_terminal:
            say(f"{told.now}{waiting}.")  # a file shows no bar, and would be empty for as long as that takes
        self._waits_for = told.waiting_for
        what, number = told.counted
        count = f"{number}/{told.total} rows {what}" if told.total else ""
        self._show(told.now + waiting, number, told.total, count, told.left_s)

    def share(self, what: str, share: float) -> None:
        """Show how far one long step is; how long it will take follows from how long it took so far."""
        if share < self._share:  # the next step has begun
            self._started = time.monotonic()
        self._share = share
        elapsed_s = time.monotonic() - self._started
        left_s = elapsed_s * (1 - share) / share if share > 0.02 else None
        self._show(what, round(1000 * share), 1000, f"{share:.0%}", left_s)

    def _show(self, what: str, done: int, total: int, count: str, left_s: float | None) -> None:
        left = f"about {wording.duration(left_s)} left" if left_s else ""
        if not console.is_terminal and time.monotonic() - self._told >= TOLD_EVERY_S:
            self._told = time.monotonic()
            say(", ".join(filter(None, (what, count, left))) + ".")
        self._bar.update(self._task, description=what, completed=done, total=total or None, count=count, left=left)


INFERENCE = ("variant", "speed-up [95 %]", "", "accuracy", "", "smaller", "p50 ms", "accuracy %", "MB", "note")
TRAINING = (
    "variant", "speed-up [95 %]", "", "accuracy", "", "p50 ms", "accuracy %", "loss", "peak MB", "mJ", "note"
)  # fmt: skip
"""Trained weights are FP32's in size, so that size says nothing."""


WIDE = 120
"""Columns that a terminal needs for all there is; with fewer, words would be broken anywhere."""
NARROW = (0, 1, 2, 3)
"""Places of what a narrow one shows beside the latency."""


def outcome(rows: pd.DataFrame) -> None:
    """The rows of a study, relative first, one table a workload and condition; in a narrow terminal the chief columns.

    What a narrow one leaves out is in `export ID --csv` and on the pages.
    """
    rows = views.prepared(rows)
    several = rows.groupby("workload")["dataset"].transform("nunique") > 1
    for (workload, dataset, condition), part in rows.groupby(views.PANEL, sort=False):
        noise = wording.noise(part["noise_pct"].max())
        of_several = f", {dataset}" if several[part.index[0]] else ""
        show = table if console.width >= WIDE else _narrow
        show(
            f"{workload}{of_several}, {condition}{f', noise floor {noise}' if noise else ''}",
            TRAINING if part["phase"].iloc[0] == "training" else INFERENCE,
            [_outcome_row(row) for row in part.to_dict("records")],
        )
    if console.width < WIDE:
        console.print(f"A terminal of {WIDE} columns shows more: size, accuracy, warnings.")
    if (rows["phase"] == "training").any():
        say("p50 is the time of a step; loss, the mean of the last tenth of the steps; mJ, of an example above idle.")
        if rows["energy_mj"].isna().all():
            say("There is no mJ: energy was not measured, for a reason that the row's details on the pages give.")
    console.print("* on the Pareto front: nothing measured here is better in one thing and no worse in another.")
    console.print("± is half the 95 % interval; the noise floor is what the control shows, where nothing differs.")


def _narrow(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As `table`, in 80 columns; why a row has no figures stands below."""
    shown = Table(
        title=Text(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False,
    )  # fmt: skip
    latency = columns.index("p50 ms")
    for place in (*NARROW, latency):
        shown.add_column(columns[place], overflow="fold", no_wrap=place > 0)
    for row in rows:
        shown.add_row(*(Text(row[place]) for place in NARROW), Text(row[latency].partition(" ")[0]))
    console.print(shown)
    for variant, speed_up, *_, note in rows:
        if note and not speed_up:
            say(f"{variant}: {note}")


def hints(told: Iterable[tuple[str, str, list[str]]]) -> None:
    """What the warnings in the rows mean and what to do about them, as `notes.of_study` has them."""
    for key, text, of in told:
        say(f"{key}: {text} ({', '.join(of[:4])}{f' and {len(of) - 4} more' if len(of) > 4 else ''})")


def reasons(told: Iterable[tuple[str, str, list[str]]]) -> None:
    """Of each row that is not faster the verdict's reasons, as `why.of_study` has them."""
    for number, (where, variant, said) in enumerate(told):
        if number == 0:
            say("\nWhy is it not faster?")
        say(f"- {where}: {variant}. {' '.join(said)}")


def _outcome_row(row: Mapping[Any, Any]) -> list[str]:
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

    speed = number("speedup", "{:.2f}x")
    if speed:
        speed += f" [{row['speedup_ci_low']:.2f}, {row['speedup_ci_high']:.2f}]"
    trained = row["phase"] == "training"
    own = (("training_loss", "{:.3f}"), ("peak_memory_mb", "{:.0f}"), ("energy_mj", "{:.3g}"))
    return [
        text("variant") + (" *" if row["on_pareto_front"] is True else ""),
        speed,
        text("speed_verdict"),
        number("accuracy_delta_pp", "{:+.2f} pp")
        + half("accuracy_delta_ci_low_pp", "accuracy_delta_ci_high_pp", " ±{:.2f}"),
        text("accuracy_verdict"),
        *([] if trained else [number("size_ratio", "{:.2f}x")]),
        number("latency_ms_p50", "{:.3g}") + half_ms(),
        number("accuracy_pct", "{:.2f}") + half("accuracy_ci_low_pct", "accuracy_ci_high_pct", " ±{:.1f}"),
        *([number(*one) for one in own] if trained else [number("size_mb", "{:.3g}")]),
        text("reason") or wording.warnings(text("warnings")),
    ]
