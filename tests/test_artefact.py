"""What is handed out of a row's preparation, and what is said where there is nothing to hand out."""

from __future__ import annotations

import io
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from efficiency import artefact
from efficiency.condition import Condition
from efficiency.engine import prepared_cache
from efficiency.errors import BadRequest
from efficiency.results.store import StudyRecord
from efficiency.study import PRESETS, Study, Variant

MOODY = Path(__file__).parent / "engine" / "moody_workload.py"
ROW = {
    "status": "done", "reason": "", "workload": "vision-small-cnn", "dataset": "glyphs", "variant": "static-int8",
    "batch_size": 1, "threads": 1, "prepare_s": 1.0, "phase": "inference",
}  # fmt: skip


def record(*workloads: str, condition: Condition = Condition()) -> StudyRecord:
    """A study of these workloads, as the store gives it."""
    asked = Study(workloads or ("vision-small-cnn",), (Variant.of(["static-int8"]),), (condition,), PRESETS["quick"][1])
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
    packed = artefact.pack(row, record(f"{file}:steady"), {"prepared": {"key": key}})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert f"{file}:steady loads" in archive.read("README.txt").decode()


@pytest.mark.parametrize(
    ("variant", "file", "called"),
    [
        ("openvino", "model.xml", '{"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}\n'),
        ("openvino-int8", "model.xml", '{"INFERENCE_NUM_THREADS": 1}\n'),
        ("openvino", "model.xml", 'compile_model("model.xml", "CPU", settings)'),
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
        ("onnxruntime", "model.onnx", ("intra_op_num_threads = 2\n", "inputs.safetensors"), "exactly"),
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
