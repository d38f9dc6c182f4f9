"""Real small studies from end to end: what is measured is stored, and what breaks does not stop the rest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import moody_workload
import numpy as np
import pandas as pd
import peaks
import psutil
import pytest

from efficiency import check
from efficiency.analysis import accuracy, speed, stillness
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import conductor, job, recording, timing
from efficiency.engine.progress import Progress, ProgressFile, folder_of
from efficiency.machine import this_machine
from efficiency.measure.latency import LEAST_ROUNDS
from efficiency.results.store import Store
from efficiency.study import Study, Variant

EFFORT = Effort(test_rows=200, calibration_rows=64, training_rows=64, replicates=2, seconds_per_replicate=0.2)
LIMIT_S = 15.0
MOODY = (
    Variant.of(["dynamic-int8"]),
    Variant.of(["inference-mode"]),
    Variant.of(["amp-bf16"]),
    Variant.of(["amp-bf16", "inference-mode"]),
    Variant.of(["channels-last"]),
)


def study_of(make: str, *variants: Variant) -> Study:
    return Study((f"{moody_workload.__file__}:{make}",), variants, (Condition(),), EFFORT)


@dataclass
class Conducted:
    """A study that has been run, and what was said meanwhile."""

    store: Store
    id: str
    status: str
    told: list[Progress]

    @property
    def rows(self) -> pd.DataFrame:
        return self.store.rows([self.id]).set_index("variant")

    def samples(self, variant: str) -> np.ndarray:
        found = self.store.samples(int(self.rows.loc[variant, "row_id"]))
        nanoseconds = np.rint(1e6 * found["latency_ms"])
        return np.column_stack([found["replicate"], found["round"], nanoseconds]).astype(np.int64)

    def answers(self, variant: str) -> pd.DataFrame:
        return self.store.answers(int(self.rows.loc[variant, "row_id"]))


def conducted(study: Study, folder: Path) -> Conducted:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFICIENCY_HOME", str(folder))
        patch.setattr(conductor, "PATIENCE", 0.0)
        patch.setattr(conductor, "GRACE_S", LIMIT_S)
        peaks.known()
        store = Store.open(f"sqlite:///{folder / 'e.db'}")
        study_id = store.add_study(study.as_dict(), name="", machine=this_machine().as_dict(), command="")
        told: list[Progress] = []
        status = job.conduct(store, study_id, told.append)
        found = ProgressFile(study_id).read()
        assert found is not None
        assert found[0] == told[-1]
        # What was learned has served; the log stays.
        assert [part.name for part in folder_of(study_id).iterdir() if part.is_dir()] == []
        assert (folder_of(study_id) / "children.log").is_file()
    return Conducted(store, study_id, status, told)


@pytest.fixture(scope="module")
def moody_before() -> set[int]:
    """Process ids of the children from before the study, such as the browser of other tests."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(scope="module")
def moody(moody_before: set[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conducted]:
    """One study in which three variants break, each in its own way."""
    found = conducted(study_of("moody", *MOODY), tmp_path_factory.mktemp("moody"))
    yield found
    found.store.close()


def test_the_study_goes_on_and_is_done(moody):
    assert moody.status == moody.store.study(moody.id).status == "done"
    assert dict(moody.rows["status"]) == {
        "baseline": "done",
        "control": "done",
        "dynamic-int8": "done",
        "inference-mode": "failed",
        "amp-bf16": "failed",
        "amp-bf16+inference-mode": "failed",
        "channels-last": "not-applicable",
    }
    assert list(moody.rows["position"]) == list(range(7))


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("inference-mode", "it was killed"),
        ("amp-bf16", f"It gave no sign of life for {LIMIT_S:.0f} s and was stopped."),
        ("amp-bf16+inference-mode", "While it was timed: Its process ended without a result: it crashed with SIGABRT."),
        ("channels-last", "convolution"),
    ],
)
def test_what_broke_says_why(moody, variant, said):
    assert said in moody.rows.loc[variant, "reason"]
    assert pd.isna(moody.rows.loc[variant, "on_pareto_front"])


def test_only_what_is_not_done_has_a_reason(moody):
    done = moody.rows["status"] == "done"
    assert moody.rows.loc[done, "reason"].isna().all()
    assert moody.rows.loc[~done, "reason"].notna().all()


def test_raw_samples_are_kept_and_paired(moody):
    places = {key: moody.samples(key)[:, :2] for key in ("baseline", "control", "dynamic-int8")}
    assert set(places["baseline"][:, 0]) == {0, 1}
    rounds = {key: set(map(tuple, found)) for key, found in places.items()}
    assert rounds["baseline"] == rounds["control"] == rounds["dynamic-int8"]
    assert all((moody.samples(key)[:, 2] > 0).all() for key in places)


def test_what_was_never_timed_has_no_samples(moody):
    for key in ("inference-mode", "amp-bf16", "channels-last"):
        assert len(moody.samples(key)) == 0
        assert pd.isna(moody.rows.loc[key, "latency_ms_p50"])


def test_every_test_row_asked_for_was_answered(moody):
    expected = moody_workload.load("test", 200).labels
    for key in ("baseline", "dynamic-int8"):
        answers = moody.answers(key)
        assert list(answers["label"]) == list(expected)
        share = 100 * (answers["predicted"] == answers["label"]).mean()
        assert moody.rows.loc[key, "accuracy_pct"] == pytest.approx(share)
    assert moody.rows.loc["baseline", "accuracy_pct"] > 90
    assert "test-subset" in moody.rows.loc["baseline", "warnings"]


def test_the_columns_follow_from_what_is_kept(moody):
    row, baseline = moody.rows.loc["dynamic-int8"], moody.answers("baseline")
    ratio = speed.speed_up(moody.samples("baseline"), moody.samples("dynamic-int8"))
    assert (row["speedup"], row["speedup_ci_low"]) == pytest.approx((ratio.estimate, ratio.low))
    assert row["speedup_precision_pct"] == pytest.approx(100 * ratio.precision)
    assert row["latency_ms_p50"] == pytest.approx(speed.latency(moody.samples("dynamic-int8")).p50_ms)
    answers = moody.answers("dynamic-int8")
    change = accuracy.difference(*(f.to_numpy() for f in (answers["predicted"], baseline["predicted"], answers.label)))
    assert row["accuracy_delta_pp"] == pytest.approx(change.delta_pp)
    assert row["agreement_pct"] == pytest.approx(change.agreement_pct)


def test_rows_of_a_users_own_model_tell_its_code(moody):
    told = moody.rows.loc[moody.rows["status"] == "done", "code_digest"]
    assert "control" in told.index
    assert told.nunique(dropna=False) == 1
    assert told.notna().all()


def test_logits_are_compared_with_the_baselines(moody):
    kept = {key: moody.store.details(int(moody.rows.loc[key, "row_id"])) for key in ("baseline", "dynamic-int8")}
    assert kept["baseline"]["logits"] is None
    assert pd.isna(moody.rows.loc["baseline", "logits_snr_db"])
    snr_db = moody.rows.loc["dynamic-int8", "logits_snr_db"]
    assert 20 < snr_db < 60  # eight bits of weights and of activations
    assert kept["dynamic-int8"]["logits"] == {"snr_db": snr_db, "why_not": None}


def test_what_computes_the_same_has_no_distance(tmp_path):
    found = conducted(study_of("steady", Variant.of(["inference-mode"])), tmp_path)
    details = found.store.details(int(found.rows.loc["inference-mode", "row_id"]))
    assert details["logits"] == {"snr_db": None, "why_not": "identical"}
    assert pd.isna(found.rows.loc["inference-mode", "logits_snr_db"])
    found.store.close()


def test_the_baseline_and_the_control(moody):
    baseline, control = moody.rows.loc["baseline"], moody.rows.loc["control"]
    assert (baseline["speedup"], baseline["speed_verdict"], baseline["accuracy_verdict"]) == (1.0, "same", "kept")
    assert not control["on_pareto_front"]
    assert pd.isna(control["accuracy_pct"])
    assert control["speedup_ci_low"] < control["speedup"] < control["speedup_ci_high"]


def test_sizes_evidence_and_a_cold_start_are_there(moody):
    rows = moody.rows
    weights = 4 * (moody_workload.FEATURES + len(moody_workload.CLASSES)) * moody_workload.HIDDEN / 1e6
    assert weights < rows.loc["baseline", "size_mb"] < weights + 0.02
    assert rows.loc["dynamic-int8", "size_ratio"] > 2
    assert rows.loc["dynamic-int8", "took_effect"] == "yes"
    for key in ("baseline", "dynamic-int8"):
        assert (rows.loc[key, ["load_s", "first_call_ms", "prepare_s"]] > 0).all()
        assert rows.loc[key, "peak_memory_mb"] >= 0
    details = moody.store.details(int(rows.loc["dynamic-int8", "row_id"]))
    assert pd.isna(rows.loc["dynamic-int8", "energy_mj"]) == bool(details["energy"]["reason"])
    assert pd.isna(rows.loc["dynamic-int8", "energy_source"]) == bool(details["energy"]["reason"])
    assert details["evidence"]["dynamic-int8"]["reason"]
    assert details["test_rows"] == 200
    assert len(details["health"]) == 2
    assert all(seen["others_cores"] >= 0 for seen in details["health"])


def test_progress_never_goes_back(moody):
    counts = [told.done for told in moody.told]
    assert counts == sorted(counts)
    prepared = [told.prepared for told in moody.told]
    assert prepared == sorted(prepared)
    assert {0, 1, 6} < set(prepared), "one by one"
    assert moody.told[-1].state == "done"
    assert moody.told[-1].done == moody.told[-1].total == 6  # one does not apply
    assert {told.state for told in moody.told} == {"queued", "running", "done"}


def test_no_child_is_left_behind(moody_before, moody):
    assert [child.cmdline() for child in left_of_a_study(psutil.Process(), moody_before)] == []


def left_of_a_study(parent: psutil.Process, before: set[int]) -> Iterator[psutil.Process]:
    """Descendants of ``parent``, without the processes of ``before`` and whatever those have started since."""
    for child in parent.children():
        # multiprocessing's own helpers stay and serve the next study; only what they started is looked at.
        if any(helper in " ".join(child.cmdline()) for helper in ("forkserver", "resource_tracker")):
            yield from left_of_a_study(child, before)
        elif child.pid not in before:
            yield child
            yield from left_of_a_study(child, before)


def test_a_model_that_gives_no_numbers_is_refused(tmp_path):
    found = conducted(study_of("answers_nothing", Variant.of(["inference-mode"])), tmp_path)
    assert found.status == "failed"
    assert "scores that are no numbers (NaN)" in found.rows.loc["baseline", "reason"]
    found.store.close()


def test_a_model_of_other_shapes_than_it_declares_is_refused(tmp_path):
    for make, said in (
        ("too_many_scores", "scores of shape (1, 7) for 1 rows and 4 classes"),
        ("loses_rows", "`encode` gave 1 inputs for 200 rows"),
        ("declares_more", "declares 4000 test rows and gives 400"),
    ):
        found = conducted(study_of(make, Variant.of(["inference-mode"])), tmp_path / make)
        assert found.status == "failed"
        assert said in found.rows.loc["baseline", "reason"]
        found.store.close()


def test_a_baseline_that_does_not_run_fails_the_study(tmp_path):
    found = conducted(study_of("broken", Variant.of(["inference-mode"])), tmp_path)
    assert found.status == "failed"
    assert set(found.rows["status"]) == {"failed"}
    said = found.store.study(found.id).message
    assert re.search(r"ValueError: This model never works \(line \d+ of moody_workload.py\)\.", said)
    for key in ("control", "inference-mode"):
        assert found.rows.loc[key, "reason"].startswith("The baseline could not be measured")
    found.store.close()


def test_conditions_are_compared_each_with_its_own_baseline(tmp_path):
    study = study_of("steady", Variant.of(["static-int8"]))
    two = Study(study.workloads, study.variants, (Condition(batch_size=2), Condition(batch_size=16)), EFFORT)
    found = conducted(two, tmp_path)
    rows = found.store.rows([found.id])
    assert found.status == "done"
    assert list(rows["batch_size"]) == [2, 2, 2, 16, 16, 16]
    assert list(rows["variant"]) == ["baseline", "control", "static-int8"] * 2
    assert set(rows["status"]) == {"done"}
    assert list(rows.loc[rows["variant"] == "baseline", "speedup"]) == [1.0, 1.0]
    throughput = 1e3 * rows["batch_size"] / rows["latency_ms_p50"]
    assert list(rows["throughput_per_s"]) == pytest.approx(list(throughput))
    assert (rows.loc[rows["variant"] == "static-int8", "took_effect"] == "yes").all()
    # Prepared and answered once for both; started cold for each.
    details = [found.store.details(row_id) for row_id in rows.loc[rows["variant"] == "static-int8", "row_id"]]
    assert details[0]["probe_s"] == details[1]["probe_s"]
    static = rows[rows["variant"] == "static-int8"]
    assert len(set(zip(static["load_s"], static["first_call_ms"], strict=True))) == 2
    found.store.close()


def test_replicates_are_added_until_it_is_precise_or_may_not_be(tmp_path, monkeypatch):
    # Whatever else this machine does meanwhile: a disturbed process would be replaced by one more.
    monkeypatch.setattr(stillness, "SLOWER", float("inf"))
    monkeypatch.setattr(check, "LEAST_PRECISION", 0.0)  # what may be asked for, a few calls of a small model may reach
    counts = {}
    for precision, budget_s in ((1e-6, None), (1e-6, 1.0), (100.0, None)):
        study = study_of("steady", Variant.of(["inference-mode"]))
        effort = replace(EFFORT, most_replicates=4, precision=precision, budget_s=budget_s)
        found = conducted(replace(study, effort=effort), tmp_path / f"{precision}-{budget_s}")
        counts[precision, budget_s] = set(found.rows["replicates"])
        wide = found.rows["warnings"].fillna("").str.contains("wide-interval")
        assert set(wide[["control", "inference-mode"]]) == {precision < 1}
        found.store.close()
    assert counts == {(1e-6, None): {4}, (1e-6, 1.0): {2}, (100.0, None): {2}}


def test_a_slow_variant_is_called_as_often_as_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(recording.StoreRecorder, "still_ns", lambda recorder, entry: None)  # so that none lingers
    for calls in (0, 60):
        study = study_of("slow", Variant.of(["inference-mode"]))
        effort = replace(EFFORT, seconds_per_replicate=0.01, calls=calls)
        found = conducted(replace(study, effort=effort), tmp_path / str(calls))
        assert set(found.rows["status"]) == {"done"}
        assert all(calls <= len(found.samples(key)) < calls + 4 * LEAST_ROUNDS for key in found.rows.index)
        found.store.close()


def test_a_replicate_that_finds_the_machine_disturbed_is_put_off_but_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "PAUSE_S", 0.0)
    monkeypatch.setattr(recording.StoreRecorder, "still_ns", lambda recorder, entry: 1.0)  # no handoff is as quick
    study = replace(study_of("steady", Variant.of(["inference-mode"])), conditions=(Condition(threads=2),))
    found = conducted(study, tmp_path)
    assert "Waiting for an undisturbed moment" in {told.now for told in found.told}
    assert set(found.rows["replicates"]) == {EFFORT.replicates}
    assert set(found.rows["status"]) == {"done"}
    found.store.close()


def test_a_replicate_that_is_disturbed_goes_on_for_longer_as_far_as_the_budget_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(recording.StoreRecorder, "still_ns", lambda recorder, entry: 1.0)
    rounds = {}
    for budget_s in (600.0, 1.0):
        effort = replace(EFFORT, seconds_per_replicate=0.4, budget_s=budget_s)
        study = replace(study_of("steady", Variant.of(["inference-mode"])), effort=effort)
        found = conducted(study, tmp_path / str(budget_s))
        rounds[budget_s] = len(np.unique(found.samples("baseline")[:, :2], axis=0))
        found.store.close()
    assert rounds[600.0] > 2 * rounds[1.0]


def test_no_replicate_is_put_off_at_the_cost_of_the_budget(tmp_path, monkeypatch):
    monkeypatch.setattr(recording.StoreRecorder, "still_ns", lambda recorder, entry: 1.0)
    effort = replace(EFFORT, most_replicates=8_000, budget_s=1.0)
    study = replace(study_of("steady", Variant.of(["inference-mode"])), conditions=(Condition(threads=2),))
    found = conducted(replace(study, effort=effort), tmp_path)
    assert "Waiting for an undisturbed moment" not in {told.now for told in found.told}
    assert set(found.rows["replicates"]) == {EFFORT.replicates}
    found.store.close()


def test_heats_take_turns_so_that_all_see_the_machine_at_all_times(tmp_path):
    study = study_of("steady", Variant.of(["inference-mode"]))
    two = replace(study, conditions=(Condition(batch_size=2), Condition(batch_size=16)))
    found = conducted(two, tmp_path)
    said = [told.now for told in found.told if "timing" in told.now]
    assert not any("undisturbed moment" in told.now for told in found.told), "With one thread none is waited for."
    assert [("batch 16" in now, now.rsplit("process ")[1]) for now in said] == [
        (False, "1 of 2"),
        (True, "1 of 2"),
        (False, "2 of 2"),
        (True, "2 of 2"),
    ]
    found.store.close()


def test_the_machines_pulse_and_where_the_seconds_went_are_kept(moody):
    details = moody.store.details(int(moody.rows.loc["baseline", "row_id"]))
    pulse, rounds = details["pulse"], len(np.unique(moody.samples("baseline")[:, :2], axis=0))
    assert set(pulse["replicate"]) == {0, 1}
    assert len(pulse["handoff_ns"]) == rounds + 2  # one more closes each process
    assert min(pulse["handoff_ns"]) > 0
    assert len(details["replicate_seconds"]) == 2
    assert all(one["whole"] >= one["load"] + one["timed"] > 0 for one in details["replicate_seconds"])


def test_what_memory_does_not_hold_together_is_timed_in_groups(tmp_path, monkeypatch):
    small = replace(this_machine(), memory_mb=1.0)
    monkeypatch.setattr(job, "this_machine", lambda: small)
    study = study_of("steady", Variant.of(["inference-mode"]), Variant.of(["dynamic-int8"]))
    found = conducted(study, tmp_path)
    assert set(found.rows["status"]) == {"done"}
    processes = {key: set(found.samples(key)[:, 0]) for key in found.rows.index}
    assert processes["baseline"] == processes["control"] == processes["inference-mode"] | processes["dynamic-int8"]
    assert not processes["inference-mode"] & processes["dynamic-int8"]
    assert set(found.rows.loc[["inference-mode", "dynamic-int8"], "replicates"]) == {2}
    found.store.close()


def test_an_fp32_model_that_cannot_be_timed_fails_all_groups_of_its_heat(tmp_path, monkeypatch):
    """Group by group, in the same turn: the baseline and the control are in each, and fail once."""
    small = replace(this_machine(), memory_mb=1.0)
    monkeypatch.setattr(job, "this_machine", lambda: small)
    found = conducted(study_of("worn", Variant.of(["inference-mode"]), Variant.of(["dynamic-int8"])), tmp_path)
    assert found.status == "failed"
    assert set(found.rows["status"]) == {"failed"}
    assert found.rows["reason"].str.startswith("The comparison could not be timed: ").all()
    assert "unexpected error" not in found.store.study(found.id).message
    found.store.close()


def test_a_users_file_that_changes_meanwhile_ends_its_measurement(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path))
    peaks.known()
    file = tmp_path / "mine.py"
    shutil.copy(moody_workload.__file__, file)

    def tell(progress: Progress) -> None:
        if "Inference mode" in progress.now:
            file.write_text(file.read_text() + "HIDDEN = 32\n")

    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        study = Study((f"{file}:steady",), (Variant.of(["inference-mode"]),), (Condition(),), EFFORT)
        study_id = store.add_study(study.as_dict(), name="", machine={}, command="")
        assert job.conduct(store, study_id, tell) == "failed"
        reason = store.rows([study_id]).set_index("variant").loc["inference-mode", "reason"]
        assert "mine.py:steady changed while the study ran; run the study again." in reason


def test_cancelling_keeps_why_a_variant_failed(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path))
    peaks.known()

    def tell(progress: Progress) -> None:
        if "timing" in progress.now:
            raise conductor.Cancelled

    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        study = study_of("moody", Variant.of(["dynamic-int8"]), Variant.of(["inference-mode"]))
        study_id = store.add_study(study.as_dict(), name="", machine={}, command="")
        assert job.conduct(store, study_id, tell) == "cancelled"
        rows = store.rows([study_id]).set_index("variant")
        assert dict(rows["status"]) == {
            "baseline": "cancelled",
            "control": "cancelled",
            "dynamic-int8": "cancelled",
            "inference-mode": "failed",
        }
        assert "it was killed" in rows.loc["inference-mode", "reason"]
        assert rows.loc["dynamic-int8", "accuracy_pct"] > 80
        assert rows.loc["dynamic-int8", "reason"] == "Cancelled before it was timed."
        assert store.study(study_id).message.startswith("Cancelled before anything was timed; ")
        assert len(store.answers(int(rows.loc["dynamic-int8", "row_id"]))) == 200


def test_cancelling_keeps_what_was_timed_often_enough_for_an_interval(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path))
    peaks.known()

    def tell(progress: Progress) -> None:
        if "process 3 of 4" in progress.now:
            raise conductor.Cancelled

    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        study = study_of("steady", Variant.of(["inference-mode"]))
        study = replace(study, effort=replace(EFFORT, replicates=4))
        study_id = store.add_study(study.as_dict(), name="", machine={}, command="")
        assert job.conduct(store, study_id, tell) == "cancelled"
        rows = store.rows([study_id]).set_index("variant")
        assert set(rows["status"]) == {"done"}
        assert store.study(study_id).message == "Cancelled; what was measured is kept."
        assert set(rows["replicates"]) == {2}
        assert rows["speedup"].notna().all()


def test_a_study_that_was_cancelled_before_its_process_came_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path))
    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        study = study_of("steady", Variant.of(["inference-mode"]))
        study_id = store.add_study(study.as_dict(), name="", machine={}, command="", status="cancelled")
        assert job.conduct(store, study_id) == "cancelled"
        assert store.rows([study_id]).empty


def test_a_study_that_cannot_be_read_fails_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path))
    with Store.open(f"sqlite:///{tmp_path / 'e.db'}") as store:
        study_id = store.add_study({"not": "a study"}, name="", machine={}, command="")
        assert job.conduct(store, study_id) == "failed"
        assert "written by another version" in store.study(study_id).message


def test_the_row_names_the_machine(moody):
    assert set(moody.rows["machine"]) == {this_machine().label}
