"""What is made in the README is up to date, and the same wherever it is made."""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import replace

import pytest

from efficiency import paths, readme
from efficiency.errors import EfficiencyError
from efficiency.report import example_table
from efficiency.results import documents, example
from efficiency.techniques import TECHNIQUES, matrix_table

EMPTY = "".join("".join(readme.marks(part)) for part in readme.PARTS)


def test_the_readme_is_up_to_date() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert text == readme.renewed(text), "A part of the README is stale: `make readme` renews it."


def test_a_change_of_the_declarations_makes_it_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    text = readme.README.read_text(encoding="utf-8")
    monkeypatch.setitem(TECHNIQUES, "channels-last", replace(TECHNIQUES["channels-last"], label="NHWC"))
    changed, (start, end) = readme.renewed(text), readme.marks("techniques")
    assert "| [NHWC](efficiency/techniques/channels_last.md) |" in changed
    before, after = text.partition(start), changed.partition(start)
    assert before[2].partition(end)[2] == after[2].partition(end)[2]


def test_it_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = readme.renewed(EMPTY)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_, **__: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", "/no/such/compiler")
    assert readme.renewed(EMPTY) == expected


def test_every_card_of_the_table_is_there() -> None:
    linked = re.findall(r"^\| \[.+?\]\((.+?)\)", matrix_table.markdown(), re.MULTILINE)
    assert len(linked) == len(TECHNIQUES)
    assert all((paths.PROJECT / place).is_file() for place in linked)


def test_the_examples_control_is_told_and_the_baseline_is_the_reference() -> None:
    lines = example_table.markdown().splitlines()
    assert lines[0].endswith("test rows.")
    assert [line for line in lines if line.startswith("| Control |")]
    assert not [line for line in lines if line.startswith("| Baseline |")]
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_the_example_was_made_by_the_command_that_makes_it() -> None:
    assert documents.read_file(paths.EXAMPLE)["study"]["command"] == example.COMMAND, "`make example` records it anew."


@pytest.mark.parametrize("missing", readme.PARTS)
def test_a_readme_without_a_place_for_a_part_is_refused(missing: str) -> None:
    start, end = readme.marks(missing)
    for text in (EMPTY.replace(start, ""), EMPTY.replace(end, ""), EMPTY.replace(start + end, end + start)):
        with pytest.raises(EfficiencyError, match=f"has no place for its {missing}"):
            readme.renewed(text)
