"""A preparation in words: what of it was learning."""

from __future__ import annotations

import pytest

from efficiency.analysis import preparation

ABOUT = {"at": "2026-01-05T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("learn_s", "took"),
    [
        (
            2.0,
            "in 3.20 s, 2.00 s of it calibration, fine-tuning or building a kernel, 1.20 s conversion or compilation.",
        ),
        (0.0, "in 3.20 s."),
        (3.19, "in 3.20 s."),
        (None, "in 3.20 s."),
        ("long", "in 3.20 s."),
    ],
)
def test_what_was_learning_is_told_apart_where_there_was_both(learn_s, took):
    assert preparation.said({"prepared": ABOUT, "learn_s": learn_s}, 3.2) == f"Prepared on 5 Jan 2026, {took}"
