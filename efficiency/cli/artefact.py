"""`artefact`: what a study prepared for a variant, as a zip to take along."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console
from efficiency.cli.app import StudyId, app
from efficiency.cli.chosen_row import chosen


@app.command()
def artefact(
    study_id: StudyId,
    variant: Annotated[str, typer.Argument(help="A variant of the study, as `show` lists it: A or A+B.")],
    file: Annotated[str, typer.Option(help="Write the zip to this file.")],
    workload: Annotated[str | None, typer.Option(help="Of which workload, where the study has several.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Of which batch size; the study's first unless told.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of how many threads; the study's first unless told.")] = None,
) -> None:
    """What was prepared: an artefact as its runtime wrote it, or float weights and the recipe that rebuilds it."""
    from efficiency import artefact as artefacts
    from efficiency.errors import BadRequest
    from efficiency.results import documents

    store = documents.open_with_example()
    record = store.study(study_id)
    row = chosen(store.rows([study_id]), variant, workload, batch_size, threads)
    kept = store.details(int(row["row_id"]))
    if reason := artefacts.why_not(row.to_dict(), record, kept):
        raise BadRequest(reason)
    if file == "-":
        raise BadRequest("--file: a zip is not printed; name a file.")
    console.writable("--file", file)
    console.write_file("--file", file, artefacts.pack(row.to_dict(), record, kept))
