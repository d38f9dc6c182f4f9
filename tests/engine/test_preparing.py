"""A second study takes from the cache what the first prepared, and what was prepared runs without this project."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import moody_workload
import numpy as np
import pandas as pd
import peaks
import pytest
import torch
from safetensors.torch import load_file

from efficiency import artefact, paths, workloads
from efficiency.analysis import preparation
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import job, prepared_cache
from efficiency.engine.progress import folder_of
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study, Variant
from efficiency.techniques import compose

EFFORT = Effort(test_rows=200, calibration_rows=64, training_rows=64, replicates=2, seconds_per_replicate=0.05)
CALLED = 40
"""Test rows that are answered again, one by one."""
NEAR = 0.02
"""Scores of two classes that lie no further apart may change places: a range of activations more or less moves each by
half as much."""
PACKAGED = (
    "optimize-for-inference", "torch-compile", "pt2e-static-int8", "onnxruntime", "onnxruntime-dynamic-int8",
    "onnxruntime-static-int8", "openvino", "openvino-int8",
)  # fmt: skip
"""What leaves a file: TorchScript, `.pt2`, ONNX, OpenVINO's IR; in FP32 and in INT8."""
INT8 = tuple(key for key in PACKAGED if key.endswith("int8"))
EAGER = (["dynamic-int8"], ["static-int8"], ["static-int8", "inference-mode"])
SHARED = ("prepare_s", "size_mb", "accuracy_pct", "took_effect", "logits_snr_db", "agreement_pct")


@dataclass
class Run:
    """A study that was run, and what it left."""

    store: Store
    id: str
    said: list[str]

    @property
    def rows(self) -> pd.DataFrame:
        return self.store.rows([self.id]).set_index("variant")

    def kept(self, variant: str) -> dict[str, Any]:
        return self.store.details(int(self.rows.loc[variant, "row_id"]))

    def prepared(self, variant: str) -> dict[str, Any]:
        return self.kept(variant)["prepared"]

    def packed(self, variant: str) -> zipfile.ZipFile:
        row = self.store.rows([self.id]).set_index("variant", drop=False).loc[variant]
        return zipfile.ZipFile(io.BytesIO(artefact.pack(row.to_dict(), self.store.study(self.id), self.kept(variant))))


Runs = Callable[..., Run]


def here(name: str) -> list[str]:
    """Those of `PACKAGED` that this machine can make of the workload."""
    workload = workloads.describe(name)
    return [key for key in PACKAGED if not compose.why_not((key,), workload, Condition(), this_machine())]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Runs a study of the user's file `mine.py`, all in one home."""
    folder = tmp_path_factory.mktemp("preparing")
    (folder / "tmp").mkdir()
    (folder / "mine.py").write_text(Path(moody_workload.__file__).read_text())
    name = f"{folder / 'mine.py'}:steady"
    variants = tuple(map(Variant.of, (*EAGER, *([key] for key in here(name)))))
    study = Study((name,), variants, (Condition(),), EFFORT)
    with pytest.MonkeyPatch.context() as patch, Store.open(f"sqlite:///{folder / 'e.db'}") as store:

        def run(**changes: Any) -> Run:
            # The test's own came in between. The turn at the machine is taken in the temporary folder.
            patch.setenv("EFFICIENCY_HOME", str(folder / "home"))
            patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
            peaks.known()
            asked, said = replace(study, **changes), []
            study_id = store.add_study(asked.as_dict(), name="", machine=this_machine().as_dict(), command="")
            status = job.conduct(store, study_id, lambda told: said.append(told.now))
            assert status == "done", store.study(study_id).message
            return Run(store, study_id, said)

        yield run


@pytest.fixture(scope="module")
def first(runs: Runs) -> Run:
    return runs()


@pytest.fixture(scope="module")
def second(first: Run, runs: Runs) -> Run:
    """Without the runtimes in INT8, whose artefacts the cache holds as it holds those in FP32."""
    keys = [key for key in first.rows.index if key not in ("baseline", "control", *INT8)]
    return runs(variants=tuple(Variant.of(key.split("+")) for key in keys))


@pytest.fixture
def there(first: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In the home of these studies."""
    home = Path(str(first.store.study(first.id).asked["workloads"][0]).rpartition(":")[0]).parent / "home"
    monkeypatch.setenv("EFFICIENCY_HOME", str(home))


def test_a_second_study_prepares_nothing(first: Run, second: Run) -> None:
    probed = [key for key in second.rows.index if key != "control"]
    assert all(first.rows["status"] == "done"), list(first.rows["reason"])
    assert not any(first.prepared(key)["from_cache"] for key in probed)
    assert all(second.prepared(key)["from_cache"] for key in probed)
    assert any("answering the test rows" in now for now in first.said)
    assert not any("preparing" in now or "answering" in now for now in second.said)
    for name in SHARED:
        pd.testing.assert_series_equal(first.rows.loc[second.rows.index, name], second.rows[name])
    for key in probed:
        assert first.kept(key)["evidence"] == second.kept(key)["evidence"]
        assert first.prepared(key)["at"] == second.prepared(key)["at"]
        answers = [run.store.answers(int(run.rows.loc[key, "row_id"])) for run in (first, second)]
        pd.testing.assert_frame_equal(*answers)
    # What is measured is measured again.
    before = first.rows.loc[second.rows.index]
    assert (before["latency_ms_p50"] != second.rows["latency_ms_p50"]).any()
    assert (before["load_s"].dropna() != second.rows["load_s"].dropna()).all()


def test_the_row_says_so(first: Run, second: Run) -> None:
    took = first.rows.loc["static-int8", "prepare_s"]
    told = preparation.said(second.kept("static-int8"), took)
    assert told.startswith("Prepared on ")
    assert "taken from the cache; preparation then took" in told
    assert "calibration" not in preparation.said(first.kept("optimize-for-inference"), took), "It learns nothing."
    assert "cache" not in preparation.said(first.kept("static-int8"), took)
    assert "serialized state" in preparation.size_said(first.kept("static-int8"))
    assert "artefact" in preparation.size_said(first.kept("optimize-for-inference"))
    assert preparation.said({}, took) == preparation.size_said({}) == ""


def test_what_two_variants_learn_alike_is_learned_once(first: Run, there: None) -> None:
    entries = [
        prepared_cache.folder() / first.prepared(key)["key"] for key in ("static-int8", "static-int8+inference-mode")
    ]
    assert len({(entry / "learned").stat().st_ino for entry in entries}) == 1
    assert not (prepared_cache.folder() / first.prepared("dynamic-int8")["key"] / "learned").exists()


def test_prepared_anew_where_that_is_asked_or_something_changed(first: Run, second: Run, runs: Runs) -> None:
    few = {"variants": (Variant.of(["dynamic-int8"]),)}
    anew = runs(**few, anew=True)
    assert not anew.prepared("dynamic-int8")["from_cache"]
    assert anew.prepared("dynamic-int8")["key"] == first.prepared("dynamic-int8")["key"]
    file = Path(str(first.store.study(first.id).asked["workloads"][0]).rpartition(":")[0])
    text = file.read_text()
    try:
        file.write_text(text + "\n# Another file.\n")
        changed = runs(**few)
    finally:
        file.write_text(text)
    for key in ("baseline", "dynamic-int8"):
        assert not changed.prepared(key)["from_cache"]
        assert changed.prepared(key)["key"] != first.prepared(key)["key"]


IN_A_FRESH_PROCESS = """
import sys
sys.modules["openvino_telemetry"] = None  # nothing is reported
import numpy
import torch
told = open("README.txt").read().partition("is loaded and called so:")[2].strip().partition("\\n\\n")[0]
loading, _, call = told.rpartition("\\n")
assert "efficiency" not in sys.modules
known = {}
exec(loading, known)
scores = []
for row in numpy.load("rows.npy"):
    known["inputs"] = torch.from_numpy(row[None])
    with torch.no_grad():
        exec(call, known)
    scores.append(numpy.asarray(known["scores"]))
assert not any(name.startswith("efficiency") for name in sys.modules)
numpy.save("scores.npy", numpy.concatenate(scores))
"""


@pytest.mark.parametrize("key", PACKAGED)
def test_an_artefact_runs_in_a_fresh_process_by_its_runtimes_own_api(
    key: str, first: Run, there: None, tmp_path: Path
) -> None:
    if key not in first.rows.index:
        pytest.skip(f"{key} cannot be made here.")
    rows = moody_workload.load("test", CALLED).inputs
    first.packed(key).extractall(tmp_path)
    np.save(tmp_path / "rows.npy", rows)
    done = subprocess.run([sys.executable, "-c", IN_A_FRESH_PROCESS], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scores = np.load(tmp_path / "scores.npy")
    inputs = torch.from_numpy(rows)
    entry = prepared_cache.folder() / first.prepared(key)["key"]
    call = compose.prepare((key,), None, inputs[:1], {}, entry / "artefact").caller()
    ours = np.concatenate([call(row[None].contiguous()).numpy() for row in inputs])
    np.testing.assert_allclose(scores, ours, rtol=1e-6, atol=1e-6)
    answers = first.store.answers(int(first.rows.loc[key, "row_id"]))
    second_best, best = np.sort(scores, axis=1)[:, -2:].T
    # The test rows were answered many a call, which then have one range of activations: a row near the line between
    # two classes falls to either side, by the processor's kernels.
    clear = best - second_best >= (NEAR if key == "onnxruntime-dynamic-int8" else 0.0)
    assert clear.mean() > 0.5
    assert list(scores.argmax(axis=1)[clear]) == list(answers["predicted"][:CALLED][clear])


def test_an_eager_variants_zip_rebuilds_what_was_measured(first: Run, there: None, tmp_path: Path) -> None:
    keys = ("static-int8", "inference-mode")
    first.packed("+".join(keys)).extractall(tmp_path)
    said = (tmp_path / "README.txt").read_text()
    assert "rebuilt from the FP32 weights" in said
    assert "mine.py:steady" in said
    environment = {**os.environ, "PYTHONPATH": str(paths.PROJECT)}  # the user's own file imports its declarations
    command = [sys.executable, "-W", "ignore", "recipe.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scores = load_file(tmp_path / "outputs.safetensors")["outputs"]
    answers = first.store.answers(int(first.rows.loc["+".join(keys), "row_id"]))
    assert scores.argmax(dim=1).tolist() == list(answers["predicted"][: len(scores)])
    # The script has learned what the study had learned.
    inputs = torch.from_numpy(moody_workload.load("test", len(scores)).inputs)
    learned = load_file(prepared_cache.folder() / first.prepared("+".join(keys))["key"] / "learned")
    call = compose.prepare(keys, moody_workload.layers(), inputs[:1], learned).caller()
    torch.testing.assert_close(scores, torch.cat([call(row) for row in inputs.split(1)]), rtol=0.0, atol=0.0)


def test_what_is_gone_says_how_to_make_it_anew(first: Run, second: Run) -> None:
    row = first.store.rows([first.id]).set_index("variant", drop=False).loc["static-int8+inference-mode"].to_dict()
    record, kept = first.store.study(first.id), first.kept("static-int8+inference-mode")
    folder_of(first.id).mkdir(parents=True)  # as where it was run
    reason = artefact.why_not(row, record, kept)  # this test's own home has no cache
    assert reason is not None
    command = "--combine static-int8+inference-mode --batch-size 1 --threads 1"
    assert f"mine.py:steady --dataset points {command}" in reason
    with pytest.raises(BadRequest, match="make it anew"):
        artefact.pack(row, record, kept)
