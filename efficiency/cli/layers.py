"""`layers`: what each layer of a variant costs in INT8, and which stay in FP32."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console
from efficiency.cli.app import Json, StudyId, app
from efficiency.cli.chosen_row import chosen


@app.command()
def layers(
    study_id: StudyId,
    variant: Annotated[
        str, typer.Argument(help="A variant of the study that analyses layers: mixed-int8.")
    ] = "mixed-int8",
    workload: Annotated[str | None, typer.Option(help="Of which workload, where the study has several.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Of which batch size; the study's first unless told.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of how many threads; the study's first unless told.")] = None,
    json: Json = None,
) -> None:
    """Which layers cost the accuracy of static INT8, the most sensitive first, and which were left in FP32."""
    from efficiency.analysis import layers as analysis
    from efficiency.analysis import tables
    from efficiency.results import documents

    console.writable("--json", json)
    store = documents.open_with_example()
    store.study(study_id)
    row = chosen(store.rows([study_id]), variant, workload, batch_size, threads)
    details = store.details(int(row["row_id"]))
    found = analysis.needed(details)
    console.table(f"Layers of {row['workload']}, {row['variant']}", *analysis.table(found))
    for key, _, reason in tables.evidence(details):
        console.say(f"{key}: {reason}")
    if json:
        lines = found.astype(object).to_dict("records")
        console.write_json(json, {"workload": row["workload"], "variant": row["variant"], "layers": lines})
