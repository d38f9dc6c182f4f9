"""Drift measured in a real child process on a small workload, kept, and read off again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from drift_records import MINE, WORKLOAD
from typer.testing import CliRunner

from efficiency import paths
from efficiency.analysis import drift as analysis
from efficiency.analysis import drift_words
from efficiency.cli.app import app
from efficiency.drift import shifts
from efficiency.engine import drift_job
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.store import Store


@pytest.fixture
def store_of_home(home: Path) -> Iterator[Store]:
    with Store.open() as store:
        yield store


def test_there_is_a_line_for_every_variant_and_grade(record: drifts.DriftRecord) -> None:
    found = analysis.table(record)
    assert list(found.columns) == list(analysis.COLUMNS)
    assert sorted(found.groupby("variant")["grade"].apply(list)) == [[0, 1, 2, 3, 4, 5]] * 2
    assert (found["accuracy_low_pct"] <= found["accuracy_pct"]).all()
    assert analysis.reasons(record) == {"dynamic-int8": "It reaches Linear layers only."}
    heading, lines = drift_words.summary(found)
    assert {len(heading)} == {len(line) for line in lines}


def test_static_int8_is_compared_with_itself_at_grade_0(record: drifts.DriftRecord) -> None:
    static = analysis.table(record).query("variant == 'static-int8'").set_index("grade")
    assert static.loc[0, "excess_pp"] == 0
    assert static.loc[5, "range_ratio"] > static.loc[0, "range_ratio"]


def test_calibrating_anew_is_paired_with_the_same_rows(record: drifts.DriftRecord) -> None:
    static = analysis.table(record).query("variant == 'static-int8' and grade == 5").iloc[0]
    assert static["won_back_pp"] == pytest.approx(static["recalibrated_pct"] - static["accuracy_pct"])
    assert static["won_back_low_pp"] < static["won_back_pp"] < static["won_back_high_pp"]


def test_data_that_are_neither_images_nor_text_are_refused(store_of_home: Store) -> None:
    moody = str(paths.PROJECT / "tests" / "engine" / "moody_workload.py") + ":steady"
    with pytest.raises(BadRequest, match="neither images nor text"):
        drift_job.measure(store_of_home, moody, this_machine())


def test_a_users_own_file_is_shown_however_it_was_typed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("{scales}", "{}"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drift_job, "VARIANTS", ((),))
    found = CliRunner().invoke(app, ["drift", "./mine.py", "--rows", "100", "--json", "-"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout.splitlines()[-1])
    assert (document["workload"], document["dataset"]) == (f"{tmp_path / 'mine.py'}:make", "squares")
    assert {row["variant"] for row in document["rows"]} == {"baseline"}


def test_the_command_says_what_the_page_says_first(
    store_of_home: Store, record: drifts.DriftRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = drifts.keep(
        store_of_home, workload=WORKLOAD, dataset="glyphs", machine=record.machine, asked=record.asked,
        cells=record.cells,
    )  # fmt: skip
    monkeypatch.setattr(drift_job, "measure", lambda *_, **__: number)
    found = CliRunner().invoke(app, ["drift", WORKLOAD])
    assert found.exit_code == 0, found.output
    said, lines = " ".join(found.output.split()), analysis.table(record)
    worst = drift_words.worst_of_all(lines)
    assert worst is not None
    for sentence in (
        drift_words.overall(lines, worst, "Gain"),
        *drift_words.anew(lines, "Gain"),
        drift_words.INTERVALS,
    ):
        assert sentence in said


def test_a_measurement_is_found_by_its_number_behind_a_more_thorough_one(
    store_of_home: Store, record: drifts.DriftRecord
) -> None:
    numbers = [
        drifts.keep(
            store_of_home, workload=WORKLOAD, dataset="glyphs", machine=record.machine,
            asked=record.asked | {"test_rows": rows}, cells=[],
        )
        for rows in (1_000, 100)
    ]  # fmt: skip
    assert [one.number for one in drifts.known(store_of_home)] == numbers[:1]
    assert drifts.get(store_of_home, numbers[1]).test_rows == 100


def test_every_kind_of_data_has_shifts() -> None:
    assert {shift.kind for shift in shifts.SHIFTS.values()} == {"image", "text"}
