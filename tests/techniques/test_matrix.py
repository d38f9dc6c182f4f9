"""The matrix of techniques and workloads, and the README's table that is made from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from efficiency.condition import Condition
from efficiency.errors import UnknownName
from efficiency.techniques import TECHNIQUES, compose, matrix, matrix_table
from efficiency.workloads import WORKLOADS


def test_it_says_what_each_technique_says_itself() -> None:
    condition, machine = Condition(device="cuda"), matrix_table.MACHINE
    found = matrix.of(condition, machine)
    assert [row.technique.key for row in found.rows] == list(TECHNIQUES)
    assert [workload.key for workload in found.workloads] == list(WORKLOADS)
    for row in found.rows:
        for workload, cell in zip(found.workloads, found.cells(row), strict=True):
            reason = compose.why_not((row.technique.key,), workload, condition, machine)
            assert cell == "yes" if reason is None else found.reasons[int(cell) - 1] == reason


def test_a_reason_is_listed_once_in_the_order_of_reading() -> None:
    found = matrix.of(Condition(), matrix_table.MACHINE)
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


def test_without_a_compiler_torch_compile_says_so() -> None:
    bare = replace(matrix_table.MACHINE, cpp_compiler=None)
    for workload in WORKLOADS.values():
        assert compose.why_not(("torch-compile",), workload, Condition(), matrix_table.MACHINE) is None
        assert "install g++" in str(compose.why_not(("torch-compile",), workload, Condition(), bare))
