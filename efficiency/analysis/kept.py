"""What a row's details keep, read with care: a document of another origin holds any JSON there.

What is not what it should be is unknown, as if it were not kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, TypeGuard


def number_of(value: object) -> float | None:
    """A finite number; None where it is none, and a yes or no is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        found = float(value)
    except OverflowError:  # JSON has whole numbers of any length
        return None
    return found if math.isfinite(found) else None


def is_number(value: object) -> TypeGuard[float]:
    return number_of(value) is not None


def mapping_of(value: object) -> Mapping[Any, Any]:
    """The mapping; an empty one where it is none."""
    return value if isinstance(value, Mapping) else {}


def sequence_of(value: object) -> Sequence[Any]:
    """The list; an empty one where it is none, such as a text, whose letters nobody meant."""
    return value if isinstance(value, list | tuple) else ()


def mappings_of(value: object) -> list[Mapping[Any, Any]]:
    """Those of a list that are mappings; none where it is no list."""
    return [one for one in sequence_of(value) if isinstance(one, Mapping)]
