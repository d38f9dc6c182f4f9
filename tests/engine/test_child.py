"""Whatever happens to a child becomes a sentence, and none is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import child_work
import psutil
import pytest
from waiting import until

from efficiency import paths
from efficiency.engine import child
from efficiency.engine.child import Child, ask
from efficiency.errors import VariantFailed


@pytest.fixture(params=["forked", "spawned"])
def start(request, monkeypatch) -> str:
    """On Linux children are forked from a server; on other systems each is spawned."""
    if request.param == "spawned":
        monkeypatch.setattr(child, "_context", lambda: multiprocessing.get_context("spawn"))
    return request.param


BOTH = pytest.mark.usefixtures("start")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "children.log"


def reason(work, log, silence_s=60.0) -> str:
    with pytest.raises(VariantFailed) as caught:
        ask(work, {}, log=log, silence_s=silence_s)
    said = str(caught.value)
    assert "\n" not in said
    return said


@BOTH
def test_it_answers(log):
    answer = ask(child_work.answers, {"numbers": [1, 2, 3]}, log=log, silence_s=60)
    assert answer == {"sum": 6}


@BOTH
def test_all_it_says_is_heard_in_order(log):
    with Child(child_work.answers, {"numbers": [4]}, log=log) as child:
        assert list(child.messages(60)) == [{"doing": "adding"}, {"sum": 4}]


def test_a_long_answer_arrives_whole(log):
    answer = ask(child_work.answers_at_length, {"length": 8_000_000}, log=log, silence_s=60)
    assert len(answer["text"]) == 8_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux alone")
def test_a_child_has_torch_from_its_start(log):
    assert ask(child_work.imports, {}, log=log, silence_s=60) == {"torch": True}


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux alone")
def test_a_renewed_server_is_another_process_that_lays_its_memory_out_anew(log):
    before = ask(child_work.tells_of_its_server, {}, log=log, silence_s=60)
    child.renew(log)
    after, again = (ask(child_work.tells_of_its_server, {}, log=log, silence_s=60) for _ in range(2))
    assert before["server"] != after["server"] == again["server"]
    assert before["torch_at"] != after["torch_at"] == again["torch_at"]
    assert not psutil.pid_exists(before["server"])


def test_a_child_does_not_run_the_program_again(log):
    """The command line alone would cost each of them half a second."""
    assert ask(child_work.tells_of_the_program, {}, log=log, silence_s=60) == {"main": None}


@BOTH
def test_what_it_prints_goes_to_the_log(log, capfd):
    ask(child_work.prints, {}, log=log, silence_s=60)
    assert log.read_text().splitlines() == ["said by C", "said by Python"]
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_named_and_its_trace_is_kept(log):
    assert reason(child_work.raises, log) == "ValueError: The first line."
    assert "Traceback" in log.read_text()
    assert reason(child_work.raises_without_a_word, log) == "RuntimeError: no message."


def test_an_error_of_ours_is_its_own_sentence(log):
    assert reason(child_work.refuses, log) == "The data are not here; bring them."


@BOTH
def test_an_exit_is_told_with_its_code(log):
    assert "exit code 3" in reason(child_work.leaves, log)


@BOTH
def test_a_crash_is_told_with_its_signal(log):
    assert "crashed with SIGABRT" in reason(child_work.aborts, log)


@BOTH
def test_a_kill_is_told_as_want_of_memory(log):
    assert "killed" in reason(child_work.is_killed, log)
    assert "memory" in reason(child_work.is_killed, log)


def test_running_out_of_memory_is_told(log):
    assert reason(child_work.wants_memory, log) == "It ran out of memory."


@BOTH
def test_one_that_says_nothing_is_ended(log):
    told: list[int] = []

    def listen() -> None:
        with Child(child_work.hangs, {}, log=log) as child:
            told.extend(message["pid"] for message in child.messages(2))

    with pytest.raises(VariantFailed, match="no sign of life for 2 s"):
        listen()
    if told:  # It may not have come that far on a busy machine.
        assert not psutil.pid_exists(told[0])


def test_one_that_gives_signs_of_life_may_take_its_time(log):
    with Child(child_work.works_for_long, {"seconds": 5}, log=log) as child:
        told = list(child.messages(2.5))
    assert told[-1] == {"done": True}


@BOTH
def test_what_it_has_started_ends_with_it(log):
    with Child(child_work.has_children, {}, log=log) as child:
        messages = child.messages(60)
        pids = next(messages)["pids"]
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert until(lambda: not any(map(psutil.pid_exists, pids)), 10)


@BOTH
def test_leaving_early_ends_it(log):
    with Child(child_work.hangs, {}, log=log) as child:
        pid = next(child.messages(60))["pid"]
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_an_interrupt_from_the_keyboard_is_the_parents_to_handle(log):
    assert ask(child_work.hears_an_interrupt, {}, log=log, silence_s=60) == {"ok": True}


PARENT = """
import sys
sys.path.insert(0, {tests!r})
import multiprocessing
import child_work
from pathlib import Path
from efficiency.engine import child
if {start!r} == "spawned":
    child._context = lambda: multiprocessing.get_context("spawn")
if __name__ == "__main__":
    with child.Child(child_work.hangs, {{}}, log=Path({log!r})) as one:
        for message in one.messages(600):
            print(message["pid"], flush=True)
"""


def test_it_ends_when_its_parent_is_killed(start, log, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(Path(__file__).parent), start=start, log=str(log)))
    environment = os.environ | {"PYTHONPATH": str(paths.PROJECT)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)
    assert until(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    """An orphan that nobody has collected yet is no longer alive."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
