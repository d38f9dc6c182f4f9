"""What of the README is made from what it tells of, each part between two marks: `make readme`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from efficiency import paths
from efficiency.errors import EfficiencyError
from efficiency.report import example_table
from efficiency.techniques import matrix_table

README = paths.PROJECT / "README.md"
PARTS: dict[str, Callable[[], str]] = {"example": example_table.markdown, "techniques": matrix_table.markdown}


def marks(part: str) -> tuple[str, str]:
    """What stands before a part and after it."""
    return f"<!-- {part} -->", f"<!-- /{part} -->"


def renewed(text: str) -> str:
    """The README's text with today's parts; raises `EfficiencyError` where one has no place."""
    for part, made in PARTS.items():
        start, end = marks(part)
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise EfficiencyError(f"README.md has no place for its {part}; put {start} and {end} where they belong.")
        text = f"{before}{start}\n\n{made().strip()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    try:
        README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    except EfficiencyError as error:
        sys.exit(str(error))
    print(f"Wrote {README}.")
