"""How far a long command is: a line in the terminal, and now and then a sentence in a file."""

from __future__ import annotations

import time

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from efficiency import console
from efficiency.analysis import wording
from efficiency.engine import progress as state

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
            console=console.progress,
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
        if told.waiting_for != self._waits_for and told.waiting_for and not console.progress.is_terminal:
            console.note(f"{told.now}{waiting}.")  # a file shows no bar, and would be empty for as long as that takes
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
        if not console.progress.is_terminal and time.monotonic() - self._told >= TOLD_EVERY_S:
            self._told = time.monotonic()
            console.note(", ".join(filter(None, (what, count, left))) + ".")
        self._bar.update(self._task, description=what, completed=done, total=total or None, count=count, left=left)
