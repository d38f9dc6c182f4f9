"""`recipe`: a variant as a script that runs without this project, or as a zip with all that the script reads."""

from __future__ import annotations

import io
from typing import Annotated

import typer

from efficiency import console
from efficiency.cli.app import StudyId, app
from efficiency.cli.chosen_row import chosen
from efficiency.errors import BadRequest


@app.command()
def recipe(
    study_id: StudyId,
    variant: Annotated[str, typer.Argument(help="A variant of the study, as `show` lists it: A or A+B.")],
    workload: Annotated[str | None, typer.Option(help="Of which workload, where the study has several.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Of which batch size; the study's first unless told.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of how many threads; the study's first unless told.")] = None,
    file: Annotated[str, typer.Option(help="Write the script to this file; - prints it.")] = "-",
    bundle: Annotated[
        str | None, typer.Option(help="Write a zip of the script, all that it reads and requirements to this file.")
    ] = None,
) -> None:
    """A variant of a study as a complete script with public APIs alone, which rebuilds it from the FP32 weights.

    Of a row of training, a script that takes the study's steps.
    """
    from efficiency.recipes import bundle as bundles
    from efficiency.recipes import stored
    from efficiency.results import documents

    store = documents.open_with_example()
    record = store.study(study_id)
    row = chosen(store.rows([study_id]), variant, workload, batch_size, threads)
    wanted = stored.wanted(row.to_dict(), record)
    if bundle is None:
        console.write_file("--file", file, wanted.script)
        return
    if bundle == "-":
        raise BadRequest("--bundle: a zip is not printed; name a file.")
    console.writable("--bundle", bundle)
    console.writable("--file", file)
    made = io.BytesIO()
    bundles.make(wanted, made)
    console.write_file("--bundle", bundle, made.getvalue())
    if file != "-":
        console.write_file("--file", file, wanted.script)
