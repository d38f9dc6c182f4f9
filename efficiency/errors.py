"""Errors a user can cause. Each ends in one sentence that says what to do.

EfficiencyError
├── BadRequest          what was asked cannot be done (exit code 2)
│   └── UnknownName     a name that is not in a registry; carries the nearest one
├── DataUnavailable     a data set is not here and could not be had
├── CheckpointRefused   a checkpoint is missing, broken, or made from other data
├── StoreError          the database cannot be opened or written
└── VariantFailed       one variant could not be prepared or run; the study goes on
"""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


class EfficiencyError(Exception):
    """An error whose text is one sentence for the user."""


class BadRequest(EfficiencyError):
    """What was asked cannot be done; the text names the option and the mend."""


class UnknownName(BadRequest):
    """A name that no registry holds."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        begun = [one for one in known if one.startswith(name) and 2 * len(name) >= len(one)]
        near = begun or difflib.get_close_matches(name, known, n=1, cutoff=0.65)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        super().__init__(f"Unknown {kind} '{name}'. {hint}Available: {', '.join(known)}.")


class DataUnavailable(EfficiencyError):
    """A data set is not on this machine and could not be downloaded."""


class CheckpointRefused(EfficiencyError):
    """A checkpoint is missing, broken, or was made from other data than is installed."""


class StoreError(EfficiencyError):
    """The database cannot be opened, read or written."""


class VariantFailed(EfficiencyError):
    """A variant could not be prepared or run."""


def first_line(error: Exception) -> str:
    """What a library's error says first, short enough for a reason; its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]


def line_in(error: BaseException, file: Path) -> str:
    """` (line 12 of mine.py)`: the last line of this file that an error came through; empty where there is none."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    return f" (line {lines[-1]} of {file.name})" if lines else ""
