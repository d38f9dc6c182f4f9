"""The matrix of techniques and workloads, and the README's table that is made from it."""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import replace

import pytest

from efficiency import paths
from efficiency.condition import Condition
from efficiency.errors import EfficiencyError, UnknownName
from efficiency.techniques import TECHNIQUES, compose, matrix, readme
from efficiency.workloads import WORKLOADS


def test_it_says_what_each_technique_says_itself() -> None:
    condition, machine = Condition(device="cuda"), readme.MACHINE
    found = matrix.of(condition, machine)
    assert [row.technique.key for row in found.rows] == list(TECHNIQUES)
    assert [workload.key for workload in found.workloads] == list(WORKLOADS)
    for row in found.rows:
        for workload, cell in zip(found.workloads, found.cells(row), strict=True):
            reason = compose.why_not((row.technique.key,), workload, condition, machine)
            assert cell == "yes" if reason is None else found.reasons[int(cell) - 1] == reason


def test_a_reason_is_listed_once_in_the_order_of_reading() -> None:
    found = matrix.of(Condition(), readme.MACHINE)
    assert len(set(found.reasons)) == len(found.reasons) > 1
    numbers = [int(cell) for row in found.rows for cell in found.cells(row, yes="") if cell]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(found.reasons) + 1))
    assert len(numbers) > len(found.reasons)


def test_conflicts_are_mutual_and_stages_count() -> None:
    of = {key: compose.conflicts(key) for key in TECHNIQUES}
    for key, others in of.items():
        assert key not in others
        assert all(key in of[other] for other in others)
        assert set(of) & TECHNIQUES[key].conflicts <= set(others)
    assert "static-int8" not in TECHNIQUES["dynamic-int8"].conflicts
    assert "static-int8" in of["dynamic-int8"]  # both change the weights
    with pytest.raises(UnknownName):
        compose.conflicts("dynamic_int8")


def test_the_readme_is_up_to_date() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert text == readme.renewed(text), "The README's table of techniques is stale: `make readme` renews it."


def test_a_change_of_the_declarations_makes_it_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    text = readme.README.read_text(encoding="utf-8")
    monkeypatch.setitem(TECHNIQUES, "channels-last", replace(TECHNIQUES["channels-last"], label="NHWC"))
    changed = readme.renewed(text)
    assert "| [NHWC](efficiency/techniques/channels_last.md) |" in changed
    before, after = text.partition(readme.START), changed.partition(readme.START)
    assert before[0] == after[0]
    assert before[2].partition(readme.END)[2] == after[2].partition(readme.END)[2]


def test_the_table_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = readme.renewed(readme.START + readme.END)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_, **__: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", "/no/such/compiler")
    assert readme.renewed(readme.START + readme.END) == expected


def test_every_card_of_the_table_is_there() -> None:
    linked = re.findall(r"^\| \[.+?\]\((.+?)\)", readme.markdown(matrix.of(Condition(), readme.MACHINE)), re.MULTILINE)
    assert len(linked) == len(TECHNIQUES)
    assert all((paths.PROJECT / place).is_file() for place in linked)


@pytest.mark.parametrize("text", ["", readme.START, f"{readme.END} and then {readme.START}"])
def test_a_readme_without_a_place_for_it_is_refused(text: str) -> None:
    with pytest.raises(EfficiencyError, match="has no place for the table"):
        readme.renewed(text)


def test_without_a_compiler_torch_compile_says_so() -> None:
    bare = replace(readme.MACHINE, cpp_compiler=None)
    for workload in WORKLOADS.values():
        assert compose.why_not(("torch-compile",), workload, Condition(), readme.MACHINE) is None
        assert "install g++" in str(compose.why_not(("torch-compile",), workload, Condition(), bare))
