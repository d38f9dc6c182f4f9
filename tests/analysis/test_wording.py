"""Sentences about what the machine is at."""

from __future__ import annotations

import pytest

from efficiency.analysis import wording


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        ("20260105-1000-quick-abcd", "the study 20260105-1000-quick-abcd"),
        (wording.CEILING, "what this machine can do"),
        ("drift of Transformer", "drift of Transformer"),
        (None, "something else"),
    ],
)
def test_what_has_the_machine_is_said_in_words(holder: str | None, said: str) -> None:
    assert wording.at_work(holder) == said
    assert wording.disturbs(holder, "so wait.")[1:] == f"{said[1:]} is being measured, so wait."


def test_why_a_study_waits_names_another_study_and_quotes_nothing_else() -> None:
    id = "20260105-1000-quick-abcd"
    assert "for “Mine”:" in wording.waiting(id, "Mine")
    assert f"for the study {id}, which another database keeps:" in wording.waiting(id, "")
    assert "for drift of Transformer:" in wording.waiting("drift of Transformer", "")
    assert wording.waiting(id, "Mine", 1).endswith("another study is before it.")
    assert wording.waiting(id, "Mine", 2).endswith("2 other studies are before it.")


def test_a_span_of_time_is_one_time_where_both_ends_are_said_alike() -> None:
    assert wording.between(1_080, 2_700) == "18 min to 45 min"
    assert wording.between(61, 61.2) == "1 min 01 s"
    assert wording.between(61, 0) == "1 min 01 s"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("--batch-size: choose 1 to 1024, not 0.", "Batch size: choose 1 to 1024, not 0."),
        ("--batch-size, --threads: a value is given twice.", "Batch size, threads: a value is given twice."),
        ("--seed: choose more. --budget: raise it.", "Seed: choose more. Budget: raise it."),
        ("It is broken; run `python -m efficiency train x --dataset y`.",) * 2,
        ("Choose at least one batch size.",) * 2,
    ],
)
def test_on_a_page_a_problem_names_no_option(problem: str, said: str) -> None:
    assert wording.without_options(problem) == said


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        ("done", "", "done."),
        ("failed", "Nothing could be measured.", "failed. Nothing could be measured."),
        ("cancelled", "Cancelled; what was measured is kept.", "cancelled; what was measured is kept."),
    ],
)
def test_how_a_study_ended_is_said_once(status: str, message: str, said: str) -> None:
    assert wording.ended(status, message) == said
