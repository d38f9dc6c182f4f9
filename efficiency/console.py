"""What the command line prints, with rich: results on standard output, progress and errors on standard error.

A document that is printed has standard output for itself: all else then goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from efficiency.errors import BadRequest
from efficiency.techniques.matrix import Matrix

BROKEN_PIPE = 141
"""Exit code where who reads the results went away, as a shell has it: 1 would say that a gate failed."""


class Results(Console):
    """Standard output."""

    def on_broken_pipe(self) -> None:
        """Ends the command with `BROKEN_PIPE`."""
        try:
            super().on_broken_pipe()
        except SystemExit as end:
            raise SystemExit(BROKEN_PIPE) from end


for _name in ("stdout", "stderr"):
    if getattr(sys, _name) is None:  # closed by whoever began the command: nobody reads
        setattr(sys, _name, Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as the command runs
# Piped into a file there is no terminal to fit into, and 80 columns would break every cell. A row that is looked for by
# its id or name is one line.
results = Results(width=None if sys.stdout.isatty() else 240)
progress = Console(stderr=True, width=None if sys.stderr.isatty() else 160)
_beside_a_document = False


def start() -> None:
    """A command begins, which has printed no document yet."""
    global _beside_a_document
    _beside_a_document = False


def shown_on() -> Console:
    """Where results go."""
    return progress if _beside_a_document else results


def say(sentence: str) -> None:
    """Print what was asked for as it is: a name or a message may hold what rich takes for markup."""
    _print(shown_on(), sentence)


def note(sentence: str) -> None:
    """Print what is being done, or was done with a file."""
    _print(progress, sentence)


def _print(where: Console, sentence: str) -> None:
    where.print(sentence, markup=False, highlight=False, soft_wrap=True)


def silence_results() -> None:
    """What is left to be printed goes nowhere: standard output takes no more, and Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def refuse(error: Exception) -> None:
    """Print why a command ends here."""
    progress.print(Text.assemble(("Error:", "red"), f" {error}"), soft_wrap=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], *, whole: Collection[str] = ()) -> None:
    """Print a table; None is shown as nothing. In a narrow terminal the columns named in `whole` are not broken."""
    shown = Table(title=Text(title), title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        shown.add_row(*(Text("" if value is None else str(value)) for value in row))
    shown_on().print(shown)


def matrix(found: Matrix) -> None:
    """Print which technique applies to which workload, and below it each reason once; 100 columns hold it."""
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, header_style="bold")
    # Long keys may break where they have a hyphen, and nowhere else.
    for heading in ("technique", "stage", "API", *(w.key.replace("-", "-\n") for w in found.workloads)):
        shown.add_column(heading, overflow="fold")
    for row in found.rows:
        t = row.technique
        shown.add_row(*map(Text, (t.key, t.stage.value, t.api_status, *found.cells(row))))
    shown_on().print(shown)
    if found.reasons:
        say("\nyes: it applies here. A number: it does not, for this reason.")
    listed = Table.grid(padding=(0, 1))
    listed.add_column(justify="right")
    for number, reason in enumerate(found.reasons, start=1):
        listed.add_row(str(number), Text(reason))
    shown_on().print(listed)
    if succeeded := [row.technique for row in found.rows if row.technique.successor]:
        say("\nDeprecated, and the successor here:")
        successors = Table.grid(padding=(0, 1))
        for t in succeeded:
            successors.add_row(Text(f"{t.key}:"), Text(t.successor or ""))
        shown_on().print(successors)


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
    note(f"Wrote {place}.")


def writable(option: str, place: str | None) -> None:
    """Refuse before a long measurement what could not be written after it; raises `BadRequest`.

    Only opening a file tells for sure. One that this made is gone again: the command may yet be refused or fail. From
    here on a document that is to be printed has standard output for itself.
    """
    if place == "-":
        global _beside_a_document
        _beside_a_document = True
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
