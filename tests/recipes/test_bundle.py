"""What is taken home runs elsewhere: the zip's own script, on the zip's own files."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from efficiency import confirm, paths, recipes, workloads
from efficiency.condition import Condition
from efficiency.engine import inputs, turn
from efficiency.engine.progress import folder_of
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.machine import this_machine
from efficiency.recipes import Wanted, bundle
from efficiency.results.store import StudyRecord
from efficiency.study import PRESETS, Study, Variant
from efficiency.techniques import compose
from efficiency.techniques.base import Data
from efficiency.workloads import checkpoints

OWN = str(Path(__file__).parents[1] / "workloads" / "user_workload_example.py") + ":make"
EFFORT = replace(PRESETS["quick"][1], calibration_rows=96, training_rows=96)
CONDITION = Condition(batch_size=3)


def wanted(keys: tuple[str, ...], name: str) -> Wanted:
    workload = workloads.describe(name)
    return Wanted(keys, workload, workload.dataset(None).key, CONDITION, EFFORT, 5, 0.5, "Measured here.")


def unpacked(of: Wanted, folder: Path) -> Path:
    content = io.BytesIO()
    bundle.make(of, content)
    with zipfile.ZipFile(content) as archive:
        archive.extractall(folder)
    return folder


def test_the_zip_alone_rebuilds_the_variant(tmp_path: Path) -> None:
    keys = ("qat-int8", "inference-mode")
    folder = unpacked(wanted(keys, "vision-small-cnn"), tmp_path / "home")
    assert {path.name for path in folder.iterdir()} == {
        "README.txt", "recipe.py", "requirements.txt", "weights.safetensors", "inputs.safetensors",
        "training.safetensors",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-I", "-W", "ignore", folder / "recipe.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "66 rows answered" in done.stdout

    workload = workloads.get("vision-small-cnn")
    data, model = workload.dataset(None), checkpoints.load(workload, workload.dataset(None))
    rows = inputs.encoded(workload, data, CONDITION, "test", 66)[0]
    assert torch.equal(load_file(folder / "inputs.safetensors")["inputs"], rows)
    training = inputs.encoded(workload, data, CONDITION, "train", EFFORT.training_rows)
    learned = compose.learn(
        keys, model, rows[:3], Data(lambda: pytest.fail("no calibration"), lambda: training, seed=5)
    )
    call = compose.prepare(keys, model, rows[:3], learned).caller()
    expected = torch.cat([call(batch) for batch in rows.split(3)])
    assert torch.equal(load_file(folder / "outputs.safetensors")["outputs"], expected)


def test_it_names_what_to_install_in_the_versions_that_are_here() -> None:
    lines = bundle.requirements(wanted(("onnxruntime-static-int8",), "vision-resnet18")).split()
    assert {line.partition("==")[0] for line in lines} == {
        "numpy", "onnx", "onnxruntime", "onnxscript", "safetensors", "torch", "torchvision",
    }  # fmt: skip
    pinned = (paths.PROJECT / "requirements.txt").read_text() + (
        paths.PROJECT / "requirements-runtimes.txt"
    ).read_text()
    assert all(line in pinned for line in lines)


def test_what_is_not_installed_here_is_named_without_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    of = wanted(("openvino-int8",), "vision-small-cnn")
    lines = bundle.requirements(of).split()
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site-packages" not in place])
    assert bundle.requirements(of).split() == [line.partition("==")[0] for line in lines]


def test_a_users_own_file_builds_the_model(tmp_path: Path) -> None:
    folder = unpacked(wanted(("dynamic-int8",), OWN), tmp_path / "home")
    assert OWN.partition(":")[0] in (folder / "README.txt").read_text()
    # It imports this project's declarations itself.
    environment = {**os.environ, "PYTHONPATH": str(paths.PROJECT)}
    command = [sys.executable, "-W", "ignore", folder / "recipe.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    model, rows = workloads.get(OWN).build(4), load_file(folder / "inputs.safetensors")["inputs"]
    call = compose.prepare(("dynamic-int8",), model, rows[:3], {}).caller()
    expected = torch.cat([call(batch) for batch in rows.split(3)])
    # Its `build` trains, and sums of many threads differ in the last bits.
    torch.testing.assert_close(load_file(folder / "outputs.safetensors")["outputs"], expected, rtol=1e-3, atol=1e-2)


def test_no_files_are_made_while_somebody_measures(tmp_path: Path) -> None:
    with (
        turn.taken("20260105-1000-quick-abcd", pytest.fail),
        pytest.raises(EfficiencyError, match="quick-abcd is being measured"),
    ):
        bundle.make(wanted((), "vision-small-cnn"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def stored(**row: object) -> tuple[dict[str, object], StudyRecord]:
    """A row of a study, as the store gives them."""
    asked = Study(("vision-small-cnn", "gone.py:make"), (Variant.of(["static-int8"]),), (CONDITION,), EFFORT)
    record = StudyRecord(
        "a-study", "", "", "done", "", asked.as_dict(), {"label": "A CPU"}, "2.13.0", "", "", example=False
    )
    columns = {
        "status": "done", "reason": "", "workload": "vision-small-cnn", "dataset": "glyphs",
        "variant": "static-int8", "device": "cpu", "batch_size": 3, "threads": 1, "length": None, "padding_pct": None,
        "phase": "inference",
    }  # fmt: skip
    return {**columns, **row}, record


def test_a_stored_row_says_all_that_its_recipe_needs() -> None:
    found = recipes.wanted(*stored())
    assert (found.keys, found.condition, found.effort) == (("static-int8",), CONDITION, EFFORT)
    assert "torch 2.13.0 on A CPU, in the study a-study" in found.script
    assert recipes.wanted(*stored(variant="control")).keys == ()


def test_a_row_of_training_says_how_many_steps_it_took() -> None:
    condition = replace(CONDITION, batch_size=32, phase="training")
    row, record = stored(variant="amp-bf16", batch_size=32, phase="training")
    asked = Study(("vision-small-cnn",), (Variant.of(["amp-bf16"]),), (condition,), replace(EFFORT, training_rows=640))
    found = recipes.wanted(row, replace(record, asked=asked.as_dict()))
    assert "\nSTEPS = 20\n" in found.script
    assert "torch.autocast" in found.script


def test_a_file_that_a_study_names_is_run_only_where_the_study_was(tmp_path: Path) -> None:
    """What an imported study names may be any file of this machine."""
    file, ran = tmp_path / "mine.py", tmp_path / "ran"
    file.write_text(f"from pathlib import Path\nPath({str(ran)!r}).touch()\n\n\ndef make():\n    raise ValueError\n")
    row, record = stored(workload="mine")
    asked = Study((f"{file}:make",), (Variant.of(["static-int8"]),), (CONDITION,), EFFORT)
    record = replace(record, asked=asked.as_dict(), machine={"key": this_machine().key})
    for run_here in (False, True):
        if run_here:
            folder_of(record.id).mkdir(parents=True)
        with pytest.raises(BadRequest, match="a study that was not run here"):
            recipes.wanted(row, record)
        assert not confirm.is_of(record, row)
        if not run_here:
            with pytest.raises(BadRequest, match="measure it anew"):
                confirm.plan(record, row, ["static-int8"], this_machine())
        assert ran.exists() == run_here


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": "not-applicable", "reason": "It has no convolution."}, "It has no convolution."),
        ({"workload": "gone-mlp"}, "a Python file that is not here"),
        ({"batch_size": 99}, "this row's condition"),
        ({"variant": "static-int8+dynamic-int8"}, "choose one"),
    ],
)
def test_where_there_is_no_recipe_a_sentence_says_why(row: dict[str, object], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        _ = recipes.wanted(*stored(**row)).script
