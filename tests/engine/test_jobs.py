"""Studies in processes of their own: one at a time, cancelled or killed without a trace left at work."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import moody_workload
import pandas as pd
import peaks
import psutil
import pytest
from waiting import until

from efficiency import paths
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine import job, jobs, turn
from efficiency.engine.progress import Progress, ProgressFile, folder_of
from efficiency.errors import BadRequest, EfficiencyError, UnknownName
from efficiency.results.store import Store
from efficiency.study import Study, Variant

SHORT = Study(
    workloads=(f"{moody_workload.__file__}:steady",),
    variants=(Variant.of(["dynamic-int8"]), Variant.of(["inference-mode"])),
    conditions=(Condition(),),
    effort=Effort(test_rows=None, calibration_rows=64, training_rows=64, replicates=2, seconds_per_replicate=0.2),
)
LONG = replace(SHORT, effort=replace(SHORT.effort, replicates=60, seconds_per_replicate=1.0))


@pytest.fixture
def store() -> Iterator[Store]:
    """In the home that the jobs see, too; what a failed test left running is ended."""
    peaks.known()
    with Store.open() as opened:
        yield opened
        for told in jobs.live(opened):
            jobs.cancel(opened, told.study_id)
        assert until(lambda: not jobs.live(opened) and all_collected(), 60)


def all_collected() -> bool:
    """Whether every process that was started has ended."""
    jobs._reap()
    return not jobs._children


def process_of(study_id: str) -> psutil.Process | None:
    found = ProgressFile(study_id).read()
    return found[1] if found else None


def is_timing(store: Store, study_id: str, process: int = 1) -> bool:
    return f"process {process} of" in jobs.progress(store, study_id).now


def ended(store: Store, study_id: str, state: str) -> bool:
    """Waits for the study to end, and says whether in this state."""
    assert until(lambda: not jobs.progress(store, study_id).live)
    return jobs.progress(store, study_id).state == store.study(study_id).status == state


def rows(store: Store, study_id: str) -> pd.DataFrame:
    return store.rows([study_id]).set_index("variant")


def gone(processes: list[psutil.Process]) -> bool:
    """Ended; one whose parent was killed may stay in the table until it is collected."""
    return until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes))


def test_a_study_is_measured_in_the_background(store):
    study_id = jobs.submit(store, SHORT, name="Mine", command="from the test")
    assert store.study(study_id).status in {"queued", "running"}
    assert [told.study_id for told in jobs.live(store)] == [study_id]
    worker = None

    def seen() -> bool:
        nonlocal worker
        worker = worker or process_of(study_id)
        return not jobs.progress(store, study_id).live

    assert until(seen)
    assert worker is not None
    assert worker.pid != os.getpid()
    assert ended(store, study_id, "done")
    assert set(rows(store, study_id)["status"]) == {"done"}
    assert jobs.live(store) == []
    told = jobs.progress(store, study_id)
    assert (told.done, told.total) == (4, 4)
    record = store.study(study_id)
    assert (record.name, record.command) == ("Mine", "from the test")
    assert gone([worker])


def test_that_the_machine_is_disturbed_all_the_while_is_known_from_the_studies_before(store):
    first = jobs.submit(store, SHORT)
    assert ended(store, first, "done")
    baseline = int(rows(store, first).loc["baseline", "row_id"])
    pulse = store.details(baseline)["pulse"]
    calm = {**pulse, "handoff_ns": [ns / 4 for ns in pulse["handoff_ns"]]}
    columns = {"variant": "baseline", "device": "cpu", "threads": rows(store, first)["threads"].iloc[0]}
    earlier = store.add_study({}, name="At a calm hour", machine=store.study(first).machine, command="", status="done")
    store.put_row(earlier, 0, columns, {"pulse": calm})

    second = jobs.submit(store, SHORT)
    assert ended(store, second, "done")
    assert rows(store, second)["warnings"].str.contains("disturbed").all()
    felt = store.details(int(rows(store, second).loc["baseline", "row_id"]))["pulse"]
    assert felt["best_ns"] < min(felt["handoff_ns"]), "It met nothing like it."
    store.delete(earlier)


def test_one_at_a_time_and_a_cancelled_one_makes_room(store):
    first = jobs.submit(store, LONG)
    assert until(lambda: is_timing(store, first, 3))
    second = jobs.submit(store, SHORT)
    assert until(lambda: jobs.progress(store, second).waiting_for == first)
    assert jobs.progress(store, second).state == store.study(second).status == "queued"
    assert [told.study_id for told in jobs.live(store)] == [first, second]
    assert rows(store, second).empty

    worker = process_of(first)
    assert worker is not None
    children = worker.children(recursive=True)
    assert children
    jobs.cancel(store, first)
    assert ended(store, first, "cancelled")
    assert gone([worker, *children])
    assert ended(store, second, "done")

    kept = rows(store, first)
    # What was found out by then is kept, relative to the baseline: two processes are enough for an interval.
    assert set(kept["status"]) == {"done"}
    assert (kept["replicates"] >= 2).all()
    assert kept["speedup_ci_low"].notna().all()
    assert kept["accuracy_pct"].notna().sum() == 3
    assert kept.loc["baseline", "size_ratio"] == 1.0
    assert kept.loc["dynamic-int8", "size_ratio"] > 2
    assert len(store.answers(int(kept.loc["dynamic-int8", "row_id"]))) == moody_workload.ROWS["test"]
    assert len(store.samples(int(kept.loc["baseline", "row_id"]))) > 0


def test_cancelling_while_it_waits_ends_it(store):
    with turn.taken("somebody-else", lambda holder: None):
        study_id = jobs.submit(store, SHORT)
        assert until(lambda: jobs.progress(store, study_id).waiting_for == "somebody-else")
        jobs.cancel(store, study_id)
        assert ended(store, study_id, "cancelled")
    assert store.study(study_id).message == "Cancelled before anything was measured."
    assert rows(store, study_id).empty


def test_cancelling_at_once_ends_it_before_it_starts(store):
    study_id = jobs.submit(store, SHORT)
    jobs.cancel(store, study_id)
    assert ended(store, study_id, "cancelled")
    # Its process comes, sees that nobody wants it any more, and leaves.
    assert until(all_collected)
    assert store.study(study_id).status == "cancelled"
    assert rows(store, study_id).empty


def test_a_killed_job_is_seen_and_its_children_end(store):
    study_id = jobs.submit(store, LONG)
    assert until(lambda: is_timing(store, study_id))
    worker = process_of(study_id)
    assert worker is not None
    children = worker.children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    assert ended(store, study_id, "interrupted")
    assert "what was measured is kept" in store.study(study_id).message
    assert gone(children)
    assert rows(store, study_id).loc["dynamic-int8", "size_ratio"] > 2
    # The machine is free again.
    with turn.taken("next", lambda holder: pytest.fail(f"{holder} still has the machine")):
        assert turn.holder() == "next"


def test_what_cannot_be_run_is_refused_with_every_problem_and_not_stored(store):
    poor = replace(SHORT, conditions=(Condition(batch_size=0, threads=9999),), variants=())
    with pytest.raises(BadRequest) as caught:
        jobs.submit(store, poor)
    for option in ("--batch-size", "--threads", "--technique"):
        assert option in str(caught.value)
    assert store.studies().empty


def test_what_became_impossible_while_it_waited_is_told_without_options(store):
    asked = replace(SHORT, workloads=("nowhere/at_all.py:make",))
    study_id = store.add_study(asked.as_dict(), name="", machine={}, command="", status="queued")
    assert job.conduct(store, study_id) == "failed"
    assert store.study(study_id).message.startswith("Workload: there is no file ")


def test_a_home_named_relative_to_where_one_stands_is_found_by_the_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFICIENCY_HOME", "home")
    with Store.open() as store, turn.taken("somebody-else", lambda holder: None):
        study_id = jobs.submit(store, SHORT)
        assert until(lambda: jobs.progress(store, study_id).waiting_for == "somebody-else")
        jobs.cancel(store, study_id)
        assert ended(store, study_id, "cancelled")
    assert (tmp_path / "home" / "jobs" / study_id / "job.log").is_file()


def test_a_study_that_ended_needs_no_progress_file(store):
    study_id = store.add_study({}, name="", machine={}, command="", status="done")
    assert jobs.progress(store, study_id).state == "done"
    assert jobs.live(store) == []
    jobs.cancel(store, study_id)
    assert store.study(study_id).status == "done"


def test_a_study_whose_process_left_no_word_is_interrupted(store):
    study_id = store.add_study({}, name="", machine={}, command="", status="queued")
    folder_of(study_id).mkdir(parents=True)
    assert jobs.progress(store, study_id).state == "queued"
    long_ago = time.time() - jobs.START_S - 1
    os.utime(folder_of(study_id), (long_ago, long_ago))
    assert jobs.progress(store, study_id).state == store.study(study_id).status == "interrupted"
    assert "before anything was measured" in store.study(study_id).message
    assert "kept" not in store.study(study_id).message


def test_what_an_interrupted_study_had_prepared_goes_and_its_logs_stay(store):
    study_id = store.add_study({}, name="", machine={}, command="", status="queued")
    (folder_of(study_id) / "prepared").mkdir(parents=True)
    (folder_of(study_id) / "prepared" / "weights").write_text("large")
    (folder_of(study_id) / "job.log").write_text("said")
    long_ago = time.time() - jobs.START_S - 1
    os.utime(folder_of(study_id), (long_ago, long_ago))
    assert jobs.progress(store, study_id).state == "interrupted"
    assert [part.name for part in folder_of(study_id).iterdir()] == ["job.log"]


def test_a_study_whose_process_cannot_be_started_has_failed(store, tmp_path, monkeypatch):
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    monkeypatch.setattr(jobs, "folder_of", lambda study_id: blocked / study_id)
    with pytest.raises(EfficiencyError, match=r"Nothing can be started: Not a directory .*make room there"):
        jobs.submit(store, SHORT)
    (study,) = store.studies().to_dict("records")
    assert study["status"] == "failed"
    assert "Nothing can be started" in store.study(study["id"]).message
    assert jobs.live(store) == []


def test_a_study_that_another_home_runs_is_left_to_it(store):
    study_id = store.add_study({}, name="", machine={}, command="", status="running")
    assert jobs.progress(store, study_id).state == store.study(study_id).status == "running"
    assert [told.study_id for told in jobs.live(store)] == [study_id]
    jobs.cancel(store, study_id)
    assert store.study(study_id).status == "cancelled"
    assert "where another program still measures it, that goes on" in store.study(study_id).message


def test_what_a_deleted_study_left_is_removed(store):
    folder_of("a").mkdir(parents=True)
    (folder_of("a") / "job.log").write_text("said")
    ProgressFile("a").write(Progress("a", "done"))
    jobs.forget("a")
    jobs.forget("never-was")
    assert ProgressFile("a").read() is None
    assert not folder_of("a").exists()


def test_an_unknown_study_is_told(store):
    with pytest.raises(UnknownName, match="Unknown study"):
        jobs.progress(store, "nope")


class TestProgressFile:
    TOLD = Progress("a", "running", "Timing", 1, 4, 2.5, 7.0)

    def test_what_is_written_is_read_with_its_living_writer(self):
        ProgressFile("a").write(self.TOLD)
        told, process = ProgressFile("a").read()
        assert told == self.TOLD
        assert process.pid == os.getpid()
        ProgressFile("a").remove()
        assert ProgressFile("a").read() is None

    def test_a_number_that_passed_to_another_process_is_not_the_writer(self):
        ProgressFile("a").write(self.TOLD)
        file = folder_of("a").with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"pid_started": 12.0}))
        assert ProgressFile("a").read() == (self.TOLD, None)

    def test_what_another_version_writes_beside_it_is_let_go(self):
        ProgressFile("a").write(self.TOLD)
        file = folder_of("a").with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"of_tomorrow": 1}))
        told, process = ProgressFile("a").read()
        assert (told, process.pid) == (self.TOLD, os.getpid())

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}', '{"pid": "x", "pid_started": 0}'])
    def test_what_does_not_read_counts_as_nothing(self, content):
        file = folder_of("a").with_suffix(".json")
        file.parent.mkdir(parents=True)
        file.write_text(content)
        assert ProgressFile("a").read() is None

    def test_a_file_that_cannot_be_written_does_not_end_a_measurement(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path / "file" / "home"))
        ProgressFile("a").write(self.TOLD)
        assert ProgressFile("a").read() is None


def test_logs_lie_under_the_home():
    assert folder_of("a") == Path(paths.home()) / "jobs" / "a"
