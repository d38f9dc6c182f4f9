"""In words: when a row was prepared, whether the cache had it, and what its size is of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from efficiency.analysis import wording
from efficiency.analysis.kept import mapping_of, number_of

SIZE_OF = {
    "artefact": "The size is that of the artefact: the files that the runtime loads.",
    "state": "The size is that of the serialized state: an eager variant has no artefact.",
}


LEAST_PART = 0.02
"""Of the preparation: a smaller part is not told."""


def said(kept: Mapping[str, Any], prepare_s: float | None) -> str:
    """When it was prepared and what that took; nothing where a row's details are older than that."""
    about = mapping_of(kept.get("prepared"))
    day = _day(about.get("at"))
    if not day:
        return ""
    took = "" if prepare_s is None or pd.isna(prepare_s) else wording.number(prepare_s, "s")
    took += _parts(number_of(kept.get("learn_s")), prepare_s) if took else ""
    if about.get("from_cache"):
        then = f"; preparation then took {took}" if took else ""
        return f"Prepared on {day}, taken from the cache{then}."
    return f"Prepared on {day}" + (f", in {took}." if took else ".")


def _parts(learn_s: float | None, prepare_s: float | None) -> str:
    """What of it was learned and what was made of that; nothing where one is all of it."""
    if learn_s is None or prepare_s is None or not LEAST_PART * prepare_s < learn_s < (1 - LEAST_PART) * prepare_s:
        return ""
    learned, made = (wording.number(seconds, "s") for seconds in (learn_s, prepare_s - learn_s))
    return f", {learned} of it calibration, fine-tuning or building a kernel, {made} conversion or compilation"


def _day(when: object) -> str:
    """`5 Jan 2026`; empty where it is no time."""
    try:
        return f"{datetime.fromisoformat(str(when)):%d %b %Y}".lstrip("0")
    except ValueError:
        return ""


def size_said(kept: Mapping[str, Any]) -> str:
    """What `size_mb` is the size of; nothing where a row's details are older than that."""
    return SIZE_OF.get(str(kept.get("size_of")), "")


def answers_said(kept: Mapping[str, Any]) -> str:
    """Where the answers are those of another condition's package; nothing where they are the row's own."""
    of = kept.get("answers_of")
    if not of or not isinstance(of, str):
        return ""
    return f"Its answers are those of the package for {of}: this one was seen to give the same on the first test rows."
