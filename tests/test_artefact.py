"""What is handed out of a row's preparation, and what is said where there is nothing to hand out."""

from __future__ import annotations

import io
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from efficiency import artefact, workloads
from efficiency.condition import Condition
from efficiency.engine import prepared_cache, reference_content
from efficiency.engine.progress import folder_of
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.results.store import StudyRecord
from efficiency.study import PRESETS, Study, Variant
from efficiency.techniques import compose
from efficiency.techniques.base import Data
from efficiency.workloads import checkpoints

EFFORT = replace(PRESETS["quick"][1], calibration_rows=96)
MOODY = Path(__file__).parent / "engine" / "moody_workload.py"
ROW = {
    "study_id": "a-study", "status": "done", "reason": "", "workload": "vision-small-cnn", "dataset": "glyphs",
    "variant": "static-int8", "batch_size": 1, "threads": 1, "prepare_s": 1.0, "phase": "inference",
}  # fmt: skip


def record(*names: str, condition: Condition = Condition()) -> StudyRecord:
    """A study of these workloads, as the store gives it."""
    asked = Study(names or ("vision-small-cnn",), (Variant.of(["static-int8"]),), (condition,), EFFORT)
    return StudyRecord(
        "a-study", "", "", "done", "", asked.as_dict(), {"label": "A CPU"}, "2.13.0", "", "", example=False
    )


@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_an_imported_row_cannot_have_a_folder_removed(form: str, home: Path) -> None:
    victim = home / "victim"
    victim.mkdir()
    prepared_cache.folder().mkdir()
    (victim / "checksums.json").write_text("{}")
    kept = {"prepared": {"key": str(victim) if form == "absolute" else "../victim"}}
    with pytest.raises(BadRequest, match="is not kept here"):
        artefact.pack(ROW, record(), kept)
    assert (victim / "checksums.json").is_file()


@pytest.mark.parametrize("prepared", [None, 1, "a", ["key"], {"key": 1}, {"key": None}, {"key": ["a"]}, {}])
def test_a_documents_own_words_are_no_key(prepared: Any) -> None:
    assert "is not kept here" in str(artefact.why_not(ROW, record(), {"prepared": prepared}))


def test_the_command_makes_this_very_row_anew(tmp_path: Path) -> None:
    (tmp_path / "my models").mkdir()
    file = tmp_path / "my models" / "mine.py"
    shutil.copy(MOODY, file)
    files = (f"{file}:steady", f"{file}:worn")
    shape = Condition(batch_size=8, threads=2, length=32, padding_pct=5, device="cuda")
    asked = record(*files, condition=shape)
    folder_of(asked.id).mkdir(parents=True)  # as where it was run
    row = ROW | {
        "workload": "worn-mlp",
        "dataset": "points",
        "batch_size": 8,
        "threads": 2,
        "length": 32,
        "padding_pct": 6.0,
    }
    said = str(artefact.why_not(row, asked, {}))
    command = shlex.split(said.split("`")[1])
    assert command[:4] == ["python", "-m", "efficiency", "run"]
    told = dict(zip(command[4::2], command[5::2], strict=True))
    assert told == {
        "--workload": f"{file}:worn", "--dataset": "points", "--technique": "static-int8", "--batch-size": "8",
        "--threads": "2", "--device": "cuda", "--length": "32", "--padding": "5",
    }  # fmt: skip


def test_what_a_file_built_that_is_not_here_cannot_be_made_anew(tmp_path: Path) -> None:
    said = str(artefact.why_not(ROW | {"workload": "mine"}, record(f"{tmp_path / 'gone.py'}:make"), {}))
    assert "cannot be made anew here" in said
    assert "a Python file that is not here" in said


def test_training_keeps_nothing() -> None:
    said = str(artefact.why_not(ROW | {"phase": "training"}, record(condition=Condition(phase="training")), {}))
    assert said.startswith("A training study keeps nothing")


def test_an_eager_variant_of_a_file_in_a_folder_with_a_space(tmp_path: Path) -> None:
    (tmp_path / "my models").mkdir()
    file = tmp_path / "my models" / "mine.py"
    shutil.copy(MOODY, file)
    key = 32 * "a"
    assert prepared_cache.keep(key, {}, {})
    row = ROW | {"workload": "steady-mlp", "dataset": "points"}
    own = record(f"{file}:steady")
    folder_of(own.id).mkdir(parents=True)  # as where it was run
    packed = artefact.pack(row, own, {"prepared": {"key": key}})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert f"built by your own file, {file}:steady" in archive.read("README.txt").decode()
        assert {"recipe.py", "weights.safetensors", "calibration.safetensors"} < set(archive.namelist())


def kept_preparation(weights: str | None = None) -> dict[str, Any]:
    """Details of a row of the small CNN whose preparation is in the cache; made of `weights`, its own unless told."""
    workload = workloads.get("vision-small-cnn")
    about = weights or reference_content.weights(checkpoints.load(workload, workload.dataset(None)))
    key = 32 * "d"
    assert prepared_cache.keep(key, {"reference": {"weights": about}}, {})
    return {"prepared": {"key": key}}


def test_an_eager_variants_zip_alone_gives_its_answers_in_a_fresh_process(tmp_path: Path) -> None:
    keys, condition = ("static-int8", "inference-mode"), Condition(batch_size=2)
    row, asked = ROW | {"variant": "+".join(keys), "batch_size": 2}, record(condition=condition)
    with zipfile.ZipFile(io.BytesIO(artefact.pack(row, asked, kept_preparation()))) as archive:
        archive.extractall(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.txt", "recipe.py", "requirements.txt", "weights.safetensors", "inputs.safetensors",
        "calibration.safetensors",
    }  # fmt: skip
    said = (tmp_path / "README.txt").read_text()
    assert said.startswith("static-int8+inference-mode of vision-small-cnn on glyphs, batch size 2, 1 thread.\n")
    assert "learns anew, from the same rows" in said
    assert "run python recipe.py" in said
    command = [sys.executable, "-I", "-W", "ignore", "recipe.py"]  # isolated: this project cannot be imported
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    workload = workloads.get("vision-small-cnn")
    model = checkpoints.load(workload, workload.dataset(None))
    inputs, calibration = (load_file(tmp_path / f"{name}.safetensors")["inputs"] for name in ("inputs", "calibration"))
    assert len(calibration) == EFFORT.calibration_rows
    learned = compose.learn(
        keys, model, inputs[:2], Data(lambda: calibration, lambda: pytest.fail("it does not train"))
    )
    call = compose.prepare(keys, model, inputs[:2], learned).caller()
    expected = torch.cat([call(batch) for batch in inputs.split(2)])
    torch.testing.assert_close(load_file(tmp_path / "outputs.safetensors")["outputs"], expected, rtol=0.0, atol=0.0)


def test_weights_that_are_not_those_it_was_measured_with_are_refused() -> None:
    with pytest.raises(EfficiencyError, match="not the one that this row was measured with; run the study again"):
        artefact.pack(ROW, record(), kept_preparation(weights="of another checkpoint"))


@pytest.mark.parametrize(
    ("variant", "file", "called"),
    [
        ("openvino", "model.xml", '"ENABLE_CPU_PINNING": False,\n    "INFERENCE_PRECISION_HINT": "f32",\n}\n'),
        ("openvino-int8", "model.xml", '"INFERENCE_NUM_THREADS": 1,\n    "ENABLE_CPU_PINNING": False,\n}\n'),
        ("openvino", "model.xml", '"PERFORMANCE_HINT": "LATENCY",\n    "NUM_STREAMS": 1,\n'),
        ("openvino", "model.xml", "shape[0] = 1  # rows a call"),
        ("openvino", "model.xml", 'core.compile_model(model, "CPU", settings)\n'),
        ("onnxruntime", "model.onnx", "session.run(None, {session.get_inputs()[0].name: inputs.numpy()})"),
    ],
)
def test_it_says_how_the_measured_call_is_made(variant: str, file: str, called: str, tmp_path: Path) -> None:
    key, left = 32 * "a", tmp_path / "artefact"
    left.mkdir()
    (left / file).write_bytes(b"graph")
    assert prepared_cache.keep(key, {}, {"artefact": left})
    packed = artefact.pack(ROW | {"variant": variant}, record(), {"prepared": {"key": key}})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == ["README.txt", file]
        assert called in archive.read("README.txt").decode()


@pytest.mark.parametrize(
    ("variant", "file", "told", "not_told"),
    [
        (
            "bf16-weights+torch-compile",
            "model.pt2",
            ("exactly 8 rows", "inputs.split(8)", ".float()", "float32 [rows, 1, 28, 28]"),
            "around the call",
        ),
        ("channels-last+optimize-for-inference", "model.pt", ("torch.set_num_threads(2)",), "around the call"),
        ("onnxruntime", "model.onnx", ("inter_op_num_threads = 2, 1\n", "inputs.safetensors"), "exactly"),
        ("openvino-int8", "model.xml", ("shape[0] = 8 ", '"INFERENCE_NUM_THREADS": 2,'), "exactly"),
    ],
)
def test_it_says_what_a_call_takes(
    variant: str, file: str, told: tuple[str, ...], not_told: str, tmp_path: Path
) -> None:
    key, left = 32 * "b", tmp_path / "artefact"
    left.mkdir()
    (left / file).write_bytes(b"graph")
    assert prepared_cache.keep(key, {}, {"artefact": left})
    row = ROW | {"variant": variant, "batch_size": 8, "threads": 2}
    with zipfile.ZipFile(io.BytesIO(artefact.pack(row, record(), {"prepared": {"key": key}}))) as archive:
        text = archive.read("README.txt").decode()
    assert all(part in text for part in told), text
    assert not_told not in text


@pytest.mark.parametrize(("length", "said"), [(32.0, "32"), (None, "64")])
def test_it_says_how_long_rows_of_text_are(length: float | None, said: str, tmp_path: Path) -> None:
    key, left = 32 * "c", tmp_path / "artefact"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"graph")
    assert prepared_cache.keep(key, {}, {"artefact": left})
    asked = record("lstm-classifier", condition=Condition(length=None if length is None else int(length)))
    row = ROW | {"workload": "lstm-classifier", "dataset": "ag-news", "variant": "onnxruntime", "length": length}
    with zipfile.ZipFile(io.BytesIO(artefact.pack(row, asked, {"prepared": {"key": key}}))) as archive:
        assert f"int64 [rows, {said}], token ids" in archive.read("README.txt").decode()
