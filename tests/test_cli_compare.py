"""`compare` and `export` as a user has them: exit codes, sentences and documents; in this process, which is quicker."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic

from efficiency.cli import main
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import Variant, plan_preset

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command; gives its exit code and what it printed, whatever the width of a terminal."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["efficiency", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, " ".join(f"{printed.out} {printed.err}".split())

    return command


def test_a_regression_fails_the_gate_and_noise_does_not(
    store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, same = synthetic.fill(store, name="Main"), synthetic.fill(store, name="Same", seed=1)
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"dynamic-int8": (2.4 / 1.3, 0.002, 3.7)})
    worse = synthetic.fill(store, name="Worse", seed=2)
    code, _, said = ask("compare", a, same, "--fail-if-slower", "5")
    assert code == 0, said
    code, out, said = ask("compare", a, worse, "--fail-if-slower", "5", "--json", "-")
    assert code == 1
    assert "Slower by more than 5 %: lstm-classifier, CPU, batch 1, 1 thread, dynamic-int8: 1.3" in said
    document = json.loads(out.splitlines()[-1])
    assert {(row["workload"], row["variant"]) for row in document["failed"]} == {
        ("lstm-classifier", "dynamic-int8"), ("transformer-encoder", "dynamic-int8"),
    }  # fmt: skip
    assert document["a"]["id"] == a
    assert {row["verdict"] for row in document["rows"] if row["variant"] == "baseline"} == {None}
    assert ask("compare", a, worse, "--fail-if-slower", "40")[0] == 0, "It is slower, but not by that much."
    code, _, said = ask("compare", a, worse)
    assert code == 0, "Without the option nothing fails."
    assert "2 slower" in said


def test_a_p99_has_as_many_figures_as_can_be_read(store: Store, ask: Ask) -> None:
    def known(seed: int) -> str:
        document = documents.to_json(store, synthetic.fill(store, seed=seed))
        for row in document["rows"]:
            row["columns"]["latency_ms_p99"] = 1.9094490000000002
        return documents.from_json(store, document)

    said = ask("compare", known(0), known(1))[2]
    assert " 1.91 " in said
    assert "1.909" not in said


def test_what_failed_in_b_fails_the_gate_and_what_was_not_asked_does_not(store: Store, ask: Ask) -> None:
    one = replace(plan_preset("quick", this_machine()), workloads=("transformer-encoder",))
    few = replace(one, variants=(Variant.of(["dynamic-int8"]),))
    a, b = synthetic.fill(store, one), synthetic.fill(store, one, seed=1, fail=("dynamic-int8", "qat-int8"))
    code, out, said = ask("compare", a, b, "--fail-if-slower", "5", "--json", "-")
    assert code == 1
    assert "Measured in A and not in B: transformer-encoder, CPU, batch 1, 1 thread, dynamic-int8: failed" in said
    (failed,) = json.loads(out.splitlines()[-1])["failed"]
    assert failed["variant"] == "dynamic-int8"
    assert failed["why"].startswith("failed: ")
    assert ask("compare", a, b)[0] == 0, "Without the option nothing fails."
    assert ask("compare", a, synthetic.fill(store, few, fail=("dynamic-int8",)), "--fail-if-slower", "5")[0] == 1, (
        "Nothing was timed in both, since all failed."
    )
    code, out, said = ask("compare", a, synthetic.fill(store, few), "--fail-if-slower", "5", "--json", "-")
    assert code == 0
    assert "Not compared: transformer-encoder, CPU, batch 1, 1 thread: " in said
    assert "Measured in A only" not in said, "Said once."
    assert "Measured in A only" in ask("compare", a, synthetic.fill(store, few))[2]
    assert json.loads(out.splitlines()[-1])["failed"] == []


def test_what_cannot_be_judged_has_an_exit_code_and_a_document_of_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a = synthetic.fill(store, name="Main")
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"dynamic-int8": (2.4 / 1.3, 0.002, 3.7)})
    document = documents.to_json(store, synthetic.fill(store, name="Busy", seed=2))
    for row in document["rows"]:
        if row["columns"]["variant"] == "dynamic-int8":
            row["columns"]["warnings"] = "busy-machine"
    busy = documents.from_json(store, document | {"study": document["study"] | {"id": "busy"}})
    monkeypatch.setattr(sys, "argv", ["efficiency", "compare", a, busy, "--fail-if-slower", "5", "--json", "-"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == 3
    (line,) = printed.out.splitlines()
    told = json.loads(line)
    assert (told["failed"], told["exit_code"]) == ([], 3)
    assert {row["workload"] for row in told["not_judged"]} == {"lstm-classifier", "transformer-encoder"}
    assert "Not passed: 2 look slower by more than 5 %" in " ".join(printed.err.split())
    monkeypatch.setattr(sys, "argv", ["efficiency", "compare", a, busy])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    assert "B against A" in printed.out
    assert printed.err == ""


def test_a_slower_baseline_is_said_where_the_gate_is_passed(store: Store, ask: Ask) -> None:
    a, b = synthetic.fill(store), synthetic.fill(store, seed=1, slower=1.5)
    code, _, said = ask("compare", a, b, "--fail-if-slower", "5")
    assert code == 0
    assert said.count("Speed-ups do not show that, and it fails nothing") == 3


def test_what_cannot_be_compared_is_bad_usage(store: Store, ask: Ask) -> None:
    a = synthetic.fill(store)
    empty = store.add_study({}, name="", machine={}, command="")
    for arguments, sentence in (
        ((a, a), "A and B are the same study"),
        ((a, "nothing"), "Unknown study 'nothing'"),
        ((a, empty, "--fail-if-slower", "-1"), "name a percentage from 0 up"),
        ((a, empty, "--fail-if-slower", "5"), "no variant was timed in both"),
    ):
        code, _, said = ask("compare", *arguments)
        assert code == 2
        assert sentence in said
    code, _, said = ask("compare", a, empty)
    assert code == 0
    assert "nothing to compare" in said


def test_export_writes_reports(store: Store, ask: Ask, tmp_path: Path) -> None:
    id = synthetic.fill(store)
    files = {option: tmp_path / f"study.{option}" for option in ("html", "md", "parquet")}
    code, _, said = ask("export", id, *(word for o, file in files.items() for word in (f"--{o}", str(file))))
    assert code == 0, said
    assert files["html"].read_text().startswith("<!DOCTYPE html>")
    assert files["md"].read_text().startswith("## ")
    assert files["parquet"].read_bytes()[:4] == b"PAR1"
    code, _, said = ask("export", id)
    assert (code, "--html FILE" in said) == (2, True)
