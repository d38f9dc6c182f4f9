"""`compare`: two studies side by side, also as a gate for continuous integration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from efficiency import console
from efficiency.cli import chosen_study
from efficiency.cli.app import Json, app
from efficiency.errors import BadRequest

if TYPE_CHECKING:
    from efficiency.analysis.compare import Compared
    from efficiency.results.store import StudyRecord

COLUMNS = (
    "Variant", "Workload", "Condition", "B against A", "Speed-up in A", "Speed-up in B", "Accuracy, B - A",
    "Latency, A / B", "p99 in A [ms]", "p99 in B [ms]",
)  # fmt: skip

P99 = COLUMNS[-2:]
"""Figures; the others are text."""


@app.command()
def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="The study to compare with, such as that of the main branch: its id or a beginning of it, or "
            "`latest`.",
            callback=chosen_study.chosen,
        ),
    ],
    b: Annotated[str, typer.Argument(help="The study that is judged, likewise.", callback=chosen_study.chosen)],
    fail_if_slower: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="Exit with 1 where a variant of B is slower by more than PERCENT: its verdict is slower, and by the "
            "whole 95 % interval of the ratio of speed-ups it takes more than PERCENT longer than in A. Also where B "
            "was to measure what A measured and did not: it failed, or was cancelled. A baseline that got slower is "
            "said and fails nothing. Exit with 3 where a variant looks that much slower and the machine was disturbed "
            "while it was timed: measure again.",
        ),
    ] = None,
    json: Json = None,
) -> None:
    """Study B against study A: which variant moved, by how much, and whether that is beyond both noise floors.

    Compared are speed-ups, each against its own study's baseline. A variant is called faster or slower where the
    interval of their ratio says so, not by luck (of all that are called so, 5 % at most are expected to be none), and
    where it is more than what counts as the same (2 % unless the studies say otherwise) and more than both noise floors
    together. The intervals allow for what differs from hour to hour, as far as it can be guessed. Exit codes: 0; 1 by
    --fail-if-slower; 2 for bad usage; 3 where that cannot be told, the machine having been disturbed.
    """
    from efficiency.analysis import compare as comparing
    from efficiency.analysis import compare_gate, compare_words, views
    from efficiency.results import documents

    if fail_if_slower is not None and not 0 <= fail_if_slower < float("inf"):
        raise BadRequest(f"--fail-if-slower: name a percentage from 0 up, not {fail_if_slower:g}.")
    if a == b:
        raise BadRequest("compare: A and B are the same study; name two, as `studies` lists them.")
    console.writable("--json", json)
    store = documents.open_with_example()
    ours, theirs = store.study(a), store.study(b)
    rows = views.prepared(store.rows([a, b]))
    found = comparing.compared(rows, ours, theirs, store.samples, store.answers, store.details, store.earlier)
    gate = None if fail_if_slower is None else compare_gate.judged(found, ours, theirs, fail_if_slower)
    if gate is not None and found.judged.empty and gate.unmeasured.empty:
        raise BadRequest(
            "--fail-if-slower: no variant was timed in both studies under the same condition, so nothing can be said; "
            "run both with the same options."
        )
    _print(found, ours, theirs, gated=gate is not None)
    if json:
        document: dict[str, Any] = {"a": _study(ours), "b": _study(theirs), "differs": compare_words.told(ours, theirs)}
        document |= {"rows": _records(found.rows), "only_a": _records(found.only_a), "only_b": _records(found.only_b)}
        document |= {"fail_if_slower_pct": fail_if_slower, "failed": None, "not_judged": None, "exit_code": None}
        if gate is not None:
            document |= {"failed": compare_gate.failed(gate), "not_judged": compare_gate.not_judged(gate)}
            document |= {"exit_code": gate.exit_code}
        console.write_json(json, document)
    if gate is not None:
        for sentence in compare_gate.told(gate):
            console.say(sentence)
        sys.exit(gate.exit_code)


def _print(found: Compared, a: StudyRecord, b: StudyRecord, *, gated: bool) -> None:
    """`gated`: what A alone measured is told by the gate."""
    from efficiency.analysis import compare_words, wording

    for side, study in (("A", a), ("B", b)):
        console.say(f"{side}: {study.name or study.id}, recorded {study.recorded_at}, {study.id}.")
    for sentence in (*compare_words.told(a, b), *compare_words.found_beside(found.rows)):
        console.say(sentence)
    shown = compare_words.table(found.rows)
    shown = shown[shown["B against A"] != ""]
    if len(shown):
        columns = [name for name in COLUMNS if name in shown]  # some are left out where they are empty
        shown = shown.assign(**{name: shown[name].map(wording.number) for name in columns if name in P99})
        console.table("B against A", columns, shown[columns].itertuples(index=False))
    for side, other, only in (("A", "B", found.only_a), ("B", "A", found.only_b)):
        if len(only) and not (gated and side == "A"):
            told = compare_words.only(only, other)
            console.table(f"Measured in {side} only", list(told.columns), told.itertuples(index=False))
    console.say(compare_words.summary(found))
    if len(found.judged):
        console.say(compare_words.CAUTION)


def _study(study: StudyRecord) -> dict[str, Any]:
    return {
        "id": study.id, "name": study.name, "recorded_at": study.recorded_at, "torch_version": study.torch_version,
        "version": study.version, "machine": study.machine.get("label"),
    }  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dictionary a row, ready for JSON: unknown is null."""
    return [
        {str(name): None if pd.isna(value) or value == "" else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
