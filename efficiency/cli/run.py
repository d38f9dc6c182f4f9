"""`run`: measure a study; and `job`, by which the pages have one measured."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import Annotated

import typer

from efficiency import check, console, progress_line, study, study_name, workloads
from efficiency.cli.app import Csv, Json, app
from efficiency.cli.studies import shown
from efficiency.condition import Device, Phase
from efficiency.effort import PRECISION_PCT
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.machine import this_machine
from efficiency.study import Preset, Study, Variant
from efficiency.tolerance import TOLERANCE_PP


@app.command()
def run(
    preset: Annotated[Preset, typer.Option(help="What the other options start from.")] = "quick",
    workload: Annotated[list[str] | None, typer.Option(help="A workload's key, or path/to/file.py:make.")] = None,
    technique: Annotated[
        list[str] | None, typer.Option(help="Measure this technique, in place of the preset's variants.")
    ] = None,
    combine: Annotated[
        list[str] | None, typer.Option(help="Measure several as one variant: A+B, in place of the preset's.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Another data set than each workload's own; one for each kind of data.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where it runs.")] = "cpu",
    batch_size: Annotated[
        list[int] | None, typer.Option(help="Examples a call, 1 unless told; or a training step.")
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(help="Threads of the timed process; 1 unless told, all in training.")
    ] = None,
    length: Annotated[int | None, typer.Option(help="Tokens in a row, for text.")] = None,
    padding: Annotated[int, typer.Option(help="Percent of every row that is padding, for text.")] = 0,
    phase: Annotated[Phase, typer.Option(help="What is timed: answers, or training steps.")] = "inference",
    budget: Annotated[float | None, typer.Option(help="Seconds the whole study may take.")] = None,
    tolerance: Annotated[
        float, typer.Option(help="Percentage points of accuracy that may be lost and still count as kept.")
    ] = TOLERANCE_PP,
    equivalence: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", help="Speeds within ± this of each other are the same for all practical purposes."
        ),
    ] = EQUIVALENCE_PCT,
    precision: Annotated[
        float,
        typer.Option(
            metavar="PERCENT",
            help="Processes are added until every speed-up is known to ± this by its own minutes, or the budget or the "
            "preset's most processes are used up.",
        ),
    ] = PRECISION_PCT,
    p99: Annotated[
        bool,
        typer.Option(
            "--p99", help="Time every variant as often as a p99 takes, also a slow one, which may take much longer."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of calibration, fine-tuning and the order of timing.")] = 0,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Prepare everything anew, also what an earlier study has kept.")
    ] = False,
    name: Annotated[
        str, typer.Option(help="What the study is called; its preset or workloads, and the machine, unless told.")
    ] = "",
    csv: Csv = None,
    json: Json = None,
) -> None:
    """Measure a study in the foreground, with its rows kept in the database."""
    from efficiency.analysis import wording
    from efficiency.engine import job
    from efficiency.results import documents
    from efficiency.results.store import Store

    asked = study.plan_preset(preset, this_machine(), device, phase)
    asked = replace(asked, datasets=tuple(dataset or ()), budget_s=budget, seed=seed)
    asked = replace(asked, tolerance_pp=tolerance, equivalence_pct=equivalence, anew=no_cache)
    effort = asked.effort.within(precision)
    asked = replace(asked, effort=effort.for_p99() if p99 else effort)
    asked = replace(asked, workloads=_chosen_workloads(asked, workload))
    unknown: list[str] = []
    if technique or combine:
        asked = replace(asked, variants=_chosen_variants(technique or [], combine or [], unknown) or asked.variants)
    if batch_size or threads:
        usual = asked.conditions[0]
        conditions = [
            replace(usual, batch_size=b, threads=t)
            for b in batch_size or [usual.batch_size]
            for t in threads or [usual.threads]
        ]
        asked = replace(asked, conditions=tuple(dict.fromkeys(conditions)))
    shaped = [replace(c, length=length, padding_pct=padding) for c in asked.conditions]
    asked = replace(asked, conditions=tuple(shaped))

    here = this_machine()
    if problems := unknown + check.problems(replace(asked, budget_s=None) if unknown else asked, here):
        raise BadRequest(" ".join(problems))  # how long what is unknown takes, nobody knows
    asked = replace(asked, name=name.strip() or study_name.usual(asked, here))
    console.writable("--csv", csv)
    console.writable("--json", json)
    store = Store.open()
    command = shlex.join(["python", "-m", "efficiency", *sys.argv[1:]])
    study_id = store.add_study(asked.as_dict(), name=asked.name, machine=here.as_dict(), command=command)
    with progress_line.Bar() as bar:
        status = job.conduct(store, study_id, bar.tell)
    record = store.study(study_id)
    shown(store, study_id, record.asked)
    console.say(f"Study {study_id}: {wording.ended(status, record.message)}")
    if status == "done" and asked.phase == "inference":
        console.say(f"`python -m efficiency recommend {study_id}` says which to ship.")
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
            if not all(keys):
                raise BadRequest("a technique is missing beside a +; name one on either side of each.")
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


@app.command(hidden=True)
def job(study_id: str) -> None:
    """Run a queued study; the pages start this."""
    from efficiency.engine import job as job_module
    from efficiency.results.store import Store

    sys.exit(0 if job_module.conduct(Store.open(), study_id) == "done" else 1)
