"""What else the machine did while something was timed: told from counters, and a real busy neighbour is seen."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from efficiency import health
from efficiency.analysis import notes
from efficiency.health import Health, Reading
from efficiency.paths import PROJECT

BEFORE = Reading(at_s=100.0, busy_s=50.0, stolen_s=1.0, own_s=5.0, throttled_s=2.0, swapped_bytes=1_000_000)
QUIET = replace(BEFORE, at_s=110.0, busy_s=60.2, own_s=15.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"busy_s": 65.0}, ["busy-machine"]),
        ({"stolen_s": 1.5}, ["cpu-stolen"]),
        ({"throttled_s": 2.5}, ["cpu-throttled"]),
        ({"swapped_bytes": 9_000_000}, ["swapping"]),
        ({"too_hot": 2}, ["too-hot"]),
        ({"busy_s": 65.0, "swapped_bytes": 9_000_000}, ["busy-machine", "swapping"]),
    ],
)
def test_what_looks_wrong_is_said(changed, said):
    seen = health.between(BEFORE, replace(QUIET, **changed))
    assert seen.warnings() == said
    assert set(said) <= set(notes.HINTS)


def test_shares_are_of_the_time_between():
    after = Reading(at_s=110.0, busy_s=65.0, stolen_s=6.0, own_s=10.0, throttled_s=3.0, swapped_bytes=3_000_000)
    assert health.between(BEFORE, after) == Health(
        others_cores=pytest.approx(1.0), stolen_share=pytest.approx(0.25), throttled_share=pytest.approx(0.1),
        swapped_mb=pytest.approx(2.0),
    )  # fmt: skip


def test_counters_that_went_back_are_no_news():
    """A counter may be reset, as when a container is moved."""
    assert health.between(QUIET, BEFORE).warnings() == []


def test_the_busiest_are_named_with_their_share_and_idle_ones_are_not():
    earlier = {(7, 1.0): ("backup", 50.0), (8, 1.0): ("editor", 9.0), (9, 1.0): ("music", 1.0)}
    later = {
        (7, 1.0): ("backup", 54.0),
        (8, 1.0): ("editor", 9.1),
        (9, 99.0): ("music", 2.0),  # another process that got the number: all it used is new
        (10, 105.0): ("backup", 2.0),
        (11, 105.0): ("index", 3.0),
    }
    seen = health.between(replace(BEFORE, processes=earlier), replace(QUIET, processes=later))
    assert seen.busiest == (
        ("backup", pytest.approx(0.6)), ("index", pytest.approx(0.3)), ("music", pytest.approx(0.2))
    )  # fmt: skip
    assert seen.as_dict()["busiest"][0] == ["backup", 0.6]
    assert json.dumps(seen.as_dict())


BURN = "import sys, time\nwhile time.process_time() < 1.0: pass\nprint('done', flush=True)\nsys.stdin.read()"
"""Uses a second of the processor, says so, and stays until its input ends."""


def test_a_strangers_work_is_seen():
    before, end = health.read(), time.monotonic() + 60
    # Its parent ends at once: it descends from nobody here.
    subprocess.run(["sh", "-c", f'{sys.executable} -c "$0" < /dev/null &', BURN], check=True, stdout=subprocess.DEVNULL)
    seen = health.between(before, health.read())
    while "busy-machine" not in seen.warnings() and time.monotonic() < end:
        time.sleep(0.1)
        seen = health.between(before, health.read())
    assert "busy-machine" in seen.warnings()


@pytest.mark.parametrize(
    "between", [(), ("-c", "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])")]
)
def test_what_descends_is_ones_own_while_it_runs_and_when_it_has_ended(between):
    """A child, or one of a child, as those are that a server forks."""
    before = health.read()
    command = [sys.executable, *between, "-c", BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "done\n"
        running = health.read()
        child.stdin.close()
    ended = health.read()
    for after in (running, ended):
        assert 0.9 < after.own_s - before.own_s < 1.9
    assert not {id for id in running.processes if id[0] == child.pid}


def test_a_strangers_process_is_seen_by_name_and_ones_own_children_are_not():
    # A process of its own reads: to it, what this one has started is another program's.
    script = "import time; from efficiency import health; b = health.read(); time.sleep(1.0); "
    script += "print([name for name, _ in health.between(b, health.read()).busiest])"
    spin = "import time; end = time.monotonic() + 6\nwhile time.monotonic() < end: pass"
    burner = subprocess.Popen([sys.executable, "-c", spin])
    try:
        before = health.read()
        told = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
        own = health.read()
    finally:
        burner.kill()
        burner.wait()
    assert "python" in told.stdout
    assert not {id for id in own.processes if id[0] == burner.pid}
    assert not {id for id in before.processes if id[0] == burner.pid}


@pytest.mark.skipif(
    not psutil.pid_exists(2) or psutil.Process(2).name() != "kthreadd", reason="no threads of Linux's own"
)
def test_linuxs_own_threads_are_no_programs():
    own = {process.pid for process in psutil.process_iter(["ppid"]) if process.info["ppid"] == 2} | {2}
    assert len(own) > 1
    assert not own & {pid for pid, _ in health.read().processes}


def test_a_reading_is_cheap():
    started = time.perf_counter()
    for _ in range(5):
        health.read()
    assert (time.perf_counter() - started) / 5 < 0.5


def test_heat_is_the_sum_of_the_cores_counters(tmp_path: Path):
    for core, count in (("cpu0", "3\n"), ("cpu1", "4\n"), ("cpu2", "none\n")):
        folder = tmp_path / core / "thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(count)
    assert health._too_hot(tmp_path) == 7
    assert health._too_hot(tmp_path / "nowhere") == 0


@pytest.mark.parametrize(
    ("file", "content", "seconds"),
    [
        ("cpu.stat", "usage_usec 9\nnr_throttled 2\nthrottled_usec 1500000\n", 1.5),
        ("cpu/cpu.stat", "nr_throttled 2\nthrottled_time 2500000000\n", 2.5),
        ("cpu.stat", "throttled_usec many\n", 0.0),
        ("other", "", 0.0),
    ],
)
def test_throttling_is_read_from_the_control_group(tmp_path: Path, file, content, seconds):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    assert health._throttled_s(tmp_path) == seconds
