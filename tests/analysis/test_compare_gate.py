"""What fails a gate: what got slower, and what was to be measured and was not; a slower baseline is only told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic

from efficiency.analysis import compare, compare_gate, views
from efficiency.analysis.compare_gate import Gate
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import BASELINE, plan_preset

LSTM, TRANSFORMER = "lstm-classifier", "transformer-encoder"
QUICK = plan_preset("quick", this_machine())


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


def gate(store: Store, a: str, b: str, percent: float = 5) -> Gate:
    frame = views.prepared(store.rows([a, b]))
    records = store.study(a), store.study(b)
    found = compare.compared(frame, *records, store.samples, store.answers, store.details, store.earlier)
    return compare_gate.judged(found, *records, percent)


def again(
    store: Store, change: Callable[[dict[str, Any]], dict[str, Any] | None], status: str = "done", **asked: Any
) -> str:
    """A study of the same kind, its rows' columns as `change` has them; a row of which it makes None is not there."""
    document = documents.to_json(store, synthetic.fill(store, seed=1))
    rows = [(row, change(row["columns"])) for row in document["rows"]]
    document["rows"] = [row | {"columns": row["columns"] | columns} for row, columns in rows if columns is not None]
    name = f"Again, {status}, with other {', '.join(asked) or 'nothing'}"  # within one second it could be the same
    document["study"] |= {"status": status, "asked": document["study"]["asked"] | asked, "name": name, "command": name}
    return documents.from_json(store, document)


def of(columns: dict[str, Any], workload: str, variant: str) -> bool:
    return (columns["workload"], columns["variant"]) == (workload, variant)


def test_a_variant_that_failed_in_b_fails(store: Store) -> None:
    a, b = synthetic.fill(store, fail=()), synthetic.fill(store, seed=1, fail=("dynamic-int8",))
    found = gate(store, a, b)
    assert found.fails
    assert [(row["workload"], row["variant"]) for row in compare_gate.failed(found)] == [(TRANSFORMER, "dynamic-int8")]
    assert compare_gate.told(found)[-2:] == [
        f"Measured in A and not in B: {TRANSFORMER}, CPU, batch 1, 1 thread, dynamic-int8: failed: The process ran out "
        "of memory and was ended.",
        "Failed: 1 not measured.",
    ]
    assert not gate(store, b, a).fails, "What A did not measure is nobody's loss."


def test_a_heat_whose_baseline_failed_fails_though_it_never_knew_its_padding(store: Store) -> None:
    failed = {"status": "failed", "reason": "There is no such data set.", "padding_pct": None}
    b = again(store, lambda columns: failed if columns["workload"] == LSTM else {})
    found = gate(store, synthetic.fill(store), b)
    assert found.fails
    assert {row["workload"] for row in compare_gate.failed(found)} == {LSTM}
    assert {"baseline", "dynamic-int8"} <= {row["variant"] for row in compare_gate.failed(found)}


def test_what_b_did_not_ask_for_is_named_and_fails_nothing(store: Store) -> None:
    b = synthetic.fill(store, replace(QUICK, workloads=(LSTM,)), seed=1)
    found = gate(store, synthetic.fill(store), b)
    assert not found.fails
    assert compare_gate.failed(found) == []
    named = [sentence for sentence in compare_gate.told(found) if sentence.startswith("Not compared: ")]
    assert [sentence.split(": ")[1].split(",")[0] for sentence in named] == ["vision-small-cnn", TRANSFORMER]
    assert all(sentence.endswith("(not asked).") for sentence in named)
    assert "dynamic-int8" in named[-1]


def test_what_does_not_apply_in_b_is_named_with_the_reason(store: Store) -> None:
    reason = {"status": "not-applicable", "reason": "It needs a package that is not installed."}
    b = again(store, lambda columns: reason if of(columns, LSTM, "dynamic-int8") else {})
    found = gate(store, synthetic.fill(store), b)
    assert not found.fails
    named, outcome = compare_gate.told(found)
    assert "dynamic-int8 (not-applicable: It needs a package that is not installed)." in named
    assert outcome.startswith("Passed: of ")


def test_what_an_unfinished_study_never_came_to_fails_where_it_was_asked_for(store: Store) -> None:
    def without(columns: dict[str, Any]) -> dict[str, Any] | None:
        return None if of(columns, LSTM, "dynamic-int8") else {}

    a = synthetic.fill(store)
    found = gate(store, a, again(store, without, "interrupted"))
    assert [(row["workload"], row["variant"]) for row in compare_gate.failed(found)] == [(LSTM, "dynamic-int8")]
    assert "the study is interrupted" in compare_gate.told(found)[-2]
    others = [variant for variant in QUICK.as_dict()["variants"] if variant["techniques"] != ("dynamic-int8",)]
    assert not gate(store, a, again(store, without, "cancelled", variants=others)).fails
    assert not gate(store, a, again(store, without)).fails


def test_what_was_timed_too_little_is_named(store: Store) -> None:
    unknown = dict.fromkeys(("speedup", "speedup_ci_low", "speedup_ci_high", "speed_verdict"))
    b = again(store, lambda columns: unknown if of(columns, LSTM, "dynamic-int8") else {})
    found = gate(store, synthetic.fill(store), b)
    assert not found.fails
    named, _ = compare_gate.told(found)
    assert named == f"Not compared: {LSTM}, CPU, batch 1, 1 thread: dynamic-int8 (timed too little for an interval)."


def test_a_baseline_that_got_slower_is_told_and_fails_nothing(store: Store) -> None:
    a, b = synthetic.fill(store), synthetic.fill(store, seed=1, slower=1.5)
    found = gate(store, a, b)
    assert not found.fails
    *told, outcome = compare_gate.told(found)
    assert outcome.startswith("Passed: ")
    assert len(told) == 3
    for workload, sentence in zip(QUICK.workloads, told, strict=True):
        assert sentence.startswith("The baseline itself takes ")
        assert f" % longer in B: {workload}, CPU, batch 1, 1 thread: " in sentence
        assert "Speed-ups do not show that" in sentence
    assert len(compare_gate.told(gate(store, a, b, percent=70))) == 1
    assert len(compare_gate.told(gate(store, b, a))) == 1, "It got faster."
    document = documents.to_json(store, b)
    document["study"]["machine"] |= {"cpu_model": "Other", "key": "other"}
    told = compare_gate.told(gate(store, a, documents.from_json(store, document)))
    assert len(told) == 1, "Another machine's latency."
    assert told[0].endswith("; by speed-ups alone, since the two are not known to have run on one machine.")


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        ("a", "two runs on one machine may differ by as much. Run both again to be sure."),
        ("b", "the machine was disturbed while B was timed. Run B again at a better moment."),
    ],
)
def test_a_baseline_that_got_slower_on_a_disturbed_machine_is_put_down_to_that(
    store: Store, busy: str, said: str
) -> None:
    ids = {"a": synthetic.fill(store), "b": synthetic.fill(store, seed=1, slower=1.5)}
    document = documents.to_json(store, ids[busy])
    document["study"]["id"] = "busy"
    for row in document["rows"]:
        if row["columns"]["variant"] == BASELINE:
            row["columns"] |= {"warnings": "busy-machine"}
    ids[busy] = documents.from_json(store, document)
    *told, _ = compare_gate.told(gate(store, ids["a"], ids["b"]))
    assert len(told) == 3
    for sentence in told:
        assert sentence.endswith(f"it fails nothing: {said}")


def test_studies_that_differ_in_nothing_alarm_nobody(store: Store) -> None:
    a = synthetic.fill(store)
    for seed in range(1, 9):
        found = gate(store, a, synthetic.fill(store, seed=seed))
        assert found.exit_code == 0
        (outcome,) = compare_gate.told(found)
        assert outcome.startswith(
            f"Passed: of {len(found.compared.judged)} variants none is surely slower by more than 5 %"
        )


def test_what_looks_slower_on_a_disturbed_machine_neither_passes_nor_fails(store: Store) -> None:
    def slow(columns: dict[str, Any], warnings: str) -> dict[str, Any]:
        if not of(columns, LSTM, "dynamic-int8"):
            return {}
        speeds = ("speedup", "speedup_ci_low", "speedup_ci_high")
        return {name: columns[name] / 2 for name in speeds} | {"warnings": warnings}

    a = synthetic.fill(store)
    busy = again(store, lambda columns: slow(columns, "busy-machine"))
    found = gate(store, a, busy)
    assert (found.fails, found.exit_code) == (False, compare_gate.NOT_JUDGED)
    assert compare_gate.failed(found) == []
    named, outcome = compare_gate.told(found)
    assert named.startswith(f"Can't tell, the machine was disturbed: {LSTM}, CPU, batch 1, 1 thread, dynamic-int8: ")
    assert named.endswith(", B disturbed.")
    assert outcome.startswith("Not passed: 1 looks slower by more than 5 %")
    assert [row["variant"] for row in compare_gate.not_judged(found)] == ["dynamic-int8"]
    lenient = gate(store, a, busy, percent=300)
    assert lenient.exit_code == 0, "It does not look that slow."
    others = list(lenient.undisturbed["verdict"]).count("unresolved")
    assert compare_gate.told(lenient)[-1].endswith(
        f"; {others} of them unresolved; 1 not judged, since the machine was disturbed."
    )
    quiet = gate(store, a, again(store, lambda columns: slow(columns, "test-subset"), preset="article"))
    assert (quiet.exit_code, compare_gate.told(quiet)[-1]) == (1, "Failed: 1 slower by more than 5 %.")


def test_what_is_no_regression_on_a_quiet_machine_is_none_on_a_busy_one(store: Store) -> None:
    """Within the noise floors, though its whole interval lies beyond what is asked for."""

    def hardly(columns: dict[str, Any], warnings: str) -> dict[str, Any]:
        if not of(columns, LSTM, "dynamic-int8"):
            return {"noise_floor_pct": 30.0}
        ends = {
            f"speedup{end}": columns["speedup"] / 1.1 * wide
            for end, wide in (("", 1), ("_ci_low", 0.99), ("_ci_high", 1.01))
        }
        return ends | {"warnings": warnings, "noise_floor_pct": 30.0}

    a = synthetic.fill(store)
    quiet = gate(store, a, again(store, lambda columns: hardly(columns, "test-subset")), percent=1)
    busy = gate(store, a, again(store, lambda columns: hardly(columns, "busy-machine"), preset="article"), percent=1)
    assert (quiet.exit_code, busy.exit_code) == (0, 0)


def test_where_all_was_disturbed_nothing_passes(store: Store) -> None:
    found = gate(store, synthetic.fill(store), again(store, lambda _: {"warnings": "cpu-stolen"}))
    assert found.exit_code == compare_gate.NOT_JUDGED
    assert compare_gate.told(found)[-1].startswith(
        "Not passed: every variant was timed while the machine was disturbed"
    )


def test_a_gate_that_passes_says_how_much_it_could_not_tell(store: Store) -> None:
    def wide(columns: dict[str, Any]) -> dict[str, Any]:
        own = of(columns, LSTM, "dynamic-int8")
        return {"speedup_ci_low": columns["speedup"] / 1.4, "speedup_ci_high": columns["speedup"] * 1.4} if own else {}

    (outcome,) = compare_gate.told(gate(store, synthetic.fill(store), again(store, wide)))
    assert outcome.startswith("Passed: of ")
    assert "unresolved" in outcome
