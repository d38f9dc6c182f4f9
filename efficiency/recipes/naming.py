"""How a row is named to the commands `recipe` and `artefact`, so that they find it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any


def command(verb: str, row: Mapping[str, Any], *more: str) -> str:
    """`python -m efficiency recipe STUDY VARIANT --workload W --batch-size 1 --threads 1`, then `more`."""
    words = ["python", "-m", "efficiency", verb, str(row["study_id"]), str(row["variant"])]
    words += ["--workload", str(row["workload"])]
    for name in ("batch_size", "threads"):
        words += [f"--{name.replace('_', '-')}", f"{row[name]:.0f}"]
    return shlex.join([*words, *more])
