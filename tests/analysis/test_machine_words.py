"""A machine and its health in plain words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from efficiency.analysis import machine_words
from efficiency.health import Health
from efficiency.machine import Machine

SERVER = Machine(
    "Test CPU", "x86_64", 2.0, 8, ("avx2", "avx512_vnni"), 16_000, (), "Linux 6", "3.11", "2.13.0", 8, 2.0, 1.0, 32.0
)
QUIET = Health(0.05, 0.0, 0.0, 0.0)


def answers(machine: Machine) -> dict[str, tuple[str, str]]:
    return {what: (answer, meaning) for what, answer, meaning in machine_words.facts(machine, 4_200)}


def test_what_it_has_and_what_that_means():
    told = answers(SERVER)
    assert told["Cores it may use"] == ("2", "of 8: the container's quota")
    assert told["Memory"] == ("16 GB", "4.2 GB free")
    assert told["INT8"][0] == "built in"
    assert told["INT8"][1].startswith("avx512_vnni")
    assert told["BF16"][0] == "no instructions"
    assert "slower" in told["BF16"][1]
    assert told["GPU"] == ("none", "")


def test_what_a_gpu_has_is_told_where_the_driver_tells():
    gpu = replace(SERVER, gpus=("A GPU",), compute_capability="8.9", gpu_memory_mb=24_570.0)
    assert answers(gpu)["GPU"] == ("1", "A GPU; compute capability 8.9; 25 GB")
    assert dict(machine_words.summary(gpu, None))["GPU"] == "A GPU; compute capability 8.9; 25 GB"
    assert answers(replace(SERVER, gpus=("Old GPU",)))["GPU"] == ("1", "Old GPU")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"cores": 8.0, "quota_cores": None}, "of 8: all there are"),
        ({"quota_cores": None, "affinity_cores": 2}, "of 8: the process is tied to them"),
    ],
)
def test_why_no_more_cores(changed, why):
    assert answers(replace(SERVER, **changed))["Cores it may use"][1] == why


def test_what_is_hidden_is_left_out():
    hidden = replace(SERVER, l2_cache_mb=None, l3_cache_mb=None, clock_max_mhz=None)
    assert not {"Shared cache", "Highest clock"} & set(answers(hidden))


@pytest.mark.parametrize(
    ("seen", "good", "said"),
    [
        (QUIET, True, "A good moment"),
        (replace(QUIET, others_cores=1.5, busiest=(("backup", 1.4),)), False, "1.50 cores busy (backup)"),
        (replace(QUIET, stolen_share=0.25), False, "take 25 % of the processor time"),
        (replace(QUIET, throttled_share=0.25, swapped_mb=9.0, too_hot=1), False, "quota holds"),
    ],
)
def test_whether_it_is_a_good_moment(seen, good, said):
    verdict, sentence = machine_words.moment(seen)
    assert verdict is good
    assert said in sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, ""),
        ({"cpu_model": "Other"}, "not on this machine (Other in place of Test CPU)"),
        (
            {"cpu_model": "Other", "architecture": "aarch64", "instruction_sets": ["i8mm"], "cores": 1.0},
            "not on this machine (Other in place of Test CPU, aarch64 in place of x86_64, 1 core in place of 2)",
        ),
        (
            {"instruction_sets": ["avx2", "amx_int8"]},
            "not on this machine (avx512_vnni only here, amx_int8 only there)",
        ),
        (
            {"gpus": ["Big GPU"], "memory_mb": 64_000, "torch_version": "1.0"},
            "not on this machine (Big GPU in place of no GPU, 64 GB in place of 16, torch 1.0 in place of 2.13.0)",
        ),
        ({"torch_version": "1.0"}, "not on this machine as it is now (torch 1.0 in place of 2.13.0)"),
        ({"cores": 96.0}, "not on this machine as it is now (96 cores in place of 2)"),
        ({"system": "Other 1.0", "python_version": "3.99", "memory_mb": 1}, ""),
        # What an odd document holds.
        ({"cpu_model": None}, "not on this machine"),
        ({"cores": "many"}, "not on this machine as it is now"),
        ({"gpus": {"a": 1}, "memory_mb": True}, "not on this machine"),
        ({"cpu_model": "x" * 99}, f"not on this machine ({'x' * 59}… in place of Test CPU)"),
        ({"cpu_model": "a\n\n# b"}, "not on this machine (a # b in place of Test CPU)"),
    ],
)
def test_what_differs_from_the_machine_at_hand_is_named(changed: dict[str, object], sentence: str) -> None:
    kept = json.loads(json.dumps(SERVER.as_dict())) | changed
    assert machine_words.elsewhere(kept, SERVER) == sentence


def test_of_a_machine_that_nothing_is_kept_of_nothing_is_named() -> None:
    assert machine_words.elsewhere({}, SERVER) == "not on this machine"
