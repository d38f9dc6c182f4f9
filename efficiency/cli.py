"""The command line: the same verbs as the pages.

Exit codes: 0 done, 1 the study failed, 2 bad usage, with a sentence that names the option and the mend.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from efficiency import check, console, study, workloads
from efficiency.analysis import tables
from efficiency.condition import Condition, Device, Phase
from efficiency.errors import BadRequest, EfficiencyError, StoreError
from efficiency.machine import memory_free_mb, this_machine
from efficiency.study import Preset, Study, Variant
from efficiency.techniques import compose, matrix

if TYPE_CHECKING:
    from efficiency.results.store import Store

app = typer.Typer(
    name="efficiency",
    help="Measure what efficiency techniques for PyTorch models cost and give on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[str | None, typer.Option("--json", help="Write a JSON document to this file; - prints it.")]
Csv = Annotated[str | None, typer.Option("--csv", help="Write the rows to this CSV file; - prints them.")]
StudyId = Annotated[str, typer.Argument(help="The study's id, as `studies` lists it.")]


def main() -> None:
    """Run the command line; errors that a user can cause end in one sentence."""
    try:
        app()
    except EfficiencyError as error:
        console.refuse(error)
        sys.exit(2 if isinstance(error, BadRequest | StoreError) else 1)


@app.command()
def machine(
    json: Json = None,
    ceiling: Annotated[bool, typer.Option(help="Measure what the hardware can do; some seconds.")] = True,
) -> None:
    """What this machine is: processor, cores it may use, memory, GPU; and what it can do at most, measured now."""
    from efficiency.engine import ceilings

    here = this_machine()
    facts = here.as_dict() | {"memory_free_mb": memory_free_mb()}
    console.writable("--json", json)
    if not json:
        shown = {name: ", ".join(v) if isinstance(v, tuple) else v for name, v in facts.items()}
        console.table("This machine", ("", ""), shown.items())
    found = None
    if ceiling:
        try:
            found = ceilings.measure_alone(here)
        except EfficiencyError as error:  # the facts stand, and so does what was measured before
            console.say(str(error))
            found = ceilings.known(here.key)
    if json:
        console.write_json(json, facts | {"ceiling": found.as_dict() if found else None})
    elif found:
        console.table("What it can do", *tables.ceiling(found))


@app.command(name="list")
def list_(
    what: Annotated[str, typer.Argument(help="workloads or techniques")],
    json: Json = None,
) -> None:
    """The workloads, or every technique on every workload: yes, or why not."""
    lists: dict[str, Callable[[str | None], None]] = {"workloads": _list_workloads, "techniques": _list_techniques}
    if what not in lists:
        raise BadRequest(f"list: choose workloads or techniques, not '{what}'.")
    lists[what](json)


def _list_workloads(json: str | None) -> None:
    rows = [
        {
            "key": w.key,
            "model": w.model,
            "summary": w.summary,
            "datasets": ", ".join(d.key + (" (not here)" if d.why_not() else "") for d in w.datasets),
        }
        for w in workloads.WORKLOADS.values()
    ]
    if json:
        console.write_json(json, {"workloads": rows})
    else:
        console.table("Workloads", rows[0], (row.values() for row in rows))


def _list_techniques(json: str | None) -> None:
    found = matrix.of(Condition(), this_machine())
    if not json:
        console.matrix(found)
        return
    rows = [
        {
            "key": row.technique.key,
            "label": row.technique.label,
            "summary": row.technique.summary,
            "stage": row.technique.stage.value,
            "api_status": row.technique.api_status,
            "successor": row.technique.successor,
            "conflicts": compose.conflicts(row.technique.key),
            "workloads": {key: reason or "yes" for key, reason in row.why_not.items()},
        }
        for row in found.rows
    ]
    console.write_json(json, {"techniques": rows})


@app.command()
def run(
    preset: Annotated[Preset, typer.Option(help="What the other options start from.")] = "quick",
    workload: Annotated[list[str] | None, typer.Option(help="A workload's key, or path/to/file.py:make.")] = None,
    technique: Annotated[list[str] | None, typer.Option(help="Add the variant of this technique.")] = None,
    combine: Annotated[list[str] | None, typer.Option(help="Add one variant of several: A+B.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Another data set than each workload's own; one for each kind of data.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where it runs.")] = "cpu",
    batch_size: Annotated[list[int] | None, typer.Option(help="Examples a call; 1 unless told.")] = None,
    threads: Annotated[list[int] | None, typer.Option(help="Threads of the timed process; 1 unless told.")] = None,
    length: Annotated[int | None, typer.Option(help="Tokens in a row, for text.")] = None,
    padding: Annotated[int, typer.Option(help="Percent of every row that is padding, for text.")] = 0,
    phase: Annotated[Phase, typer.Option(help="Training is not measured yet.")] = "inference",
    budget: Annotated[float | None, typer.Option(help="Seconds the whole study may take.")] = None,
    tolerance: Annotated[
        float, typer.Option(help="Percentage points of accuracy that may be lost and still count as kept.")
    ] = study.TOLERANCE_PP,
    seed: Annotated[int, typer.Option(help="Of calibration, fine-tuning and the order of timing.")] = 0,
    name: Annotated[str, typer.Option(help="What the study is called; its preset and machine unless told.")] = "",
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Measure a study in the foreground, with its rows kept in the database."""
    from efficiency.engine import job
    from efficiency.results import documents
    from efficiency.results.store import Store

    asked = study.plan_preset(preset, this_machine(), device)
    asked = replace(asked, datasets=tuple(dataset or ()), budget_s=budget, seed=seed, name=name.strip() or asked.name)
    asked = replace(asked, tolerance_pp=tolerance)
    asked = replace(asked, workloads=_chosen_workloads(asked, workload))
    unknown: list[str] = []
    if technique or combine:
        asked = replace(asked, variants=_chosen_variants(technique or [], combine or [], unknown) or asked.variants)
    if batch_size or threads:
        conditions = [
            Condition(device=c.device, batch_size=b, threads=t)
            for c in asked.conditions[:1]
            for b in batch_size or [1]
            for t in threads or [1]
        ]
        asked = replace(asked, conditions=tuple(dict.fromkeys(conditions)))
    shaped = [replace(c, length=length, padding_pct=padding, phase=phase) for c in asked.conditions]
    asked = replace(asked, conditions=tuple(shaped))

    here = this_machine()
    if problems := unknown + check.problems(asked, here):
        raise BadRequest(" ".join(problems))
    console.writable("--csv", csv)
    console.writable("--json", json)
    store = Store.open()
    command = "python -m efficiency " + " ".join(sys.argv[1:])
    study_id = store.add_study(asked.as_dict(), name=asked.name, machine=here.as_dict(), command=command)
    with console.Bar() as bar:
        status = job.conduct(store, study_id, bar.tell)
    record = store.study(study_id)
    _shown(store, study_id, record.asked)
    console.say(f"Study {study_id}: {status}. {record.message}")
    if csv:
        console.write_file("--csv", csv, documents.to_csv(store, [study_id]))
    if json:
        console.write_json(json, documents.to_json(store, study_id))
    if status != "done":
        sys.exit(1)


def _chosen_variants(technique: list[str], combine: list[str], unknown: list[str]) -> tuple[Variant, ...]:
    """Those named; what is wrong with a name is added to `unknown`, so that all is told at once."""
    found: dict[Variant, None] = {}
    asked = [("--technique", key, [key]) for key in technique] + [("--combine", c, c.split("+")) for c in combine]
    for option, text, keys in asked:
        try:
            found[Variant.of(keys)] = None
        except EfficiencyError as error:
            unknown.append(f"{option} {text}: {error}")
    return tuple(found)


def _chosen_workloads(asked: Study, named: list[str] | None) -> tuple[str, ...]:
    """Those named; else the preset's, or of these the ones that have the data set asked for."""
    if named:
        return tuple(dict.fromkeys(named))
    if not asked.datasets:
        return asked.workloads
    wanted = set(asked.datasets)
    having = tuple(key for key in asked.workloads if wanted & {d.key for d in workloads.describe(key).datasets})
    return having or asked.workloads


@app.command()
def train(
    workload: Annotated[str, typer.Argument(help="A workload's key, or path/to/file.py:make.")],
    dataset: Annotated[str | None, typer.Option(help="Another data set than the workload's own.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and the order of rows.")] = 0,
    json: Json = None,
) -> None:
    """Train a workload's reference model anew; it is used from then on."""
    from efficiency import paths
    from efficiency.engine import conductor, reference
    from efficiency.engine.child import Child
    from efficiency.errors import VariantFailed

    declared = workloads.describe(workload)
    if declared.trained:
        raise BadRequest(f"{workload} brings its own trained model; there is nothing to train.")
    asked = {
        "workload": workload,
        "dataset": declared.dataset(dataset).key,
        "threads": this_machine().threads,
        "seed": seed,
        "anew": True,
        "samples": [],
    }
    card: dict[str, Any] = {}
    log = paths.home() / "jobs" / "train.log"
    try:
        with console.Bar() as bar, Child(reference.run, asked, log=log) as child:
            for message in child.messages(conductor.READING_S):
                if "progress" in message:
                    bar.share(message["progress"], message["share"])
                card = message.get("card", card)
    except VariantFailed as failure:
        raise EfficiencyError(str(failure)) from failure
    except KeyboardInterrupt:
        raise EfficiencyError("Training was stopped; the checkpoint is as it was before.") from None
    console.say(f"Trained {declared.key}: {card['accuracy_pct']:.2f} % on the test set.")
    if json:
        console.write_json(json, card)


@app.command()
def studies(json: Json = None) -> None:
    """The studies in the database, the newest first."""
    from efficiency.results.store import Store

    found = Store.open().studies()
    if json:
        import json as json_module

        console.write_json(json, {"studies": json_module.loads(found.to_json(orient="records", date_format="iso"))})
    elif found.empty:
        console.say("No studies yet; `python -m efficiency run` measures one.")
    else:
        shown = found[["id", "name", "recorded_at", "status", "rows", "machine"]]
        console.table("Studies", shown.columns, shown.itertuples(index=False))


@app.command()
def show(study_id: StudyId, json: Json = None) -> None:
    """The rows of a study."""
    from efficiency.results import documents
    from efficiency.results.store import Store

    store = Store.open()
    record = store.study(study_id)
    if json:
        console.write_json(json, documents.to_json(store, study_id))
        return
    _shown(store, study_id, record.asked)
    console.say(
        f"{record.name}: {record.status}, recorded {record.recorded_at} on {record.machine.get('label', '?')}. "
        f"{record.message}"
    )


def _shown(store: Store, study_id: str, asked: Mapping[str, Any]) -> None:
    from efficiency.analysis import notes, views

    rows = store.rows([study_id])
    console.outcome(rows)
    console.hints(notes.of_study(views.records(rows), asked, store.details))


@app.command()
def export(study_id: StudyId, csv: Csv = None, json: Json = None) -> None:
    """A study as CSV (the rows) and JSON (everything, raw samples included)."""
    from efficiency.results import documents
    from efficiency.results.store import Store

    if csv is None and json is None:
        raise BadRequest("export: name --csv FILE, --json FILE or both.")
    store = Store.open()
    store.study(study_id)
    if csv:
        console.write_file("--csv", csv, documents.to_csv(store, [study_id]))
    if json:
        console.write_json(json, documents.to_json(store, study_id))


@app.command(hidden=True)
def job(study_id: StudyId) -> None:
    """Run a queued study; the pages start this."""
    from efficiency.engine import job as job_module
    from efficiency.results.store import Store

    sys.exit(0 if job_module.conduct(Store.open(), study_id) == "done" else 1)
