"""`recommend`: which variant of a study to ship, given what may be lost and spent."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from efficiency import console, progress_line
from efficiency.analysis import limits as limits_module
from efficiency.analysis.limits import Limits, Percentile
from efficiency.cli import recommended
from efficiency.cli.app import Json, StudyId, app
from efficiency.cli.recommended import FILTERS, option
from efficiency.errors import BadRequest

if TYPE_CHECKING:
    from efficiency.analysis.choice import Answer, Choice
    from efficiency.decisions import Case
    from efficiency.results.store import Store

SHOWN = (
    "study", "variant", "techniques", "workload", "dataset", "device", "batch_size", "threads", "speedup",
    "speedup_ci_low", "speedup_ci_high", "speed_verdict", "accuracy_delta_pp", "accuracy_delta_ci_low_pp",
    "accuracy_delta_ci_high_pp", "latency_ms_p50", "latency_ms_p99", "latency_ms_p99_ci_low", "latency_ms_p99_ci_high",
    "size_mb", "size_ratio", "peak_memory_mb",
    "prepare_s", "break_even_calls", "took_effect", "warnings",
)  # fmt: skip
"""Columns of a row that the JSON document has."""


@app.command()
def recommend(
    study_id: StudyId,
    max_accuracy_drop: Annotated[float | None, typer.Option(help="Percentage points that may be lost.")] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Milliseconds that a call may take.")] = None,
    percentile: Annotated[Percentile, typer.Option(help="Which latency is meant.")] = "p50",
    max_size_mb: Annotated[float | None, typer.Option(help="Of the artefact or the weights.")] = None,
    max_memory_mb: Annotated[float | None, typer.Option(help="At most held while serving.")] = None,
    max_prepare_s: Annotated[float | None, typer.Option(help="Seconds that preparing may take, once.")] = None,
    sure: Annotated[
        bool,
        typer.Option(
            "--sure",
            help="A limit counts as kept only where the whole 95 % interval says so, not where it probably is.",
        ),
    ] = False,
    workload: Annotated[str | None, typer.Option(help="Of this workload alone.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Of this batch size alone.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of this number of threads alone.")] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Of the machine: adds the cost of a million calls.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Time what leads again in fresh processes, here and now.")
    ] = False,
    recipe: Annotated[
        str | None, typer.Option(help="Write the recipe of the one that leads to this file; - prints it.")
    ] = None,
    json: Json = None,
) -> None:
    """Which variant to ship: the fastest that keeps to the limits, for each workload and condition.

    Exit code 1 where for one of them nothing does, or where confirming did not come to its end.
    """
    from efficiency import decisions
    from efficiency.results import documents

    asked = Limits(max_accuracy_drop, max_latency_ms, max_size_mb, max_memory_mb, max_prepare_s, percentile, sure)
    problems = limits_module.problems(asked)
    if percentile != "p50" and max_latency_ms is None:
        problems.append(f"--percentile {percentile} says which latency is limited: add --max-latency-ms.")
    if price_per_hour is not None and not 0 < price_per_hour < float("inf"):
        problems.append(f"--price-per-hour: choose more than 0, not {price_per_hour:g}.")
    if problems:
        raise BadRequest(" ".join(problems))
    console.writable("--json", json)
    console.writable("--recipe", recipe)
    store = documents.open_with_example()
    filters = dict(zip(FILTERS, (workload, batch_size, threads), strict=True))
    rows = _rows(store, study_id, filters)
    record = store.study(study_id)
    nothing = decisions.why_empty(rows, record.status, record.message)
    found = [] if nothing else _cases(store, study_id, rows)
    if recipe and len(found) > 1:
        raise BadRequest(
            f"--recipe: there are {len(found)} answers; name one with --workload, --batch-size, --threads."
        )
    status = "done"
    if confirm:
        for case in found:
            ended = _confirm(store, study_id, case, asked, price_per_hour)
            status = ended if ended != "done" else status
            if ended == "cancelled":  # so are those that would come after it
                break
        found = _cases(store, study_id, rows)
    answers = [(case, case.answer(asked)) for case in found]
    recommended.say(store, study_id, answers, asked, price_per_hour)
    if nothing:
        console.say(nothing)
    if recipe:
        _write_recipe(store, answers, recipe)
    if json:
        document = {
            "study": study_id,
            "limits": limits_module.as_document(asked),
            "price_per_hour": price_per_hour,
            "confirming": status if confirm else None,
            "answers": [_document(case, answer, price_per_hour) for case, answer in answers],
        }
        console.write_json(json, document)
    if status != "done" or not answers or any(answer.last.kind != "found" for _, answer in answers):
        sys.exit(1)


def _rows(store: Store, study_id: str, filters: Mapping[str, str | int | None]) -> pd.DataFrame:
    """What was asked for of the study; raises `BadRequest` where a filter, by its column, leaves nothing."""
    from efficiency.analysis import views

    store.study(study_id)
    rows = views.prepared(store.rows([study_id]))
    for name, value in filters.items():
        if value is None or rows.empty:
            continue
        there = list(dict.fromkeys(rows[name]))
        rows = rows[rows[name] == value]
        if rows.empty:
            known = ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in there)
            raise BadRequest(f"{option(name)}: study {study_id} has no rows with {value}; choose from {known}.")
    return rows


def _cases(store: Store, study_id: str, rows: pd.DataFrame) -> Sequence[Case]:
    from efficiency import decisions

    return decisions.of_study(store, study_id, rows)


def _confirm(store: Store, study_id: str, case: Case, asked: Limits, price_per_hour: float | None) -> str:
    """Times what leads again, unless that was done: a study of its own, in the foreground. How that ended."""
    from efficiency import check, confirm
    from efficiency.analysis import confirmations, timing_again, wording
    from efficiency.engine import job
    from efficiency.machine import this_machine

    first = case.choose(asked)
    lead, again = timing_again.lead(first), timing_again.variants(first)
    if lead is None:
        console.note(f"{case.title}: nothing leads that fresh processes could confirm, so nothing was timed again.")
        return "done"
    if (before := case.fresh_study(first)) and not confirmations.worth_timing_again(case.answer(asked)):
        console.note(f"{case.title}: {lead['variant_label']} was timed again before, as study {before}; that counts.")
        return "done"
    here = this_machine()
    study = confirm.plan(store.study(study_id), lead, again, here, p99=limits_module.of_p99(asked))
    if problems := check.problems(study, here):
        raise BadRequest(" ".join(problems))
    command = confirm.command(study_id, case.first.rows.iloc[0], asked, price_per_hour)
    new = store.add_study(study.as_dict(), name=study.name, machine=here.as_dict(), command=command)
    console.note(f"{case.title}: timing {', '.join(again)} again, as study {new}.")
    with progress_line.Bar() as bar:
        status = job.conduct(store, new, bar.tell)
    if status != "done":
        console.note(f"Study {new}: {wording.ended(status, store.study(new).message)}")
    return status


def _write_recipe(store: Store, answers: Sequence[tuple[Case, Answer]], file: str) -> None:
    """Nothing where nothing meets the limits."""
    from efficiency import recipes

    for _, answer in answers:
        if winner := answer.last.winner:
            console.write_file("--recipe", file, recipes.wanted(winner, store.study(str(winner["study_id"]))).script)


def _document(case: Case, answer: Answer, price_per_hour: float | None) -> dict[str, Any]:
    from efficiency.analysis import decision_words

    found: Choice = answer.last
    return {
        "title": case.title,
        "found": found.kind,
        "confirmed": answer.confirmed,
        "sentence": decision_words.sentence(answer),
        "beside": decision_words.beside(answer),
        "considered": found.considered,
        "meeting": found.meeting,
        "winner": _row(found.winner, price_per_hour),
        "runner_up": _row(answer.runner_up, price_per_hour),
        "tied": [_row(row, price_per_hour) for row in found.tied],
        "unsettled": [_row(row, price_per_hour) for row in answer.first.unsettled],
        "closest": _row(found.closest, price_per_hour),
        "misses": [
            {"limit": m.limit, "value": None if pd.isna(m.value) else m.value, "state": m.state} for m in found.misses
        ],
    }


def _row(row: dict[str, Any] | None, price_per_hour: float | None) -> dict[str, Any] | None:
    """The columns that decide; an unknown is null."""
    from efficiency.analysis import decision_words

    if row is None:
        return None
    shown = {name: None if pd.isna(row[name]) or row[name] == "" else row[name] for name in SHOWN}
    cost = None if price_per_hour is None else decision_words.cost_per_million(row, price_per_hour)
    return shown | {"cost_per_million_calls": cost}
