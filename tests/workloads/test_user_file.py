"""A workload in a user's own file, described by a process that imports no torch."""

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from efficiency.errors import BadRequest, CheckpointRefused
from efficiency.workloads import WORKLOADS, describe, get, user_file
from efficiency.workloads.user_file import describe_in_child

EXAMPLE = Path(__file__).with_name("user_workload_example.py")

# As little as a declaration takes; `weights_in` is given, so that no torch is imported and the test is quick.
SHORT = """
from efficiency.workloads import Dataset, Workload

DATA = Dataset("d", "D", "", "other", ("a", "b"), load=lambda split, rows: None, fingerprint=lambda: "d-1")

def make():
    return Workload(
        key={key!r}, label="Mine", summary="", datasets=(DATA,), build=None, encode=None,
        weights_in={{"linear": 1.0}},
    )
"""


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_file, "_described", {})


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_described_without_its_callables() -> None:
    workload = describe_in_child(f"{EXAMPLE}:make")
    assert workload.key == "clouds-mlp"
    assert workload.source == workload.name == get(f"{EXAMPLE}:make").source == f"{EXAMPLE}:make"
    assert workload.trained
    assert workload.weights_in == {"linear": 1.0}
    assert workload.dataset("clouds").classes == ("north", "east", "south", "west")
    assert workload.dataset(None).why_not() is None
    for call in (workload.build, workload.encode, workload.datasets[0].load, workload.datasets[0].fingerprint):
        with pytest.raises(RuntimeError, match="only described"):
            call(None)


@pytest.mark.parametrize(
    ("line", "error"), [("pass", "ValueError: no"), ("import missing_here", "ModuleNotFoundError")]
)
def test_an_error_names_the_line_it_came_from(tmp_path: Path, line: str, error: str) -> None:
    path = _file(tmp_path, f"{line}\n\ndef make():\n    raise ValueError('no')\n")
    with pytest.raises(BadRequest, match=rf"{error}.* \(line {4 if line == 'pass' else 1} of mine.py\)\.$"):
        describe_in_child(f"{path}:make")


def test_the_example_is_a_workload_worth_measuring() -> None:
    from efficiency.workloads.training import accuracy_pct

    workload = get(f"{EXAMPLE}:make")
    dataset = workload.dataset(None)
    model = workload.build(len(dataset.classes))
    assert accuracy_pct(model, workload, dataset, progress=lambda what, share: None) > 90
    assert (dataset.load("test", 3).inputs == dataset.load("test", None).inputs[:3]).all()


def test_a_model_that_is_another_at_every_call_is_refused() -> None:
    from torch import nn

    from efficiency.workloads import checkpoints

    workload = get(f"{EXAMPLE}:make")
    checkpoints.verify(workload, workload.dataset(None))
    random = replace(workload, build=lambda classes: nn.Linear(64, classes))
    with pytest.raises(CheckpointRefused, match="another model at every call"):
        checkpoints.verify(random, random.dataset(None))


def test_describing_imports_no_torch() -> None:
    code = f"import sys; from efficiency.workloads import describe; describe({str(EXAMPLE)!r}); " + (
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=EXAMPLE.parents[2])


def test_defaults_and_the_default_function(tmp_path: Path) -> None:
    workload = describe(str(_file(tmp_path, SHORT.format(key="mine"))))
    assert (workload.key, workload.family, workload.model) == ("mine", "other", "Mine")
    assert workload.training.epochs == 3


def test_an_unchanged_file_is_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, SHORT.format(key="mine"))
    first = describe_in_child(f"{path}:make")
    monkeypatch.setattr(user_file, "_answer", lambda *_: pytest.fail("the file was run again"))
    assert describe_in_child(f"{path}:make") is first


def test_a_changed_file_is_run_again(tmp_path: Path) -> None:
    assert describe_in_child(str(_file(tmp_path, SHORT.format(key="mine")))).key == "mine"
    assert describe_in_child(str(_file(tmp_path, SHORT.format(key="changed")))).key == "changed"


def test_what_a_file_prints_does_no_harm(tmp_path: Path) -> None:
    noise = "import os\nprint('user-workload:{}')\nos.system('echo noise')\nprint('no line end', end='')\n"
    path = _file(tmp_path, noise + SHORT.format(key="mine") + "\nimport atexit\natexit.register(print, '{}')\n")
    assert describe_in_child(f"{path}:make").key == "mine"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def make(:\n", "SyntaxError"),
        ("import no_such_package\n", "no_such_package"),
        ("def other():\n    pass\n", "has no function 'make'"),
        ("def make():\n    return {}\n", "returned no efficiency.workloads.Workload"),
        ("def make():\n    return 1 / 0\n", "ZeroDivisionError"),
        ("import sys\nsys.exit(3)\n", "SystemExit"),
        ("import os\nos.write(2, b'out of luck')\nos._exit(3)\n", r"status 3\): out of luck"),
        (SHORT.format(key="Not a slug"), "small letters, digits and hyphens"),
        (SHORT.format(key="lstm-classifier"), "is a built-in workload's"),
        (SHORT.format(key="mine").replace("(DATA,)", "()"), "`datasets` is empty"),
        (SHORT.format(key="mine").replace('("a", "b")', '("a",)'), "fewer than 2 classes"),
        (SHORT.format(key="mine").replace('Dataset("d"', 'Dataset("v1/clean"'), "data set's key 'v1/clean' must be"),
        (SHORT.format(key="mine").replace("(DATA,)", "(DATA, DATA)"), "two data sets have the key 'd'"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence) as refused:
        describe_in_child(f"{_file(tmp_path, text)}:make")
    assert str(refused.value).startswith("--workload: ")
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def _layers(folder: Path, width: int) -> str:
    """A workload that is trained on first use, with that many hidden units; what names it."""
    text = f"""
import numpy as np
import torch
from torch import nn
from efficiency.workloads import Dataset, Workload
from efficiency.workloads.base import Rows, Training

def load(split, rows):
    inputs = np.random.default_rng(len(split)).normal(size=(40, 4)).astype(np.float32)
    return Rows(inputs[:rows], (inputs[:rows, 0] > 0).astype(np.int64))

DATA = Dataset("d", "D", "", "other", ("a", "b"), load=load, fingerprint=lambda: "d-1")

def declare():
    return Workload(
        key="mine", label="Mine", summary="", datasets=(DATA,), encode=torch.from_numpy,
        build=lambda classes: nn.Sequential(nn.Linear(4, {width}), nn.ReLU(), nn.Linear({width}, classes)),
        training=Training(epochs=1, peak_learning_rate=1e-2),
    )
"""
    folder.mkdir(exist_ok=True)
    return f"{_file(folder, text)}:declare"


def test_layers_that_changed_are_told_with_a_command_that_works(tmp_path: Path, home: Path) -> None:
    from efficiency.workloads import cards, checkpoints

    folder = tmp_path / "with a space"
    before = get(_layers(folder, 8))
    told: list[tuple[str, float]] = []
    checkpoints.train_and_save(before, before.dataset(None), progress=lambda *step: told.append(step))
    assert told == [("training mine on D, epoch 1 of 1", 1.0), ("testing mine on D", 1.0)]
    workload = get(_layers(folder, 16))
    dataset = workload.dataset(None)
    with pytest.raises(CheckpointRefused, match="does not fit the model of mine") as refused:
        checkpoints.verify(workload, dataset)

    told = re.search(r"run `python (-m efficiency train .+)`\.$", str(refused.value))
    assert told is not None
    assert told.group(1) in cards.how_to_train(describe(workload.name), dataset)
    subprocess.run([sys.executable, *shlex.split(told.group(1))], check=True, timeout=120, cwd=EXAMPLE.parents[2])
    checkpoints.verify(workload, dataset)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadRequest, match=r"there is no file no/such\.py"):
        describe_in_child("no/such.py:make")


def test_a_hang_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_file, "TIMEOUT_S", 0.5)
    with pytest.raises(BadRequest, match=r"within 0\.5 s"):
        describe_in_child(f"{_file(tmp_path, 'import time; time.sleep(600)')}:make")


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.key)
def test_the_weights_of_the_built_in_models_are_as_declared(workload) -> None:
    shares = user_file.weights_by_layer(workload.build(len(workload.datasets[0].classes)))
    for kind in {*shares, *workload.weights_in}:
        assert shares.get(kind, 0.0) == pytest.approx(workload.weights_in.get(kind, 0.0), abs=0.01), kind


def test_weights_are_told_apart_by_layer() -> None:
    from torch import nn

    parts = {
        "attention": nn.MultiheadAttention(8, 2),
        "other": nn.ModuleList([nn.GRU(4, 8), nn.Conv1d(4, 8, 3), nn.Conv3d(2, 2, 3)]),
        "lstm": nn.LSTM(4, 8),
        "conv": nn.Conv2d(4, 8, 3),
        "embedding": nn.Embedding(10, 8),
        "linear": nn.Linear(8, 10),
    }
    counts = {kind: sum(p.numel() for p in part.parameters() if p.dim() > 1) for kind, part in parts.items()}
    parts["tied"] = nn.Linear(8, 10)
    parts["tied"].weight = parts["embedding"].weight
    shares = user_file.weights_by_layer(nn.ModuleDict(parts))
    assert counts["attention"] == 4 * 8 * 8
    assert shares == {kind: pytest.approx(n / sum(counts.values()), abs=1e-4) for kind, n in counts.items()}
