"""Whatever happens to a child becomes a sentence, and none is left behind."""

from __future__ import annotations

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
from efficiency.engine.child import Child, ask
from efficiency.errors import VariantFailed

STARTS = pytest.mark.parametrize("start", ["warm", "fresh"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "children.log"


def reason(work, start, log, silence_s=60.0) -> str:
    with pytest.raises(VariantFailed) as caught:
        ask(work, {}, start=start, log=log, silence_s=silence_s)
    said = str(caught.value)
    assert "\n" not in said
    return said


@STARTS
def test_it_answers(start, log):
    answer = ask(child_work.answers, {"numbers": [1, 2, 3]}, start=start, log=log, silence_s=60)
    assert answer == {"sum": 6}


@STARTS
def test_all_it_says_is_heard_in_order(start, log):
    with Child(child_work.answers, {"numbers": [4]}, start=start, log=log) as child:
        assert list(child.messages(60)) == [{"doing": "adding"}, {"sum": 4}]


def test_a_long_answer_arrives_whole(log):
    answer = ask(child_work.answers_at_length, {"length": 8_000_000}, start="warm", log=log, silence_s=60)
    assert len(answer["text"]) == 8_000_000


def test_a_warm_child_has_torch_and_a_fresh_one_does_not(log):
    for start, loaded in (("warm", sys.platform == "linux"), ("fresh", False)):
        assert ask(child_work.imports, {}, start=start, log=log, silence_s=60) == {"torch": loaded}


@STARTS
def test_what_it_prints_goes_to_the_log(start, log, capfd):
    ask(child_work.prints, {}, start=start, log=log, silence_s=60)
    assert log.read_text().splitlines() == ["said by C", "said by Python"]
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_named_and_its_trace_is_kept(log):
    assert reason(child_work.raises, "warm", log) == "ValueError: The first line."
    assert "Traceback" in log.read_text()
    assert reason(child_work.raises_without_a_word, "warm", log) == "RuntimeError: no message"


def test_an_error_of_ours_is_its_own_sentence(log):
    assert reason(child_work.refuses, "warm", log) == "The data are not here; bring them."


@STARTS
def test_an_exit_is_told_with_its_code(start, log):
    assert "exit code 3" in reason(child_work.leaves, start, log)


@STARTS
def test_a_crash_is_told_with_its_signal(start, log):
    assert "crashed with SIGABRT" in reason(child_work.aborts, start, log)


@STARTS
def test_a_kill_is_told_as_want_of_memory(start, log):
    assert "killed" in reason(child_work.is_killed, start, log)
    assert "memory" in reason(child_work.is_killed, start, log)


def test_running_out_of_memory_is_told(log):
    assert reason(child_work.wants_memory, "warm", log) == "It ran out of memory."


@STARTS
def test_one_that_says_nothing_is_ended(start, log):
    told: list[int] = []

    def listen() -> None:
        with Child(child_work.hangs, {}, start=start, log=log) as child:
            told.extend(message["pid"] for message in child.messages(2))

    with pytest.raises(VariantFailed, match="no sign of life for 2 s"):
        listen()
    if told:  # It may not have come that far on a busy machine.
        assert not psutil.pid_exists(told[0])


def test_one_that_gives_signs_of_life_may_take_its_time(log):
    with Child(child_work.works_for_long, {"seconds": 5}, start="warm", log=log) as child:
        told = list(child.messages(2.5))
    assert told[-1] == {"done": True}


@STARTS
def test_what_it_has_started_ends_with_it(start, log):
    with Child(child_work.has_children, {}, start=start, log=log) as child:
        messages = child.messages(60)
        pids = next(messages)["pids"]
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert until(lambda: not any(map(psutil.pid_exists, pids)), 10)


@STARTS
def test_leaving_early_ends_it(start, log):
    with Child(child_work.hangs, {}, start=start, log=log) as child:
        pid = next(child.messages(60))["pid"]
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_an_interrupt_from_the_keyboard_is_the_parents_to_handle(log):
    assert ask(child_work.hears_an_interrupt, {}, start="fresh", log=log, silence_s=60) == {"ok": True}


PARENT = """
import sys
sys.path.insert(0, {tests!r})
import child_work
from pathlib import Path
from efficiency.engine.child import Child
if __name__ == "__main__":
    with Child(child_work.hangs, {{}}, start={start!r}, log=Path({log!r})) as child:
        for message in child.messages(600):
            print(message["pid"], flush=True)
"""


@STARTS
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
