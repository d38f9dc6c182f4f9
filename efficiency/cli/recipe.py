"""`recipe`: a variant as a script that runs without this project, or as a zip with all that the script reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from efficiency import console
from efficiency.cli.app import StudyId, app
from efficiency.errors import BadRequest, UnknownName

if TYPE_CHECKING:
    import pandas as pd


@app.command()
def recipe(
    study_id: StudyId,
    variant: Annotated[str, typer.Argument(help="A variant of the study, as `show` lists it: A or A+B.")],
    workload: Annotated[str | None, typer.Option(help="Of which workload, where the study has several.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Of which batch size; the study's first unless told.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of how many threads; the study's first unless told.")] = None,
    file: Annotated[str, typer.Option(help="Write the script to this file; - prints it.")] = "-",
    bundle: Annotated[
        str | None, typer.Option(help="Write a zip of the script, weights, rows and requirements to this file.")
    ] = None,
) -> None:
    """A variant of a study as a complete script with public APIs alone, which rebuilds it from the FP32 weights."""
    from efficiency.recipes import bundle as bundles
    from efficiency.recipes import stored
    from efficiency.results.store import Store

    store = Store.open()
    record = store.study(study_id)
    row = _chosen(store.rows([study_id]), variant, workload, batch_size, threads)
    wanted = stored.wanted(row.to_dict(), record)
    if bundle is None:
        console.write_file("--file", file, wanted.script)
        return
    if bundle == "-":
        raise BadRequest("--bundle: a zip is not printed; name a file.")
    console.writable("--bundle", bundle)
    if file != "-":
        console.write_file("--file", file, wanted.script)
    bundles.make(wanted, Path(bundle).expanduser())
    console.say(f"Wrote {bundle}.")


def _chosen(
    rows: pd.DataFrame, variant: str, workload: str | None, batch_size: int | None, threads: int | None
) -> pd.Series[Any]:
    """The one row that is meant; raises `BadRequest` where there is none, or where it may be of several workloads."""
    asked = {"variant": variant, "workload": workload, "batch_size": batch_size, "threads": threads}
    for column, value in asked.items():
        if value is None:
            continue
        known = rows[column].dropna().astype(str)
        # A variant is the same however its techniques are ordered.
        same = known.map(_sorted) == _sorted(str(value))
        if not same.any():
            raise UnknownName(column.replace("_", " "), str(value), set(known))
        rows = rows.loc[same[same].index]
    rebuilt = rows[rows["status"] != "not-applicable"]
    found = rebuilt if len(rebuilt) else rows
    if found["workload"].nunique() > 1:
        raise BadRequest(
            f"--workload: {variant} is there of {', '.join(found['workload'].unique())}; name one of them."
        )
    return found.iloc[0]


def _sorted(variant: str) -> str:
    return "+".join(sorted(variant.split("+")))
