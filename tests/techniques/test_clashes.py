"""Every conflict that is declared has a reason, and no reason is of a technique that is gone."""

from __future__ import annotations

from itertools import combinations

import pytest

from efficiency.techniques import TECHNIQUES, clashes, compose


@pytest.mark.parametrize("phase", ["inference", "training"])
def test_every_conflict_says_why(phase) -> None:
    said = [compose.clash(pair, phase) for pair in combinations(TECHNIQUES, 2)]
    of_conflicts = [text for text in said if text and "cannot be combined" in text]
    assert of_conflicts
    for text in of_conflicts:
        assert " cannot be combined: " in text, text
        assert text.endswith("; choose one.")


def test_reasons_are_of_techniques_that_there_are_and_of_conflicts_that_are_declared() -> None:
    for first, second, reason in clashes.REASONS:
        assert first | second <= set(TECHNIQUES)
        declared = [compose.clash((a, b)) for a in first for b in second if a != b]
        assert any(text and reason in text for text in declared), f"nothing is refused because {reason}"


def test_what_nobody_declares_has_no_reason() -> None:
    assert clashes.because("channels-last", "inference-mode") == ""
    assert clashes.because("amp-fp16", "amp-bf16") == clashes.because("amp-bf16", "amp-fp16") != ""
