"""The command line as a user has it: real processes, their exit codes and what they print."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import peaks
import pytest
import synthetic
from commands import Forked, Said, efficiency, surroundings
from rich.console import Console
from typer.testing import CliRunner

from efficiency import confirm, console, paths
from efficiency.analysis import views
from efficiency.cli.app import app
from efficiency.condition import Condition
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.columns import COLUMNS, STATUSES
from efficiency.results.store import Store
from efficiency.study import Variant, plan_preset
from efficiency.techniques import TECHNIQUES, matrix
from efficiency.workloads import WORKLOADS

STEADY = str(Path(__file__).parent / "engine" / "moody_workload.py") + ":steady"
BROKEN = STEADY.replace(":steady", ":broken")


@pytest.fixture(scope="module")
def forked() -> Iterator[Forked]:
    found = Forked()
    yield found
    found.close()


# What can be asked without measuring.


def test_the_machine(forked):
    document = forked("machine", "--no-ceiling", "--json", "-").document
    assert 0 < document.pop("memory_free_mb") <= document["memory_mb"]
    assert document.pop("ceiling") is None
    assert document == json.loads(json.dumps(this_machine().as_dict()))
    shown = efficiency("machine")
    assert shown.code == 0
    assert document["cpu_model"] in shown.out
    assert "FP32 matrix product" in shown.out
    assert shown.err == ""


def test_the_workloads_and_the_techniques(forked):
    assert [w["key"] for w in forked("list", "workloads", "--json", "-").document["workloads"]] == list(WORKLOADS)
    techniques = efficiency("list", "techniques", "--json", "-").document["techniques"]
    assert [t["key"] for t in techniques] == list(TECHNIQUES)
    for technique in techniques:
        assert list(technique["workloads"]) == list(WORKLOADS)
        assert all(word == "yes" or word.endswith(".") for word in technique["workloads"].values())
    reasons = {t["key"]: t["workloads"] for t in techniques}
    assert reasons["inference-mode"]["lstm-classifier"] == "yes"
    assert reasons["channels-last"]["lstm-classifier"] != "yes"
    conflicts = {t["key"]: set(t["conflicts"]) for t in techniques}
    assert {"static-int8", "amp-bf16", "fast-path"} <= conflicts["dynamic-int8"]
    assert "inference-mode" not in conflicts["dynamic-int8"]
    assert all(key in conflicts[other] for key, others in conflicts.items() for other in others)
    training = forked("list", "techniques", "--phase", "training", "--json", "-").document["techniques"]
    serving = {t["key"] for t in training if "training" in t["phases"]}
    assert serving == {key for key, technique in TECHNIQUES.items() if technique.training}
    assert {t["key"] for t in training if "yes" in t["workloads"].values()} <= serving
    for what in ("workloads", "techniques"):
        shown = forked("list", what)
        assert shown.code == 0
        assert all(name in shown.out for name in (WORKLOADS if what == "workloads" else TECHNIQUES))


def test_the_matrix_is_readable_at_100_columns(monkeypatch):
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=100))
    found = matrix.of(Condition(), this_machine())
    console.matrix(found)
    lines = printed.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    for row in found.rows:
        (line,) = (line for line in lines if line.startswith(f"{row.technique.key} "))
        assert line.split() == [
            row.technique.key, row.technique.stage.value, row.technique.api_status, *found.cells(row),
        ]  # fmt: skip
    below = " ".join(printed.getvalue().split())
    for number, reason in enumerate(found.reasons, start=1):
        assert below.count(f" {number} {reason}") == 1
    words = {word for line in lines for word in line.split()}
    assert all(part in words for key in WORKLOADS for part in key.replace("-", "- ").split())


def test_the_techniques_on_a_gpu_can_be_listed_anywhere():
    asked = CliRunner().invoke(app, ["list", "techniques", "--device", "cuda", "--json", "-"])
    reasons = {t["key"]: t["workloads"] for t in json.loads(asked.stdout.splitlines()[-1])["techniques"]}
    assert reasons["amp-fp16"]["lstm-classifier"] == "yes"
    assert reasons["onnxruntime"]["lstm-classifier"].endswith("on CUDA use torch-compile.")
    expected = matrix.of(Condition(device="cuda"), this_machine())
    assert reasons == {row.technique.key: {k: why or "yes" for k, why in row.why_not.items()} for row in expected.rows}
    shown = " ".join(CliRunner().invoke(app, ["list", "techniques", "--device", "cuda"]).stdout.split())
    assert ("where CUDA is not available" in shown) == bool(this_machine().why_no_cuda)


def test_what_is_deprecated_is_listed_with_its_successor(monkeypatch):
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=100))
    console.matrix(matrix.of(Condition(), this_machine()))
    below = " ".join(printed.getvalue().split("Deprecated, and the successor here:")[1].split())
    for technique in TECHNIQUES.values():
        assert (technique.api_status == "deprecated") == (f"{technique.key}: {technique.successor}" in below)


@pytest.mark.skipif(shutil.which("make") is None, reason="There is no make.")
def test_runtimes_that_were_left_out_are_installed_by_a_later_make_app(tmp_path):
    shutil.copy(paths.PROJECT / "Makefile", tmp_path)
    stamps = tmp_path / ".venv"
    (stamps / "bin").mkdir(parents=True)
    for file in ("requirements.txt", "requirements-runtimes.txt", ".venv/bin/pip", ".venv/.ready"):
        (tmp_path / file).touch()

    def planned(*arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "RUNTIMES")}
        command = ["make", "--dry-run", "app", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert "streamlit run app.py" in done.stdout
        return done.stdout

    assert "pip install" not in planned("RUNTIMES=0")
    assert "-r requirements-runtimes.txt" in planned()
    (stamps / ".ready-runtimes").touch()
    assert "pip install" not in planned()


def test_the_example_is_there_before_the_app_was_opened_and_once_deleted_says_what_to_do(forked):
    shipped = documents.read_file(paths.EXAMPLE)["study"]
    shown = efficiency("show", shipped["id"])
    assert shown.code == 0
    assert shipped["machine"]["label"] in shown.out
    (listed,) = forked("studies", "--json", "-").document["studies"]
    assert (listed["id"], listed["example"]) == (shipped["id"], True)
    with Store.open() as store:
        store.delete(shipped["id"])
    assert forked("studies", "--json", "-").document == {"studies": []}
    assert "efficiency run" in forked("studies").out


def test_what_shows_no_stored_study_opens_no_database(home):
    for command in (["list", "techniques"], ["machine", "--no-ceiling"], ["cache"]):
        assert CliRunner().invoke(app, command).exit_code == 0
    assert not (home / "efficiency.db").exists()


def test_help_names_every_command():
    shown = efficiency("--help")
    assert shown.code == 0
    for command in (
        "machine",
        "list",
        "run",
        "train",
        "studies",
        "show",
        "export",
        "cache",
        "artefact",
        "compare",
        "layers",
    ):
        assert command in shown.out


# A real run.


@dataclass(frozen=True)
class Run:
    """A small study that was run, and where."""

    said: Said
    folder: Path
    environment: dict[str, str]
    forked: Forked

    def ask(self, *arguments: str) -> Said:
        return self.forked(*arguments, environment=self.environment)

    def ask_anew(self, *arguments: str) -> Said:
        """In an interpreter of its own."""
        return efficiency(*arguments, environment=self.environment)

    @property
    def study_id(self) -> str:
        return str(self.said.document["study"]["id"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, forked: Forked) -> Run:
    folder = tmp_path_factory.mktemp("run")
    environment = surroundings(folder)
    arguments = ["run", "--workload", STEADY, "--technique", "dynamic-int8", "--combine", "inference-mode+dynamic-int8"]
    arguments += [
        "--technique",
        "channels-last",
        "--batch-size",
        "4",
        "--budget",
        "20",
        "--seed",
        "7",
        "--tolerance",
        "1.5",
        "--equivalence",
        "3",
        "--name",
        "Mine, today",
    ]
    said = efficiency(*arguments, "--csv", str(folder / "rows.csv"), "--json", "-", environment=environment)
    return Run(said, folder, environment, forked)


def test_a_run_ends_well_and_prints_its_document_last(run):
    assert run.said.code == 0, run.said.err
    document = run.said.document
    assert document["study"]["status"] == "done"
    assert document["study"]["asked"]["seed"] == 7
    assert document["study"]["asked"]["tolerance_pp"] == 1.5
    assert document["study"]["asked"]["equivalence_pct"] == 3.0
    assert document["study"]["name"] == "Mine, today"
    assert "run --workload" in document["study"]["command"]
    assert [row["columns"]["status"] for row in document["rows"]] == ["done", "done", "done", "not-applicable", "done"]
    assert len(document["rows"][0]["samples"]["ns"]) > 0
    assert len(document["rows"][0]["answers"]["labels"]) == 400
    assert "Traceback" not in run.said.err


def test_every_timed_row_says_what_share_of_the_ceiling_it_reaches(run):
    timed = {row["columns"]["variant"]: row for row in run.said.document["rows"] if row["samples"]}
    works = {variant: row["details"]["work"] for variant, row in timed.items()}
    assert {variant: work["arithmetic"] for variant, work in works.items()} == {
        "baseline": "fp32",
        "control": "fp32",
        "dynamic-int8": "int8",
        "dynamic-int8+inference-mode": "int8",
    }
    for variant, row in timed.items():
        attained = 100 * works[variant]["ms"] / row["columns"]["latency_ms_p50"]
        assert 0 < row["columns"]["ceiling_pct"] == pytest.approx(attained)
        assert row["columns"]["noise_floor_pct"] >= 0
    assert works["baseline"]["operations"] == works["dynamic-int8"]["operations"] > 0
    assert works["baseline"]["bytes"] > works["dynamic-int8"]["bytes"]
    assert "dynamic-int8" in run.said.err


def test_the_csv_has_exactly_the_contracts_columns(run):
    text = (run.folder / "rows.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert [row["variant"] for row in rows] == [
        "baseline", "control", "dynamic-int8", "channels-last", "dynamic-int8+inference-mode",
    ]  # fmt: skip
    assert rows[-1]["techniques"] == "dynamic-int8+inference-mode"
    for row in rows:
        assert row["status"] in STATUSES
        assert (row["status"] == "done") == (row["reason"] == "")
        assert (row["study"], row["workload"], row["batch_size"]) == (run.study_id, "steady-mlp", "4")
        assert not {"nan", "None", "NaN"} & set(row.values())
        assert (row["energy_mj"] == "") == (row["energy_source"] == "")
        assert row["energy_mj"] != "0"  # An unknown is empty, never 0.
    baseline, control = rows[0], rows[1]
    assert (baseline["speedup"], baseline["speed_verdict"], baseline["size_ratio"]) == ("1", "same", "1")
    assert (control["on_pareto_front"], control["accuracy_pct"]) == ("false", "")
    assert float(rows[2]["size_ratio"]) > 2
    assert rows[2]["took_effect"] == "yes"


def test_what_is_exported_later_is_the_same(run):
    target = run.folder / "again.csv"
    files = ("--csv", str(target), "--json", str(run.folder / "again.json"))
    assert run.ask_anew("export", run.study_id, *files).code == 0
    assert target.read_bytes() == (run.folder / "rows.csv").read_bytes()
    assert json.loads((run.folder / "again.json").read_text()) == run.said.document
    assert run.ask("export", run.study_id, "--csv", "-").out == target.read_text()


def test_it_is_listed_and_shown(run):
    listed, example = run.ask_anew("studies", "--json", "-").document["studies"]
    assert (listed["example"], example["example"]) == (False, True)
    assert (listed["id"], listed["status"], listed["rows"]) == (run.study_id, "done", 4)
    assert run.study_id in run.ask("studies").out
    assert run.ask("show", run.study_id, "--json", "-").document == run.said.document
    shown = run.ask("show", run.study_id)
    assert shown.code == 0
    assert "steady-mlp, CPU, batch 4, 1 thread" in shown.out
    columns = [row["columns"] for row in run.said.document["rows"]]
    claims = [one for one in columns if one["speed_verdict"] and one["variant"] not in ("baseline", "control")]
    assert {line.split()[-1].rstrip(".") for line in _told_why(shown)} == {
        one["variant"] for one in claims if one["speed_verdict"] != "faster"
    }


def _told_why(shown: Said) -> list[str]:
    """`- workload, condition: variant`, of each row that is said not to be faster."""
    return [line.split(". ")[0] for line in shown.out.splitlines() if line.startswith("- steady-mlp, CPU")]


def test_what_onednn_ran_is_kept_of_every_probed_row(run):
    kept = {row["columns"]["variant"]: row["details"].get("kernels") for row in run.said.document["rows"]}
    assert {variant for variant, ran in kept.items() if ran} == {
        "baseline", "dynamic-int8", "dynamic-int8+inference-mode",
    }  # fmt: skip
    assert kept["baseline"]["cpu_capability"]


def test_what_was_prepared_can_be_taken_along_until_the_cache_is_cleared(run, tmp_path):
    told = run.ask_anew("cache", "--json", "-").document
    assert told["preparations"] == 3  # the baseline and two variants
    assert 0 < told["size_mb"] < 1e3 * told["limit_gb"]
    file = tmp_path / "taken.zip"
    artefact = ("artefact", run.study_id, "dynamic-int8+inference-mode", "--file", str(file))
    assert run.ask_anew(*artefact).code == 0
    with zipfile.ZipFile(file) as packed:
        assert "rebuilt from the FP32 weights" in packed.read("README.txt").decode()
    refused = run.ask("artefact", run.study_id, "channels-last", "--file", str(file))
    assert refused.code == 2
    assert "Nothing was prepared: " in refused.sentence
    assert "Did you mean 'dynamic-int8'?" in run.ask("artefact", run.study_id, "dynamic-in8", "--file", "-").sentence
    assert "Removed 3 preparations" in run.ask("cache", "--clear").out
    assert run.ask("cache", "--json", "-").document["size_mb"] == 0
    assert "make it anew with `python -m efficiency run --workload" in run.ask(*artefact).sentence


def test_what_a_warning_means_is_said_below_the_rows(run):
    warned = {key for row in run.said.document["rows"] for key in (row["columns"]["warnings"] or "").split(";") if key}
    for said in (run.said, run.ask("show", run.study_id)):
        told = (said.out + said.err).splitlines()
        assert {line.split(":")[0] for line in told if "(steady-mlp: " in line} == warned


def test_an_exported_study_is_imported_unchanged(run, tmp_path):
    from efficiency.results import documents

    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as store:
        document = run.said.document
        assert documents.to_json(store, documents.from_json(store, document)) == document


def test_a_study_of_which_nothing_could_be_measured_ends_with_one(tmp_path, monkeypatch):
    environment = surroundings(tmp_path)
    monkeypatch.setenv("EFFICIENCY_HOME", environment["EFFICIENCY_HOME"])
    peaks.known()
    said = efficiency(
        *("run", "--workload", BROKEN, "--technique", "inference-mode", "--json", "-"), environment=environment
    )
    assert said.code == 1
    document = json.loads(said.out.splitlines()[-1])
    assert document["study"]["status"] == "failed"
    assert "This model never works (line " in document["study"]["message"]
    assert "Traceback" not in said.err


def test_a_long_path_for_temporary_files_is_told(tmp_path):
    long = tmp_path / ("deep" * 25)
    long.mkdir()
    said = efficiency(
        *("run", "--workload", BROKEN, "--technique", "inference-mode", "--json", "-"),
        environment=surroundings(tmp_path) | {"TMPDIR": str(long)},
    )
    assert said.code == 1
    assert "set TMPDIR to a shorter one" in json.loads(said.out.splitlines()[-1])["study"]["message"]
    assert "Traceback" not in said.err


# Bad input.


def _corrupt(folder: Path) -> dict[str, str]:
    environment = surroundings(folder)
    (folder / "home" / "efficiency.db").write_bytes(b"This is not a database at all. " * 100)
    return environment


def _foreign(folder: Path) -> dict[str, str]:
    environment = surroundings(folder)
    with sqlite3.connect(folder / "home" / "efficiency.db") as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    return environment


def _newer(folder: Path) -> dict[str, str]:
    environment = surroundings(folder)
    path = folder / "home" / "efficiency.db"
    Store.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    connection.close()
    return environment


def _home_below_a_file(folder: Path) -> dict[str, str]:
    (folder / "file").write_text("")
    return surroundings(folder, EFFICIENCY_HOME=str(folder / "file" / "home"))


def _cut_off_checkpoint(folder: Path) -> dict[str, str]:
    environment = surroundings(folder)
    trained = folder / "home" / "trained"
    trained.mkdir()
    name = "vision-small-cnn.glyphs"
    shipped = paths.SHIPPED_CHECKPOINTS / f"{name}.safetensors"
    (trained / shipped.name).write_bytes(shipped.read_bytes()[:-1000])
    (trained / f"{name}.json").write_text(shipped.with_suffix(".json").read_text())
    return environment


TINY = ("run", "--workload", "vision-small-cnn", "--technique", "inference-mode")
BAD: dict[str, tuple[tuple[str, ...], tuple[str, ...], Any]] = {
    # What is asked, what the sentence holds, and how the surroundings are spoiled.
    "workload": (("run", "--workload", "lstm-clasifier"), ("--workload", "Did you mean 'lstm-classifier'?"), None),
    "technique": (("run", "--technique", "dynamic_int8"), ("--technique", "Did you mean 'dynamic-int8'?"), None),
    "combined technique": (("run", "--combine", "qat-int8+ampbf16"), ("--combine", "Did you mean 'amp-bf16'?"), None),
    "data set": ((*TINY, "--dataset", "fashion-mnits"), ("--dataset", "Did you mean 'fashion-mnist'?"), None),
    "combination": (("run", "--combine", "static-int8+dynamic-int8"), ("--combine", "choose one"), None),
    "half a combination": (
        ("run", "--combine", "inference-mode+", "--budget", "1"),
        ("--combine inference-mode+: a technique is missing beside a +; name one on either side of each.",),
        None,
    ),
    "nothing applies": (
        ("run", "--workload", "lstm-classifier", "--technique", "channels-last"),
        ("None of the techniques applies", "convolution"),
        None,
    ),
    "several at once": (
        ("run", "--technique", "nope", "--batch-size", "0", "--threads", "999"),
        ("--technique nope", "--batch-size", "--threads"),
        None,
    ),
    "a workload twice": (
        ("run", "--workload", STEADY, "--workload", STEADY.replace("/engine/", "/engine/../engine/")),
        ("--workload", "steady-mlp"),
        None,
    ),
    "length of images": ((*TINY, "--length", "32"), ("--length", "vision-small-cnn has no tokens"), None),
    "padding of images": ((*TINY, "--padding", "50"), ("--padding", "vision-small-cnn has no tokens"), None),
    "batch size": ((*TINY, "--batch-size", "0"), ("--batch-size", "not 0"), None),
    "batch size, no number": ((*TINY, "--batch-size", "many"), ("--batch-size", "integer"), None),
    "threads": ((*TINY, "--threads", "999"), ("--threads", "not 999"), None),
    "no threads": ((*TINY, "--threads", "0"), ("--threads", "not 0"), None),
    "padding": (("run", "--workload", "lstm-classifier", "--padding", "100"), ("--padding", "not 100"), None),
    "length": (("run", "--workload", "lstm-classifier", "--length", "100000"), ("--length", "not 100000"), None),
    "budget": ((*TINY, "--budget", "1"), ("--budget", "too small"), None),
    "budget, less than none": ((*TINY, "--budget", "-3"), ("--budget: choose more than 0 s, not -3.",), None),
    "budget, none": ((*TINY, "--budget", "nan"), ("--budget",), None),
    "budget, endless": ((*TINY, "--budget", "inf"), ("--budget",), None),
    "tolerance": ((*TINY, "--tolerance", "-1"), ("--tolerance", "at most 20 percentage points", "not -1"), None),
    "equivalence": ((*TINY, "--equivalence", "0"), ("--equivalence", "at most 50 percent", "not 0"), None),
    "precision": ((*TINY, "--precision", "0.01"), ("--precision", "0.1 percent or more", "not 0.01"), None),
    "precision, none": ((*TINY, "--precision", "nan"), ("--precision",), None),
    "tolerance, none": ((*TINY, "--tolerance", "nan"), ("--tolerance",), None),
    "seed": ((*TINY, "--seed", "-1"), ("--seed",), None),
    "preset": (("run", "--preset", "nope"), ("--preset", "quick"), None),
    "phase": ((*TINY, "--phase", "sleeping"), ("--phase", "training"), None),
    "phase of a technique": (
        (*TINY, "--phase", "training"),
        ("None of the techniques applies", "records no gradients"),
        None,
    ),
    "nothing to train on": (
        ("run", "--phase", "training", "--workload", STEADY.replace(":steady", ":untrainable")),
        ("--phase", "points has no split `train`"),
        None,
    ),
    "device": ((*TINY, "--device", "tpu"), ("--device", "cuda"), None),
    "option": ((*TINY, "--bach-size", "1"), ("--bach-size",), None),
    "csv in no folder": ((*TINY, "--csv", "/no/such/folder/x.csv"), ("--csv", "folder"), None),
    "csv that is a folder": ((*TINY, "--csv", "/tmp"), ("--csv", "is a folder"), None),
    "csv below a file": ((*TINY, "--csv", f"{__file__}/x.csv"), ("--csv",), None),
    "json in no folder": ((*TINY, "--json", "/no/such/folder/x.json"), ("--json", "folder"), None),
    "pickle": (("run", "--workload", "model.pt"), ("--workload", "model.pt is a pickle", "file.py:make"), None),
    "pickle with a function": (("run", "--workload", "model.pt:make"), ("is a pickle",), None),
    "no such file": (("run", "--workload", "no/such.py:make"), ("--workload", "no/such.py"), None),
    "no such function": (("run", "--workload", f"{__file__}:nope"), ("--workload", "nope"), None),
    "markup": (("run", "--workload", "[/red]"), ("Unknown workload '[/red]'",), None),
    "home": (("studies",), ("EFFICIENCY_HOME",), _home_below_a_file),
    "home, running": (TINY, ("EFFICIENCY_HOME",), _home_below_a_file),
    "corrupt database": (("studies",), ("not an SQLite database", "EFFICIENCY_DB"), _corrupt),
    "foreign database": (("studies",), ("another program's database", "EFFICIENCY_DB"), _foreign),
    "newer database": (("studies",), ("newer version", "format 99"), _newer),
    "database, running": (TINY, ("not an SQLite database",), _corrupt),
    "database address": (
        ("studies",),
        ("EFFICIENCY_DB is not a database URL",),
        lambda folder: surroundings(folder, EFFICIENCY_DB="garbage"),
    ),
    "study to show": (("show", "nope"), ("Unknown study 'nope'",), None),
    "study to export": (("export", "nope", "--csv", "-"), ("Unknown study 'nope'",), None),
    "export to nowhere": (("export", "nope"), ("--csv", "--json"), None),
    "list": (("list", "models"), ("workloads or techniques", "'models'"), None),
    "list of nothing": (("list",), ("choose workloads or techniques.",), None),
    "checkpoint": (TINY, ("--workload", "is broken", "efficiency train vision-small-cnn"), _cut_off_checkpoint),
    "training": (("train", "vision-smal-cnn"), ("Did you mean 'vision-small-cnn'?",), None),
    "training what is trained": (("train", STEADY), ("nothing to train",), None),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_a_sentence(forked, tmp_path, case):
    arguments, parts, spoiled = BAD[case]
    said = forked(*arguments, environment=(spoiled or surroundings)(tmp_path))
    assert said.code == 2, said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.sentence
    assert len(said.err.strip().splitlines()) == 1 or "Usage:" in said.err


@pytest.mark.skipif(bool(this_machine().gpus), reason="This machine has a GPU.")
def test_a_gpu_that_is_not_there_is_told(forked):
    said = forked(*TINY, "--device", "cuda")
    assert said.code == 2
    assert "--device: no CUDA GPU" in said.sentence


def test_all_problems_are_told_at_once(forked):
    said = forked(*TINY, "--batch-size", "0", "--threads", "999", "--seed", "-1", "--padding", "99")
    assert said.code == 2
    assert all(option in said.sentence for option in ("--batch-size", "--threads", "--seed", "--padding"))


def test_what_is_refused_leaves_nothing_behind(forked, tmp_path):
    environment = surroundings(tmp_path)
    said = forked(*TINY, "--batch-size", "0", "--csv", str(tmp_path / "x.csv"), environment=environment)
    assert said.code == 2
    assert not (tmp_path / "x.csv").exists()
    assert list((tmp_path / "home").iterdir()) == []


def test_a_study_without_rows_is_shown_without_the_notes_of_a_table():
    with Store.open() as store:
        message = "Cancelled before anything was measured."
        id = store.add_study({}, name="Mine", machine={}, command="", status="queued")
        store.set_status(id, "cancelled", message)
    found = CliRunner().invoke(app, ["show", id])
    said = " ".join(found.stdout.split())
    assert found.exit_code == 0
    assert message in said
    assert "Pareto" not in said


# What to ship.


def recommended(*arguments: str) -> tuple[int, str]:
    """Exit code and standard output, in this process: a process for each of many would take long."""
    found = CliRunner().invoke(app, ["recommend", *arguments])
    if isinstance(found.exception, BadRequest):
        raise found.exception
    return found.exit_code, found.stdout


@pytest.fixture
def study_id():
    with Store.open() as store:
        yield synthetic.fill(store)


def test_what_to_ship_for_each_workload(study_id):
    said = efficiency("recommend", study_id, "--max-accuracy-drop", "2", "--price-per-hour", "0.36", "--json", "-")
    answers = said.document["answers"]
    assert said.document["limits"]["accuracy_drop_pp"] == 2
    assert [answer["title"] for answer in answers] == ["Small CNN", "LSTM", "Transformer"]
    winner = answers[1]["winner"]
    assert (answers[1]["found"], answers[1]["confirmed"], winner["variant"]) == ("found", False, "dynamic-int8")
    assert winner["speedup_ci_low"] < winner["speedup"] < winner["speedup_ci_high"]
    assert winner["cost_per_million_calls"] == pytest.approx(winner["latency_ms_p50"] / 10)
    assert answers[1]["sentence"] in said.err
    of = "--workload lstm-classifier --batch-size 1 --threads 1"
    again = f"recommend {study_id} --max-accuracy-drop 2 {of} --price-per-hour 0.36 --confirm"
    assert f"`python -m efficiency {again}` times it again" in said.err
    recipe = re.search(r"Its recipe: `python -m efficiency (recipe \S+ dynamic-int8 .*)`", said.err)
    assert recipe, said.err
    script = CliRunner().invoke(app, shlex.split(recipe[1]))
    assert script.exit_code == 0
    assert "quantize_dynamic" in script.stdout


def test_a_study_is_named_by_a_beginning_of_its_id_or_as_the_latest():
    with Store.open() as store:
        old, new = (synthetic.fill(store, name=name) for name in ("Old", "New"))
        for place, id in enumerate((old, new)):
            document = documents.to_json(store, id)
            document["study"] |= {"id": f"2026010{place}-mine", "recorded_at": f"2031-01-0{1 + place}T10:00:00+00:00"}
            documents.from_json(store, document)
        row = views.records(store.rows([new]).query("workload == 'lstm-classifier'"))[0]
        again = confirm.plan(store.study(new), row, ["dynamic-int8"], this_machine())
        document = documents.to_json(store, synthetic.fill(store, again))
        document["study"] |= {"id": "confirms", "recorded_at": "2032-01-01T10:00:00+00:00"}
        documents.from_json(store, document)
    for given, name in (("latest", "New"), ("20260100", "Old"), ("20260101-m", "New"), ("20260100-mine", "Old")):
        code, out = recommended(given)
        assert (code, out.partition(",")[0]) == (0, name)
    with pytest.raises(BadRequest, match="2 studies begin with '2026010', such as 2026010"):
        recommended("2026010")
    with pytest.raises(BadRequest, match="Unknown study '0260100'"):
        recommended("0260100")


def test_many_answers_are_a_table_and_few_are_told_in_full():
    machine = this_machine()
    two = replace(plan_preset("quick", machine), conditions=(Condition(), Condition(batch_size=8)))
    with Store.open() as store:
        id = synthetic.fill(store, two)
    _, out = recommended(id, "--max-size-mb", "6", "--json", "-")
    document = json.loads(out.splitlines()[-1])
    assert len(document["answers"]) == 6
    found = CliRunner().invoke(app, ["recommend", id, "--max-size-mb", "6"])
    lines = {answer["title"]: answer for answer in document["answers"]}
    for title, answer in lines.items():
        (line,) = [line for line in found.stdout.splitlines() if f" {title} " in line]
        row = answer["winner"] or answer["closest"]
        label = ("" if answer["winner"] else "closest: ") + Variant.of(row["techniques"].split("+")).label
        assert label in line
        assert f"{row['latency_ms_p50']:.3g}" in line
    assert "Its recipe:" not in found.stdout
    assert "name some by --workload, --batch-size or --threads" in found.stdout
    assert "Its recipe:" in recommended(id, "--max-size-mb", "6", "--batch-size", "8")[1]


def test_what_confirms_an_answer_asks_the_same(study_id):
    """Without the limits and filters something else would lead, and be timed again."""
    with Store.open() as store:
        document = documents.to_json(store, study_id)
        for row in document["rows"]:
            row["columns"] |= {"workload": "my models/lstm.py:make", "latency_ms_p99": row["columns"]["latency_ms_p50"]}
        own = documents.from_json(store, document)
    asked = [
        own, "--max-accuracy-drop", "2.5", "--max-latency-ms", "90.0625", "--max-size-mb", "100",
        "--workload", "my models/lstm.py:make", "--batch-size", "1", "--threads", "1", "--percentile", "p99", "--sure",
    ]  # fmt: skip
    found = CliRunner().invoke(app, ["recommend", *asked])
    advised = re.search("`python -m efficiency (.*)` times it again", found.stdout)
    assert advised, found.output
    assert shlex.split(advised[1]) == ["recommend", *asked, "--confirm"]


def test_who_cancels_a_confirmation_cancels_those_after_it(study_id, tmp_path):
    def confirming() -> list[str]:
        with Store.open() as store:
            return list(store.studies().query("confirms != ''")["status"])

    command = [sys.executable, "-m", "efficiency", "recommend", study_id, "--confirm", "--json", "-"]
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("w") as results, err.open("w") as notes:
        process = subprocess.Popen(command, cwd=paths.PROJECT, stdin=subprocess.DEVNULL, stdout=results, stderr=notes)
    try:
        while confirming() != ["running"] and process.poll() is None:
            time.sleep(0.1)
        process.terminate()
        assert process.wait(60) == 1, err.read_text()
    finally:
        process.kill()
    assert err.read_text().count("timing ") == 1
    document = json.loads(out.read_text().splitlines()[-1])
    assert document["confirming"] == "cancelled"
    assert len(document["answers"]) == 3
    assert confirming() == ["cancelled"]


def test_the_latest_is_one_with_results_and_what_is_passed_over_is_said(study_id):
    with Store.open() as store:
        for status in ("cancelled", "running"):
            store.add_study({"preset": "quick"}, name=status, machine={}, command="", status=status)
        document = documents.to_json(store, study_id)
        document["study"] |= {"id": "newest", "recorded_at": "2031-01-01T10:00:00+00:00"}
        newest = documents.from_json(store, document)
        empty = store.add_study({"preset": "quick"}, name="Empty", machine={}, command="", status="cancelled")
        later = {"recorded_at": "2032-01-01T10:00:00+00:00"}
        document = documents.to_json(store, empty)
        document["study"] |= later | {"id": "empty"}
        documents.from_json(store, document)
    found = CliRunner().invoke(app, ["recommend", "latest"])
    assert found.stdout.startswith("Quick on this machine, no limits.")
    assert f"The latest with results is {newest}; without any: empty (cancelled)." in found.stderr
    assert "still being measured" not in found.stderr
    with Store.open() as store:
        store.set_status(newest, "running")
    assert f"{newest} is still being measured" in CliRunner().invoke(app, ["recommend", "latest"]).stderr


def test_a_study_whose_process_died_is_not_called_live(home):
    with Store.open() as store:
        id = store.add_study({"preset": "quick"}, name="Died", machine={}, command="", status="running")
    writes = (
        "from efficiency.engine.progress import Progress, ProgressFile\n"
        f"ProgressFile({id!r}).write(Progress({id!r}, 'running', 'Timing'))"
    )
    subprocess.run([sys.executable, "-c", writes], check=True, cwd=paths.PROJECT)
    assert "interrupted" in CliRunner().invoke(app, ["studies"]).stdout
    assert "running" not in CliRunner().invoke(app, ["show", id]).stdout


def test_what_was_confirmed_is_not_timed_again(study_id):
    with Store.open() as store:
        row = views.records(store.rows([study_id]).query("workload == 'lstm-classifier'"))[0]
        again = synthetic.fill(store, confirm.plan(store.study(study_id), row, ["dynamic-int8"], this_machine()))
    found = CliRunner().invoke(app, ["recommend", study_id, "--workload", "lstm-classifier", "--confirm"])
    assert found.exit_code == 0
    assert f"LSTM: Dynamic INT8 was timed again before, as study {again}; that counts." in found.stderr
    assert "Ship Dynamic INT8, which fresh processes confirm" in found.stdout


def test_nothing_to_ship_is_exit_code_1_with_the_closest_miss(study_id):
    code, out = recommended(study_id, "--workload", "lstm-classifier", "--max-size-mb", "1", "--json", "-")
    (answer,) = json.loads(out.splitlines()[-1])["answers"]
    assert code == 1
    assert (answer["found"], answer["winner"], answer["misses"][0]["limit"]) == ("none", None, "size_mb")
    assert answer["closest"]["variant"] == "dynamic-int8"
    with Store.open() as store:
        empty = store.add_study({"preset": "quick"}, name="Empty", machine={}, command="", status="failed")
        steps = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))
    code, told = recommended(empty)
    assert (code, "This study is failed and holds no rows" in told) == (1, True)
    code, told = recommended(steps, "--batch-size", "16")
    assert (code, "It timed training steps, and nothing of them is shipped" in told) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--max-accuracy-drop", "0", "--max-size-mb", "-1"], "--max-accuracy-drop: choose .* --max-size-mb: choose"),
        (["--price-per-hour", "0"], "--price-per-hour: choose more than 0"),
        (["--percentile", "p99"], "--percentile p99 says which latency is limited: add --max-latency-ms"),
        (["--batch-size", "9"], "--batch-size: .* choose from 1"),
        (["--workload", "lstm"], "--workload: .* choose from vision-small-cnn, lstm-classifier"),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_option(study_id, arguments, sentence):
    with pytest.raises(BadRequest, match=sentence):
        recommended(study_id, *arguments)
