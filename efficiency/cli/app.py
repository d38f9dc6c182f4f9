"""The application that every verb registers itself with, and the options that several share."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console
from efficiency.cli import chosen_study

app = typer.Typer(
    name="efficiency",
    help="Measure what efficiency techniques for PyTorch models cost and give on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # else the lines of a docstring end where they do in the file
)

Json = Annotated[str | None, typer.Option("--json", help="Write a JSON document to this file; - prints it.")]
Csv = Annotated[str | None, typer.Option("--csv", help="Write the rows to this CSV file; - prints them.")]
StudyId = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="The study's id, as `studies` lists it, or a beginning that no other has, or `latest`.",
        callback=chosen_study.chosen,
    ),
]


@app.callback()
def _begin() -> None:
    console.start()
