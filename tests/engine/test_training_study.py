"""A small training study through the command line: what it measures, keeps and says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import moody_workload
import numpy as np
import pandas as pd
import peaks
import pytest
from commands import efficiency, surroundings

from efficiency import check, estimate
from efficiency.analysis import accuracy, derive, training, views
from efficiency.condition import Condition
from efficiency.effort import Effort, steps_for
from efficiency.engine import child, inputs, job
from efficiency.errors import DataUnavailable
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import TRAINING_EFFORTS, Study, Variant, plan_preset
from efficiency.ui import plan
from efficiency.workloads.training import batches

FILE, BATCH = moody_workload.__file__, 16
STEPS = steps_for(TRAINING_EFFORTS["quick"].training_rows, BATCH)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = surroundings(tmp_path_factory.mktemp("training"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFICIENCY_HOME", environment["EFFICIENCY_HOME"])
        peaks.known()
    asked = ["--phase", "training", "--batch-size", str(BATCH), "--threads", "1", "--budget", "14"]
    asked += ["--workload", f"{FILE}:steady", "--technique", "amp-bf16", "--technique", "inference-mode"]
    found: dict[str, Any] = efficiency("run", *asked, "--json", "-", environment=environment).document
    return found


def rows_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["columns"]["variant"]: row for row in document["rows"]}


def test_steps_are_timed_in_pairs_and_the_control_is_the_baseline(document: dict[str, Any]) -> None:
    rows = rows_of(document)
    columns = {key: row["columns"] for key, row in rows.items()}
    assert {key: row["status"] for key, row in columns.items()} == {
        "baseline": "done", "control": "done", "amp-bf16": "done", "inference-mode": "not-applicable",
    }  # fmt: skip
    assert "records no gradients" in columns["inference-mode"]["reason"]
    assert {row["phase"] for row in columns.values()} == {"training"}
    timed = {key: rows[key]["samples"] for key in ("baseline", "control", "amp-bf16")}
    rounds = {key: set(zip(s["replicate"], s["round"], strict=True)) for key, s in timed.items()}
    assert rounds["baseline"] == rounds["control"] == rounds["amp-bf16"]
    assert len({replicate for replicate, _ in rounds["baseline"]}) >= 4
    assert columns["control"]["speedup"] == pytest.approx(1, abs=0.25)
    assert columns["control"]["speed_verdict"] in ("same", "unresolved")
    for row in (columns["baseline"], columns["amp-bf16"]):
        assert row["throughput_per_s"] == pytest.approx(1e3 * BATCH / row["latency_ms_p50"])
        assert row["peak_memory_mb"] > 0
        assert row["ceiling_pct"] is None, "what a step takes at least is not known"
    assert columns["amp-bf16"]["took_effect"] == "yes"


def test_losses_fall_and_accuracy_is_paired(document: dict[str, Any]) -> None:
    rows = rows_of(document)
    kept = {key: rows[key]["details"]["training"] for key in ("baseline", "amp-bf16")}
    for key, found in kept.items():
        row = rows[key]
        assert found["steps"] == len(found["losses"]) == STEPS
        assert found["losses"][-1] < found["losses"][0]
        assert min(found["losses"]) <= row["columns"]["training_loss"] < found["losses"][0]
    first = [found["losses"][0] for found in kept.values()]
    assert first[0] == pytest.approx(first[1], rel=0.01), "the same weights and the same batch"
    assert first[0] != kept["baseline"]["reordered"]["losses"][0], "other batches"
    answers = {key: np.array(rows[key]["answers"]["predicted"]) for key in kept}
    labels = np.array(rows["baseline"]["answers"]["labels"])
    change = accuracy.difference(answers["amp-bf16"], answers["baseline"], labels)
    assert rows["amp-bf16"]["columns"]["accuracy_delta_pp"] == pytest.approx(change.delta_pp)
    assert len(labels) == moody_workload.ROWS["test"]


@pytest.mark.parametrize(
    ("make", "said"), [("forgets_its_rows", "the split is empty"), ("knows_no_such_split", "'no rows of train'")]
)
def test_a_file_without_rows_to_train_on_says_so(make: str, said: str) -> None:
    workload = getattr(moody_workload, make)()
    condition = Condition(batch_size=BATCH, phase="training")
    with pytest.raises(DataUnavailable, match=rf"has no training rows \({said}\); give points a split `train`"):
        inputs.sample(workload, workload.dataset(None), condition)
    sample, labels = inputs.sample(workload, workload.dataset(None), Condition(batch_size=BATCH))
    assert len(sample) == len(labels) == BATCH


def test_no_checkpoint_is_needed(home: Path) -> None:
    peaks.known()
    child.let_go()  # those forked from an earlier server have another home
    effort = Effort(None, 0, 4 * BATCH, replicates=2, seconds_per_replicate=0.05)
    condition = Condition(batch_size=BATCH, phase="training")
    study = Study((f"{FILE}:untrained",), (Variant.of(["amp-bf16"]),), (condition,), effort)
    with Store.open() as store:
        id = store.add_study(study.as_dict(), name="", machine=this_machine().as_dict(), command="")
        assert job.conduct(store, id) == "done", store.study(id).message
        assert set(store.rows([id])["status"]) == {"done"}
    assert not (home / "trained").exists()


def test_it_is_told_apart_from_inference_and_put_into_a_sentence(document: dict[str, Any], tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        id = documents.from_json(store, document)
        assert list(store.studies()["phase"]) == ["training"]
        rows = views.prepared(store.rows([id]))
        assert set(rows["condition"]) == {"CPU, batch 16, 1 thread, training"}
        ((title, panel),) = training.panels(rows)
        details = {int(row): store.details(int(row)) for row in panel["row_id"]}
    assert title == "Steady mlp · CPU, batch 16, 1 thread, training" or title.startswith("steady-mlp")
    (sentence,) = training.sentences(panel)
    assert sentence.startswith("AMP BF16 trains with ")
    curves = training.curves(panel, details)
    assert set(curves["variant"]) == {"baseline", "amp-bf16", "control"}
    assert set(curves.groupby("variant")["step"].max()) == {STEPS}
    assert list(training.outcome(panel, details)["Variant"]) == ["Baseline", "AMP BF16"]
    assert "batches in another order" in training.luck(panel, details)


def test_what_luck_explains_is_not_lost() -> None:
    labels = np.arange(1_000) % 4
    worse = np.where(np.arange(1_000) < 50, (labels + 1) % 4, labels)
    for luck_pp, verdict in ((0.0, "lost"), (2.0, "lost"), (7.0, "unresolved")):
        baseline = derive.Measured("baseline", False, 8, "done", predicted=labels, labels=labels, luck_pp=luck_pp)
        row = derive.Measured("amp-bf16", False, 8, "done", predicted=worse, labels=labels)
        assert derive.heat([baseline, row])[1]["accuracy_verdict"] == verdict


def test_what_was_not_learned_is_neither_kept_nor_lost() -> None:
    labels = np.arange(1_000) % 4
    guessed = np.zeros(1_000, dtype=np.int64)
    assert not accuracy.beats_guessing(guessed, labels)
    baseline = derive.Measured("baseline", False, 8, "done", predicted=guessed, labels=labels, luck_pp=0.0)
    row = derive.Measured("amp-bf16", False, 8, "done", predicted=guessed, labels=labels)
    assert derive.heat([baseline, row])[1]["accuracy_verdict"] == "unresolved"
    baseline.luck_pp = None  # in inference nothing is learned
    assert derive.heat([baseline, row])[1]["accuracy_verdict"] == "kept"


def test_batches_are_whole_shuffled_and_the_same_again() -> None:
    import torch

    rows, labels = torch.arange(10).unsqueeze(1), torch.arange(10)
    taken = [labels for _, labels in batches(rows, labels, 4, 5, seed=1)]
    assert [len(batch) for batch in taken] == [4] * 5
    assert torch.equal(torch.cat(taken).bincount(), torch.full((10,), 2)), "every row before any comes again"
    again = [labels for _, labels in batches(rows, labels, 4, 5, seed=1)]
    assert all(map(torch.equal, taken, again))
    other = [labels for _, labels in batches(rows, labels, 4, 5, seed=2)]
    assert not all(map(torch.equal, taken, other))


def test_one_study_measures_one_phase() -> None:
    here = this_machine()
    asked = plan_preset("quick", here, phase="training")
    assert check.problems(asked, here) == []
    mixed = replace(asked, conditions=(*asked.conditions, Condition()))
    assert any(problem.startswith("--phase") for problem in check.problems(mixed, here))


@pytest.mark.parametrize("preset", ["quick", "article", "full"])
def test_a_training_preset_is_planned_and_its_command_asks_for_the_same(preset: Any) -> None:
    here = this_machine()
    asked = plan_preset(preset, here, phase="training")
    assert check.problems(asked, here) == []
    assert plan.study_of(plan.defaults(preset, here, "training"), here) == asked
    assert plan.command(asked, here) == f"python -m efficiency run --phase training --preset {preset}"
    assert (
        0 < estimate.least_seconds(asked, here) <= estimate.seconds(asked, here) <= estimate.most_seconds(asked, here)
    )


def test_memory_is_told_by_its_share() -> None:
    assert training.memory(88.0, 100.0) == "with 12 % less memory here"
    assert training.memory(130.0, 100.0) == "with 30 % more memory here"
    assert training.memory(99.0, 100.0) == "with as much memory here"
    assert training.memory(pd.NA, 100.0) == ""
