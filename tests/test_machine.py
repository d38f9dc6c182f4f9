"""What the system tells of the machine, from files as Linux writes them, and nothing where it tells nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from efficiency import check, machine
from efficiency.machine import this_machine
from efficiency.study import plan_preset


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    for index, (level, kind, size) in enumerate(
        [("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "1024K"), ("3", "Unified", "32M")]
    ):
        folder = tmp_path / "cache" / f"index{index}"
        folder.mkdir(parents=True)
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{value}\n")
    (tmp_path / "cpufreq").mkdir()
    (tmp_path / "cpufreq" / "scaling_governor").write_text("powersave\n")
    return tmp_path


@pytest.mark.parametrize(("level", "megabytes"), [(1, 0.03), (2, 1.05), (3, 33.55), (4, None)])
def test_caches(cpu: Path, level, megabytes):
    assert machine._cache_mb(level, cpu) == megabytes


def test_a_governor(cpu: Path):
    assert machine._governor(cpu) == "powersave"


def test_what_the_system_hides_is_unknown(tmp_path: Path):
    assert machine._cache_mb(3, tmp_path) is None
    assert machine._governor(tmp_path) is None


@pytest.mark.parametrize(
    ("cxx", "there", "taken"),
    [
        (None, {"g++", "clang++"}, "g++"),
        (None, {"clang++"}, "clang++"),
        ("icpx", {"g++", "icpx"}, "icpx"),
        ("icpx", {"g++"}, "g++"),
        (None, set(), None),
    ],
)
def test_the_compiler_is_what_cxx_names_or_one_that_is_there(monkeypatch, cxx, there, taken):
    monkeypatch.setattr(machine.shutil, "which", lambda command: command if command in there else None)
    monkeypatch.delenv("CXX", raising=False)
    if cxx:
        monkeypatch.setenv("CXX", cxx)
    assert machine._cpp_compiler() == taken


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", "13.0"),
        ("cuda = '12.4'\n", "12.4"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '7.0'\n", None),
        ("cuda = '12.4", None),
        ("", None),
    ],
)
def test_the_cuda_that_pytorch_was_built_for(tmp_path: Path, text: str, version: str | None) -> None:
    assert machine._torch_cuda(tmp_path) is None
    (tmp_path / "version.py").write_text(text)
    assert machine._torch_cuda(tmp_path) == version


def test_this_pytorchs_own() -> None:
    import torch

    assert this_machine().torch_cuda == torch.version.cuda


def test_a_gpu_is_not_offered_to_a_pytorch_that_sees_none() -> None:
    study = plan_preset("quick", this_machine(), "cuda")

    def said(**changed: Any) -> str:
        here = replace(this_machine(), **({"gpus": ("A GPU",), "torch_version": "2.13.0"} | changed))
        return " ".join(check.problems(study, here))

    assert "--device" not in said(torch_cuda="13.0")
    without = "--device: PyTorch 2.13.0+cpu is built without CUDA (https://pytorch.org/get-started/locally/ has builds"
    assert without in said(torch_cuda=None, torch_version="2.13.0+cpu")
    assert "--device: no CUDA GPU was found on this machine; use the CPU." in said(gpus=(), torch_cuda="13.0")


def test_cores_are_the_least_of_affinity_and_quota():
    here = this_machine()
    bounds = [here.affinity_cores or here.logical_cores, here.quota_cores]
    assert here.cores == min(bound for bound in bounds if bound is not None)
    assert 0 < machine.memory_free_mb() <= here.memory_mb
