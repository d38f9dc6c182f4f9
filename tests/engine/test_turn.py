"""One study at a time on a machine, and who has waited longest is next."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import moody_workload
import pytest
from waiting import until

from efficiency import paths
from efficiency.engine import child, tickets, train_job, turn
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine


class _EnoughOfWaiting(Exception):
    pass


def _enough(holder: str | None) -> None:
    raise _EnoughOfWaiting(holder)


def test_it_is_told_whose_turn_it_is_and_freed_afterwards():
    assert turn.holder() is None
    with turn.taken("first", pytest.fail):
        assert turn.holder() == "first"
        with pytest.raises(_EnoughOfWaiting, match="first"), turn.taken("second", _enough):
            pass
    assert turn.holder() is None
    with turn.taken("second", pytest.fail):
        assert turn.holder() == "second"


def test_what_ended_without_a_word_is_not_at_work():
    with turn.taken("first", pytest.fail):
        assert turn.at_work() == "first"
    turn._holder_file().write_text("killed")
    assert turn.holder() == "killed"
    assert turn.at_work() is None
    turn._holder_file().unlink()


def test_a_link_in_place_of_the_holder_leads_to_no_file_of_the_users(tmp_path):
    """Others may write in that folder, too."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    turn._holder_file().symlink_to(precious)
    with turn.taken("first", pytest.fail):
        assert turn.holder() == "first"
    assert precious.read_text() == "mine"


def test_it_is_freed_by_an_error():
    with pytest.raises(ValueError, match="broken"), turn.taken("first", print):
        raise ValueError("broken")
    with turn.taken("second", lambda holder: pytest.fail("still taken")):
        pass


WAITS = """
import sys
from pathlib import Path
from efficiency.engine import tickets, turn
who, patience_s, suspended_s, folder = sys.argv[1], *map(float, sys.argv[2:4]), Path(sys.argv[4])
turn.PATIENCE_S, tickets.SUSPENDED_S, tickets.LOOK_S = patience_s, suspended_s, 1.0
with turn.taken(who, lambda holder: (folder / f"{who} waits").touch()):
    with (folder / "order").open("a") as order:
        order.write(f"{who} ")
"""
IMPATIENT_S = 0.01
"""Between two looks: who looks so often would have the machine first, if it went to whoever looks first."""

Waits = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def waits(tmp_path: Path) -> Iterator[Waits]:
    """Starts a process that waits for the machine's turn and writes down that it had it; it waits already."""
    started: list[subprocess.Popen[bytes]] = []

    def start(who: str, patience_s: float = IMPATIENT_S, suspended_s: float = 30.0) -> subprocess.Popen[bytes]:
        told = [who, str(patience_s), str(suspended_s), str(tmp_path)]
        process = subprocess.Popen([sys.executable, "-c", WAITS, *told], cwd=paths.PROJECT)
        started.append(process)
        assert until((tmp_path / f"{who} waits").exists, 30)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def order(folder: Path) -> str:
    file = folder / "order"
    return file.read_text() if file.exists() else ""


def tickets_left() -> list[Path]:
    return list((Path(tempfile.gettempdir()) / "efficiency-machine").glob("*.ticket"))


def test_who_has_waited_longest_is_next_and_the_dead_are_passed_over(waits: Waits, tmp_path: Path) -> None:
    with turn.taken("a-study", pytest.fail):
        gone, *others = [waits("gone"), waits("first", 1.0), waits("second"), waits("killed"), waits("third")]
        for process in (gone, others[2]):
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert order(tmp_path) == ""
    assert until(lambda: len(order(tmp_path).split()) == 3, 30)
    assert order(tmp_path) == "first second third "
    assert until(lambda: not tickets_left(), 10)


def test_who_comes_while_another_waits_does_not_get_ahead_of_it(waits: Waits, tmp_path: Path) -> None:
    with turn.taken("a-study", pytest.fail):
        waits("first", 3.0)
    # The machine is free now, and the one that waits for it has not looked yet.
    with pytest.raises(_EnoughOfWaiting), turn.taken("late", _enough):
        pass
    assert until(lambda: order(tmp_path) == "first ", 30)


def test_one_that_is_suspended_is_passed_over_until_it_goes_on(waits: Waits, tmp_path: Path) -> None:
    with turn.taken("a-study", pytest.fail):
        suspended = waits("suspended", suspended_s=3.0)
        suspended.send_signal(signal.SIGSTOP)
        waits("second", suspended_s=3.0)
    assert until(lambda: order(tmp_path) == "second ", 30)
    suspended.send_signal(signal.SIGCONT)
    assert until(lambda: order(tmp_path) == "second suspended ", 30)


LOOKS = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("looking", flush=True)
    time.sleep(600)
"""


def test_one_that_is_suspended_while_it_looks_keeps_nobody_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "LOOK_S", 0.2)
    with turn.taken("a-study", pytest.fail):
        looks = Path(tempfile.gettempdir()) / "efficiency-machine" / "tickets.lock"
    with subprocess.Popen([sys.executable, "-c", LOOKS, str(looks)], stdout=subprocess.PIPE) as looking:
        assert looking.stdout is not None
        assert looking.stdout.readline() == b"looking\n"
        with turn.taken("another-study", pytest.fail):
            assert turn.holder() == "another-study"
        looking.kill()
    assert tickets_left() == []


def test_who_gives_up_waiting_leaves_no_ticket() -> None:
    with turn.taken("a-study", pytest.fail):
        with pytest.raises(_EnoughOfWaiting), turn.taken("impatient", _enough):
            pass
        assert tickets_left() == []


def test_training_waits_until_no_study_runs(home: Path) -> None:
    def waiting(what: str, share: float) -> None:
        raise _EnoughOfWaiting(what)

    child.let_go()  # those forked from an earlier server have another home
    untrained = f"{moody_workload.__file__}:untrained"
    with turn.taken("a-study", pytest.fail), pytest.raises(_EnoughOfWaiting, match="Waiting for the study a-study"):
        train_job.train(untrained, this_machine(), tell=waiting)
    assert not (home / "trained").exists()
    holders: list[str | None] = []
    card = train_job.train(untrained, this_machine(), tell=lambda *told: holders.append(turn.holder()))
    assert set(holders) == {"training of Steady mlp"}
    assert card["accuracy_pct"] > 25


def test_where_no_turn_can_be_taken_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "efficiency-machine").write_text("a file in place of the folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for ask in (turn.at_work, lambda: turn.taken("me", pytest.fail).__enter__()):
        with pytest.raises(EfficiencyError, match="or set TMPDIR to a folder that can be written"):
            ask()
