"""`studies`, `show` and `export`: what the database holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from efficiency import console, outcome
from efficiency.cli.app import Csv, Json, StudyId, app
from efficiency.errors import BadRequest

if TYPE_CHECKING:
    from efficiency.results.store import Store


@app.command()
def studies(json: Json = None) -> None:
    """The studies in the database, the newest first."""
    from efficiency.engine import jobs
    from efficiency.results import documents

    store = documents.open_with_example()
    jobs.settle(store)
    found = store.studies()
    if json:
        import json as json_module

        console.write_json(json, {"studies": json_module.loads(found.to_json(orient="records", date_format="iso"))})
    elif found.empty:
        console.say("No studies yet; `python -m efficiency run` measures one.")
    else:
        shown = found[["id", "name", "recorded_at", "status", "rows", "machine"]]
        console.table("Studies", shown.columns, shown.itertuples(index=False), whole=("id",))


@app.command()
def show(study_id: StudyId, json: Json = None) -> None:
    """The rows of a study."""
    from efficiency.results import documents

    store = documents.open_with_example()
    record = store.study(study_id)
    if json:
        console.write_json(json, documents.to_json(store, study_id))
        return
    shown(store, study_id, record.asked)
    console.say(
        f"{record.name}: {record.status}, recorded {record.recorded_at} on {record.machine.get('label', '?')}. "
        f"{record.message}"
    )


def shown(store: Store, study_id: str, asked: Mapping[str, Any]) -> None:
    """Print the rows of a study, and below them what their warnings mean and why those that are not faster are not."""
    from efficiency.analysis import notes, runtime_gain, views, why

    rows = store.rows([study_id])
    if rows.empty:  # of a table that is not there nothing needs to be explained
        return
    outcome.table(rows, live=store.study(study_id).status in ("queued", "running"))
    outcome.hints(notes.of_study(views.records(rows), asked, store.details))
    measured = views.records(views.measured(views.prepared(rows)))
    for row in measured:
        if gain := runtime_gain.said(row, store.details(int(row["row_id"]))):
            console.say(f"{row['workload']}, {row['condition']}: {row['variant']}: {gain}")
    outcome.reasons(why.of_study(measured, store.study(study_id), store.details))


@app.command()
def export(
    study_id: StudyId,
    csv: Csv = None,
    json: Json = None,
    html: Annotated[str | None, typer.Option(help="Write a report to this file, charts included; - prints it.")] = None,
    md: Annotated[str | None, typer.Option(help="Write the report as Markdown to this file; - prints it.")] = None,
    parquet: Annotated[str | None, typer.Option(help="Write the rows, typed, to this file.")] = None,
) -> None:
    """A study as CSV or Parquet (the rows), JSON (everything, raw samples included), HTML or Markdown (a report)."""
    from efficiency.results import documents

    if not (csv or json or html or md or parquet):
        raise BadRequest("export: name --csv FILE, --json FILE, --html FILE, --md FILE, --parquet FILE or several.")
    store = documents.open_with_example()
    store.study(study_id)
    if csv:
        console.write_file("--csv", csv, documents.to_csv(store, [study_id]))
    if html or md:
        _write_reports(store, study_id, html, md)
    if parquet:
        from efficiency.results.parquet import to_parquet

        console.write_file("--parquet", parquet, to_parquet(store, [study_id]))
    if json:
        console.write_json(json, documents.to_json(store, study_id))


def _write_reports(store: Store, study_id: str, html: str | None, md: str | None) -> None:
    from efficiency.report import content, markdown
    from efficiency.report import html as html_module

    report = content.of(store, study_id)
    if html:
        console.write_file("--html", html, html_module.written(report))
    if md:
        console.write_file("--md", md, markdown.written(report))
