"""Weights that change while a study runs: it holds one model, and keeps nothing under another's name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import moody_workload
import numpy as np
import peaks
import pytest
from safetensors.numpy import load_file, save_file

from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import child, job, prepared_cache
from efficiency.engine.progress import Progress
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study, Variant

EFFORT = Effort(test_rows=100, calibration_rows=64, training_rows=64, replicates=2, seconds_per_replicate=0.05)


@pytest.fixture
def home(home: Path) -> Path:
    """For children, too: they have the surroundings that the server had from which they are forked."""
    child.let_go()
    return home


def conducted(store: Store, workload: str, meanwhile: Callable[[], None] = lambda: None) -> str:
    """A study of the baseline and inference mode; `meanwhile` happens right before the second is probed."""
    called = False

    def tell(progress: Progress) -> None:
        nonlocal called
        if "Inference mode" in progress.now and not called:
            called = True
            meanwhile()

    peaks.known()
    study = Study((workload,), (Variant.of(["inference-mode"]),), (Condition(),), EFFORT)
    id = store.add_study(study.as_dict(), name="", machine=this_machine().as_dict(), command="")
    assert job.conduct(store, id, tell) == "done", store.study(id).message
    return id


def test_a_checkpoint_that_was_replaced_meanwhile_fails_what_is_made_of_it(home: Path) -> None:
    def replaced() -> None:
        (checkpoint,) = (home / "trained").glob("*.safetensors")
        others = {name: value + 1 for name, value in load_file(checkpoint).items()}
        save_file(others, checkpoint.with_suffix(".part"))
        os.replace(checkpoint.with_suffix(".part"), checkpoint)

    with Store.open() as store:
        id = conducted(store, f"{moody_workload.__file__}:untrained", replaced)
        rows = store.rows([id]).set_index("variant")
    assert dict(rows["status"]) == {"baseline": "done", "control": "done", "inference-mode": "failed"}
    said = "The checkpoint of untrained-mlp on points changed while the study ran; run the study again."
    assert rows.loc["inference-mode", "reason"] == said
    assert prepared_cache.held().preparations == 1, "the baseline alone"


def test_what_a_users_own_other_weights_made_serves_no_later_study(home: Path) -> None:
    shutil.copy(moody_workload.__file__, home / "mine.py")

    def bias(value: float) -> None:
        np.save(home / "bias.npy", np.full(len(moody_workload.CLASSES), value, dtype=np.float32))

    with Store.open() as store:
        bias(0.0)
        first = conducted(store, f"{home / 'mine.py'}:reads_a_file", lambda: bias(1.0))
        bias(0.0)
        second = conducted(store, f"{home / 'mine.py'}:reads_a_file")
        found = {
            (id, row["variant"]): store.details(int(row["row_id"]))["prepared"]
            for id in (first, second)
            for _, row in store.rows([id]).query("variant != 'control'").iterrows()
        }
    assert found[second, "baseline"]["from_cache"]
    assert not found[second, "inference-mode"]["from_cache"]
    assert prepared_cache.holds(found[first, "inference-mode"]["key"]), "it can be taken home all the same"
