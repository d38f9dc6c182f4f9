"""What an error suggests."""

from __future__ import annotations

import pytest

from efficiency import techniques
from efficiency.errors import UnknownName


@pytest.mark.parametrize(
    ("asked", "near"),
    [("dynamic_int8", "dynamic-int8"), ("bf16", "amp-bf16"), ("compile", "torch-compile"), ("nope", ""), ("x", "")],
)
def test_a_name_is_suggested_only_where_it_is_near(asked: str, near: str) -> None:
    said = str(UnknownName("technique", asked, techniques.TECHNIQUES))
    assert (f"Did you mean '{near}'?" in said) if near else ("Did you mean" not in said)


def test_a_name_that_begins_so_comes_before_one_that_is_as_near() -> None:
    known = ["20261129-0443-quick-tvjr", "20261129-0444-quick-hu3k"]
    assert "Did you mean '20261129-0443-quick-tvjr'?" in str(UnknownName("study", "20261129-0443", known))
