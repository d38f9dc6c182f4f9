"""`claims`: what of the article holds on this machine, and measuring what is missing to say so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from efficiency import console, progress_line
from efficiency.cli.app import Json, app
from efficiency.machine import Machine, this_machine

if TYPE_CHECKING:
    from efficiency.claims import Here, Judged
    from efficiency.results.store import Store


@app.command("claims")
def claims_(
    run: Annotated[bool, typer.Option("--run", help="Measure first what is missing, and only that.")] = False,
    json: Json = None,
) -> None:
    """What the article claims, tested on this machine: each verdict with its figure and why."""
    from efficiency import claims
    from efficiency.claims import document
    from efficiency.results.store import Store

    console.writable("--json", json)
    store, here = Store.open(), this_machine()
    done = not run or _measure_missing(store, here)
    measured = claims.read(store, here)
    found = claims.judge_all(measured)
    console.say(claims.ARTICLE_HELD)
    for one in found:
        _show(one, here)
    _show_kinds(measured)
    console.say(claims.summary(found))
    told = document.of(found, measured)
    if not run:
        _say_missing(found, here)
    if json:
        console.write_json(json, told)
    if not done:
        sys.exit(1)


def _show(found: Judged, here: Machine) -> None:
    from efficiency.claims import WORDS, plan

    claim = found.claim
    rows = [
        (case.label, case.figure.said() if case.figure else "", WORDS[case.verdict], case.why) for case in found.cases
    ]
    console.say(f"\n{claim.key}: {WORDS[found.verdict]}. {claim.says}")
    console.table(f"{claim.compares} The line: {claim.line}.", ("case", "figure", "verdict", "why"), rows)
    if time := plan.missing_time([found], here):
        console.say(f"What is missing for it takes about {time} to measure.")


def _show_kinds(measured: Here) -> None:
    from efficiency.claims import kinds

    table = kinds.table(measured)
    console.say(f"\n{kinds.TITLE}")
    if table.empty:
        console.say(kinds.NOTHING)
    else:
        console.table(kinds.CAPTION, kinds.COLUMNS, table.itertuples(index=False))


def _say_missing(found: list[Judged], here: Machine) -> None:
    from efficiency.claims import plan

    asked, drifting = plan.studies(plan.missing(found), here), plan.drifts(found)
    parts = []
    if not asked and any(one.needs_ceiling for one in found):  # a study measures it beside its rows
        parts.append("what this machine can do, some seconds")
    if asked:
        parts.append(f"{_studies(len(asked))}, about {plan.time(asked, here)} in all")
    if drifting:
        parts.append(f"drift of {' and '.join(drifting)}, some minutes each")
    if parts:
        console.say(f"`python -m efficiency claims --run` measures what is missing: {'; '.join(parts)}.")


def _studies(count: int) -> str:
    return f"{count} stud{'y' if count == 1 else 'ies'}"


def _measure_missing(store: Store, here: Machine) -> bool:
    """Each study in the foreground; whether all of them came to their end."""
    from efficiency import claims
    from efficiency.analysis import wording
    from efficiency.claims import plan
    from efficiency.engine import ceilings, drift_job, job

    found = claims.judge_all(claims.read(store, here))
    asked, drifting = plan.studies(plan.missing(found), here), plan.drifts(found)
    if not asked and any(one.needs_ceiling for one in found):
        console.note("Measuring what this machine can do. It takes some seconds.")
        ceilings.measure_alone(here)
    elif not asked and not drifting:
        console.note("Nothing is missing.")
    elif asked:
        console.note(
            f"{_studies(len(asked))} to measure what is missing, about {plan.time(asked, here)} in all: timing goes "
            "on until intervals are narrow."
        )
    done = True
    for study in asked:
        console.note(f"{study.name}: about {plan.time([study], here)}.")
        id = store.add_study(
            study.as_dict(), name=study.name, machine=here.as_dict(), command="python -m efficiency claims --run"
        )
        with progress_line.Bar() as bar:
            status = job.conduct(store, id, bar.tell)
        console.note(f"Study {id}: {wording.ended(status, store.study(id).message)}")
        done = done and status == "done"
        if status == "cancelled":
            return False
    for workload in drifting:
        console.note(f"Drift of {workload}: some minutes.")
        with progress_line.Bar() as bar:
            drift_job.measure(store, workload, here, tell=bar.share)
    return done
