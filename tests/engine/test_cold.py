"""A cold start in this process, beside a counter that counts what this process computes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import moody_workload
import pytest
import torch
from safetensors.torch import save_file

from efficiency.condition import Condition
from efficiency.engine import cold
from efficiency.measure import energy

WATTS = 50.0
BATCH = 4


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def started(folder: Path) -> list[dict[str, Any]]:
    inputs = torch.from_numpy(moody_workload.load("test", BATCH).inputs)
    save_file({"sample": inputs}, folder / "sample.safetensors")
    sent: list[dict[str, Any]] = []
    asked = {
        "workload": f"{moody_workload.__file__}:steady",
        "dataset": "points",
        "condition": asdict(Condition(batch_size=BATCH)),
        "sample": str(folder / "sample.safetensors"),
        "techniques": [],
        "learned": str(folder / "nothing.safetensors"),
        "artefact": str(folder / "nothing.artefact"),
    }
    cold.run(asked, sent.append)
    return sent


def test_the_energy_of_an_example_is_what_its_calls_take(tmp_path, monkeypatch, threads):
    """The counter stands still while the process sleeps, and counts 50 J for each second that it computes."""
    counter = energy.Counter(lambda: int(1e6 * WATTS * time.process_time()))
    monkeypatch.setattr(energy, "rapl", lambda: energy.Meter("processor time", (counter,)))
    *said, answer = started(tmp_path)
    assert len(said) == energy.WINDOWS
    used = answer["energy"]
    assert used["source"] == "processor time, measured"
    assert used["low_mj"] <= used["mj"] <= used["high_mj"]
    assert used["mj"] <= used["with_idle_mj"]  # in every window, and so for the medians
    # A call of two small layers takes some 20 to 2,000 us: 1 to 100 mJ, of which an example has a fourth.
    assert 0.1 < used["mj"] < 100
    assert used["idle_w"] < WATTS / 2


def test_without_a_counter_there_is_a_reason_and_all_else_is_there(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(energy, "rapl", lambda: "It is hidden here.")
    (answer,) = started(tmp_path)
    assert answer["energy"] == asdict(energy.Energy(reason="It is hidden here."))
    assert answer["load_s"] > 0
    assert answer["first_call_ms"] > 0
