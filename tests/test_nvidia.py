"""What the driver's tool says of GPUs, as it writes it, and what is known of those of which it says less."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from efficiency import nvidia
from efficiency.machine import Machine, this_machine
from efficiency.nvidia import Gpus

H100, T4 = ["NVIDIA H100 80GB HBM3", "9.0", "81559"], ["Tesla T4", "7.5", "15360"]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([], Gpus()),
        ([H100], Gpus((H100[0],), "9.0", 85521)),
        ([H100, T4], Gpus((H100[0], T4[0]), "7.5", 16106)),
        ([["NVIDIA B200", "12.0", "1"], ["NVIDIA L4", "8.9", "1"]], Gpus(("NVIDIA B200", "NVIDIA L4"), "8.9", 1)),
        ([["Tesla K80"]], Gpus(("Tesla K80",))),
        ([H100, ["Other", "[N/A]", "[N/A]"]], Gpus((H100[0], "Other"))),
    ],
)
def test_the_least_of_all_gpus_counts_and_what_is_hidden_is_unknown(listed: list[list[str]], found: Gpus) -> None:
    assert nvidia.of(listed) == found


@pytest.mark.parametrize("old", [False, True])
def test_a_driver_that_knows_no_capabilities_tells_names(tmp_path: Path, monkeypatch, old: bool) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f"*compute_cap*) {'exit 2' if old else 'echo A GPU, 8.9, 1000'};;\n"
        "*) echo A GPU;;\n"
        "esac\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia.gpus() == (Gpus(("A GPU",)) if old else Gpus(("A GPU",), "8.9", 1049))


def test_a_capability_is_compared_by_its_numbers() -> None:
    def machine(capability: str | None) -> Machine:
        return replace(this_machine(), compute_capability=capability)

    assert machine("8.9").has_capability(8, 9)
    assert machine("12.0").has_capability(8, 9)
    assert not machine("8.6").has_capability(8, 9)
    assert not machine(None).has_capability(0, 0), "nobody knows"


def test_a_machine_that_was_stored_before_is_the_same_machine() -> None:
    here = replace(this_machine(), compute_capability="9.0", gpu_memory_mb=80_000.0)
    stored = json.loads(json.dumps(here.as_dict()))
    fields = {name: stored[name] for name in Machine.__dataclass_fields__}
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    assert Machine(**fields) == here
    del fields["compute_capability"], fields["gpu_memory_mb"]
    older = Machine(**fields)
    assert (older.compute_capability, older.gpu_memory_mb, older.key) == (None, None, here.key)
