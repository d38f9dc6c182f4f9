"""By what a user's own code is known again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from efficiency import workloads
from efficiency.engine import reference_content


def test_code_is_known_again_until_it_or_what_lies_beside_it_changes(tmp_path: Path) -> None:
    file, beside = tmp_path / "mine.py", tmp_path / "layers.py"
    file.write_text("from layers import WIDTH\n")
    beside.write_text("WIDTH = 8\n")
    own = replace(workloads.describe("vision-small-cnn"), source=f"{file}:make")
    first = reference_content.code(own)
    (tmp_path / "notes.txt").write_text("Nothing of the model.")
    assert reference_content.code(own) == first != ""
    beside.write_text("WIDTH = 16\n")
    second = reference_content.code(own)
    file.write_text(file.read_text() + "DEPTH = 2\n")
    third = reference_content.code(own)
    assert len({first, second, third, reference_content.code(replace(own, source=f"{file}:other"))}) == 4


def test_what_comes_with_the_program_has_none() -> None:
    assert reference_content.code(workloads.describe("vision-small-cnn")) == ""
