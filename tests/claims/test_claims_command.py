"""`claims` as a user has it: what it prints, its document, and that `--run` measures what is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
import world

from efficiency import claims, console
from efficiency.claims import CLAIMS, asking, kinds, plan
from efficiency.claims.base import Judged, Need, judged
from efficiency.cli import claims as command
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Variant


def test_table_and_document(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    world.fill(store, this_machine(), world.holding, [Need("lstm-classifier", variants=(Variant(("dynamic-int8",)),))])
    command.claims_(run=False, json="-")
    told = capsys.readouterr()
    document = json.loads(told.out.splitlines()[-1])
    assert [claim["key"] for claim in document["claims"]] == list(CLAIMS)
    assert document["machine"]["key"] == this_machine().key
    assert 0 < document["missing_s"] < document["missing_most_s"], "Replicates are added while intervals are wide."
    fits = next(claim for claim in document["claims"] if claim["key"] == "dynamic-fits")
    assert 0 < fits["missing_s"] < document["missing_s"], "The transformer is missing yet."
    case = next(case for case in fits["cases"] if case["workload"] == "lstm-classifier")
    assert case["verdict"] == fits["verdict"] == "holds"
    assert case["figure"]["low"] < 2.4 < case["figure"]["high"]
    (row,) = store.rows([case["rows"][0]["study_id"]]).query("row_id == @case['rows'][0]['row_id']").to_dict("records")
    assert row["variant"] == "dynamic-int8"
    (kind,) = document["kinds"]
    assert (kind["workload"], kind["variant"], kind["row_id"]) == ("lstm-classifier", "dynamic-int8", row["row_id"])
    assert (kind["prepare_s"], kind["data_rows"]) == (0.2, 0)
    assert kind["speedup_ci_low"] < 2.4 < kind["speedup_ci_high"]


def test_printed_for_people(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(console, "say", said.append)
    command.claims_(run=False, json=None)
    assert said[0].startswith(claims.ARTICLE)
    assert sum(claim.says in line for claim in CLAIMS.values() for line in said) == len(CLAIMS)
    assert any(line.startswith("Of 19 claims ") and "not measured yet" in line for line in said)
    assert kinds.NOTHING in said
    assert said[-1].startswith("`python -m efficiency claims --run` measures what is missing: ")
    assert "drift of transformer-encoder" in said[-1]
    assert re.search(r"\d studies, about \d+ .+ to \d+ .+ in all;", said[-1])


def test_the_three_kinds_are_printed_with_their_figures(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: dict[str, list[list[object]]] = {}
    monkeypatch.setattr(console, "table", lambda title, columns, rows: printed.update({title: [*map(list, rows)]}))
    variants = tuple(Variant((key,)) for key in ("dynamic-int8", "static-int8", "qat-int8"))
    world.fill(store, this_machine(), world.holding, [Need("transformer-encoder", variants=variants)])
    command.claims_(run=False, json=None)
    lines = printed[kinds.CAPTION]
    assert [line[:2] for line in lines] == [
        ["Transformer", "Dynamic INT8"], ["Transformer", "Static INT8"], ["Transformer", "QAT INT8"],
    ]  # fmt: skip
    assert [line[-2:] for line in lines] == [["0.200 s", "none"], ["3.00 s", "512 rows"], ["30.0 s", "2,048 rows"]]


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(store: Store) -> None:
    with pytest.raises(BadRequest, match="--json"):
        command.claims_(run=True, json="/nowhere/at/all.json")
    assert store.studies().empty


def test_run_measures_what_is_missing_and_judges_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One claim on one workload, with little effort: real rows, and then a verdict that rests on them."""
    world.peaks(this_machine())
    effort = Effort(50, 32, 32, replicates=2, seconds_per_replicate=0.1)
    monkeypatch.setattr(asking, "EFFORT", effort)
    need = Need("vision-small-cnn", Condition(), asking.variants("channels-last"))
    claim = replace(CLAIMS["channels-last"], judge=lambda here: [
        asking.ask(here, "Small CNN", need, asking.faster("channels-last"))
    ])  # fmt: skip

    def only_one(here: claims.Here) -> list[Judged]:
        return [judged(claim, here)]

    monkeypatch.setattr(claims, "judge_all", only_one)
    command.claims_(run=True, json=None)
    (found,) = only_one(claims.read(store, this_machine()))
    assert found.verdict in ("holds", "does-not-hold", "unresolved")
    assert found.cases[0].figure is not None
    assert list(store.studies()["status"]) == ["done"]
    assert plan.missing([found]) == []
    command.claims_(run=True, json=None)
    assert len(store.studies()) == 1, "Nothing is missing any more."
