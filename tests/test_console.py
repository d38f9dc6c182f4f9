"""Places that a command will write to are tried before anything is measured; progress and rows are told in words."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic
from rich.console import Console

from efficiency import console, outcome, progress_line
from efficiency.analysis import wording
from efficiency.engine.progress import Progress
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import plan_preset


def test_a_place_that_was_tried_is_left_as_it_was(tmp_path: Path) -> None:
    console.writable("--json", str(tmp_path / "new.json"))
    (tmp_path / "old.json").write_text("kept")
    console.writable("--json", str(tmp_path / "old.json"))
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    console.writable("--json", str(tmp_path / "link.json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "old.json"]
    assert (tmp_path / "old.json").read_text() == "kept"
    assert (tmp_path / "link.json").is_symlink()


@pytest.mark.parametrize(
    ("sent", "code", "said"), [("> /dev/full", 1, "Standard output takes no more"), (">&-", 0, ""), ("2>&-", 0, "")]
)
def test_output_that_goes_nowhere_is_no_traceback(sent: str, code: int, said: str) -> None:
    command = f"{sys.executable} -m efficiency list workloads {sent}"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert run.returncode == code
    assert said in run.stderr
    assert run.stderr.count("\n") == bool(said)


@pytest.mark.parametrize("place", [".", "missing/new.json", "file/new.json"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match="--json"):
        console.writable("--json", str(tmp_path / place))


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        ("20260105-1000-quick-abcd", "Waiting for the study 20260105-1000-quick-abcd"),
        ("drift of LSTM", "Waiting for drift of LSTM"),
        (wording.CEILING, "Waiting for what this machine can do"),
        (None, "Waiting"),
    ],
)
def test_what_a_study_waits_for_is_said_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, holder: str | None, said: str
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "progress", Console(file=printed, width=160, force_terminal=True, color_system=None))
    with progress_line.Bar() as bar:
        bar.tell(Progress("mine", "queued", "Waiting", waiting_for=holder))
    assert f" {said} " in printed.getvalue()


def test_a_file_hears_once_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "progress", Console(file=printed, width=160))
    with progress_line.Bar() as bar:
        for _ in range(3):
            bar.tell(Progress("mine", "queued", "Waiting", waiting_for="drift of LSTM"))
        bar.tell(Progress("mine", "running", "Timing"))
    assert printed.getvalue().count("Waiting for drift of LSTM.") == 1


def test_results_are_printed_and_make_way_for_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    def said() -> tuple[str, str]:
        console.say("The answer.")
        console.table("Rows", ("a",), [("one",)])
        console.note("Wrote it.")
        printed = capsys.readouterr()
        return printed.out, printed.err

    out, err = said()
    assert ("The answer." in out, "one" in out, err) == (True, True, "Wrote it.\n")
    console.writable("--json", "-")
    out, err = said()
    assert (out, "The answer." in err, "one" in err) == ("", True, True)
    console.start()
    assert said()[1] == "Wrote it.\n"


def test_training_rows_have_loss_memory_and_energy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=160))
    with Store.open() as store:
        steps = store.rows([synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))])
        answers = store.rows([synthetic.fill(store)])
    outcome.table(steps.assign(training_loss=0.4567))
    text = printed.getvalue()
    heading = next(line for line in text.splitlines() if "variant" in line)
    assert all(name in heading for name in ("loss", "peak MB", "mJ"))
    assert "MB" not in heading.replace("peak MB", "")
    assert "0.457" in text
    assert "There is no mJ: energy was not measured" in text
    assert max(map(len, text.splitlines())) <= 160
    printed.truncate(0)
    outcome.table(steps.assign(energy_mj=12.34))
    assert "12.3" in printed.getvalue()
    assert "There is no mJ" not in printed.getvalue()
    printed.truncate(0)
    outcome.table(answers)
    assert not any(name in printed.getvalue() for name in ("loss", "peak MB", "mJ"))


def test_what_was_not_timed_to_the_end_is_told_below_once_a_reason(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=240))
    with Store.open() as store:
        rows = store.rows([synthetic.fill(store)])
    lstm = rows[rows["workload"] == "lstm-classifier"].assign(on_pareto_front=False)
    cancelled = lstm["variant"].isin(["baseline", "inference-mode"])
    lstm.loc[cancelled, ["status", "reason", "speedup"]] = "cancelled", "Ended.", float("nan")
    lstm.loc[lstm["variant"] == "amp-bf16", ["status", "reason"]] = "cancelled", None
    outcome.table(lstm)
    table, _, below = printed.getvalue().partition("└")
    lines = {line.split()[1]: line for line in table.splitlines() if line.startswith("│")}
    assert "channels-last" not in lines, "Nothing is known of it."
    assert "cancelled" in lines["baseline"]
    assert "cancelled: baseline, inference-mode: Ended." in below
    assert "cancelled: amp-bf16\n" in below
    (why,) = [line for line in below.splitlines() if line.startswith("not-applicable: static-int8")]
    assert why.startswith("not-applicable: static-int8, qat-int8, static-int8+inference-mode: ")
    assert not any(word in lines["baseline"] for word in ("1.00x", "same", "kept"))
    printed.truncate(0)
    outcome.table(lstm[lstm["status"] == "not-applicable"])
    assert "variant" not in printed.getvalue()
    assert "Pareto" not in printed.getvalue()


@pytest.mark.parametrize(("width", "shown"), [(80, False), (90, True), (240, True)])
def test_p99_is_shown_where_there_is_room(home: Path, monkeypatch: pytest.MonkeyPatch, width: int, shown: bool) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=width))
    with Store.open() as store:
        rows = store.rows([synthetic.fill(store)])
    outcome.table(rows[rows["workload"] == "lstm-classifier"].assign(latency_ms_p99=98.7))
    assert ("98.7" in printed.getvalue()) == shown


@pytest.mark.parametrize("width", [44, 60, 80])
def test_a_narrow_terminal_never_drops_or_cuts_a_name_or_a_speed_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=width))
    with Store.open() as store:
        rows = store.rows([synthetic.fill(store)])
    outcome.table(rows)
    lines = printed.getvalue().splitlines()
    assert any(line.startswith("amp-bf16") and "x [" in line for line in lines)
    assert sum(line.rstrip().endswith("]") or "]   " in line for line in lines if "x [" in line) >= 10
    assert not any("…" in line for line in lines)


def test_ids_are_never_broken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=60))
    console.table("Studies", ["id", "name"], [["20261129-1033-quick-abcd", "A name of many words " * 4]], whole=("id",))
    assert "20261129-1033-quick-abcd" in printed.getvalue()


def test_a_narrow_terminal_shows_the_chief_columns_unbroken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open() as store:
        rows = store.rows([synthetic.fill(store)])
    printed = io.StringIO()
    monkeypatch.setattr(console, "results", Console(file=printed, width=80))
    outcome.table(rows)
    text = printed.getvalue()
    tables = [line for line in text.splitlines() if "x [" in line or line.startswith("baseline")]
    assert tables
    assert max(map(len, tables)) <= 80
    assert all(name in text for name in ("baseline", "static-int8", "inference-mode", "unresolved", "p50 ms"))
    assert "MB" not in text
    assert "columns shows more: intervals, p99, size, warnings." in text


def test_a_file_hears_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "progress", Console(file=printed, width=160))
    with progress_line.Bar() as bar:
        bar.share("static-int8: gain", 0.25)
        assert "gain" not in printed.getvalue()
        monkeypatch.setattr(progress_line, "TOLD_EVERY_S", 0.0)
        bar.share("static-int8: blur", 0.5)
    assert "static-int8: blur, 50%" in printed.getvalue()
