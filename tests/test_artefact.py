"""What is handed out of a row's preparation, and what is said where there is nothing to hand out."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize(
    ("variant", "file", "called"),
    [
        ("openvino", "model.xml", 'compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})'),
        ("openvino-int8", "model.xml", 'compile_model("model.xml", "CPU")'),
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
