"""`recipe` on the command line: what it prints and writes, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import synthetic

from efficiency import cli, paths
from efficiency.results.store import Store


@pytest.fixture
def study_id(home: Path) -> str:
    with Store.open() as store:
        return synthetic.fill(store)


def ask(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["efficiency", "recipe", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_it_prints_a_script_and_nothing_else(study_id: str) -> None:
    command = [sys.executable, "-m", "efficiency", "recipe", study_id, "inference-mode+static-int8"]
    command += ["--workload", "transformer-encoder"]
    done = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    compile(done.stdout, "recipe.py", "exec")
    assert done.stdout.startswith('"""Static INT8 + Inference mode: Transformer')
    assert f"in the study {study_id}." in " ".join(done.stdout.split())


def test_a_study_without_rows_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open() as store:
        id = store.add_study({}, name="Mine", machine={}, command="", status="queued")
    assert ask(monkeypatch, id, "static-int8") == 2
    assert "This study holds no rows" in " ".join(capsys.readouterr().err.split())


def test_it_writes_the_script_and_the_zip(study_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, bundle = tmp_path / "recipe.py", tmp_path / "all.zip"
    arguments = ("static-int8", "--workload", "vision-small-cnn", "--file", str(script), "--bundle", str(bundle))
    assert ask(monkeypatch, study_id, *arguments) == 0
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("recipe.py").decode() == script.read_text()
        assert "calibration.safetensors" in archive.namelist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope", "baseline"), "Unknown study 'nope'"),
        (("STUDY", "static-int9"), "Did you mean 'static-int8'?"),
        (("STUDY", "baseline"), "--workload: baseline is there of vision-small-cnn, lstm-classifier, transformer"),
        (
            ("STUDY", "baseline", "--workload", "lstm-clasifier"),
            "Unknown workload 'lstm-clasifier'. Did you mean 'lstm-classifier'?",
        ),
        (("STUDY", "static-int8", "--workload", "lstm-classifier"), "leaves nn.LSTM in FP32"),
        (
            ("STUDY", "fast-path", "--batch-size", "7"),
            "--batch-size: fast-path has no row with 7 here; choose from 1",
        ),
        (("STUDY", "fast-path", "--bundle", "-"), "--bundle"),
        (("STUDY", "fast-path", "--bundle", "/no/such/folder/x.zip"), "--bundle"),
        (("STUDY", "fast-path", "--file", "/no/such/folder/x.py"), "--file"),
    ],
)
def test_it_refuses_with_a_sentence(
    arguments: tuple[str, ...],
    said: str,
    study_id: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask(monkeypatch, *(study_id if part == "STUDY" else part for part in arguments)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in " ".join(shown.err.split())
