"""A place that a command will write to is tried before anything is measured, and left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from efficiency import console
from efficiency.errors import BadRequest


def test_a_place_that_was_tried_is_left_as_it_was(tmp_path: Path) -> None:
    console.writable("--json", str(tmp_path / "new.json"))
    (tmp_path / "old.json").write_text("kept")
    console.writable("--json", str(tmp_path / "old.json"))
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    console.writable("--json", str(tmp_path / "link.json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "old.json"]
    assert (tmp_path / "old.json").read_text() == "kept"
    assert (tmp_path / "link.json").is_symlink()


@pytest.mark.parametrize("place", [".", "missing/new.json", "file/new.json"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match="--json"):
        console.writable("--json", str(tmp_path / place))
