"""A further package of a variant is believed to answer as the first did only where it was seen to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import moody_workload
import numpy as np
import pytest
import torch

from efficiency.condition import Condition
from efficiency.engine.answering import CHECKED_ROWS, Answers, confirmed, keep
from efficiency.engine.inputs import Batches
from efficiency.measure.logits import Distance

ROWS = Batches(
    moody_workload.steady(), Condition(), np.random.default_rng(0).normal(size=(2_000, 64)).astype("float32")
)


def seen_by(answered: list[int], wrong: int = -1) -> Callable[[torch.Tensor], torch.Tensor]:
    """Class 1 for every row, but for one by its number."""

    def call(inputs: torch.Tensor) -> torch.Tensor:
        scores = torch.tensor([0.0, 1.0]).repeat(len(inputs), 1)
        for place in range(len(inputs)):
            if len(answered) == wrong:
                scores[place] = torch.tensor([1.0, 0.0])
            answered.append(place)
        return scores

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "torch-compile.answers.json"
    keep(found, Answers(np.ones(2_000, dtype=np.uint16), Distance(40.0), "CPU, batch 1, 1 thread"))
    return found


def test_the_same_answers_to_the_first_rows_stand_for_all(file):
    answered: list[int] = []
    found = confirmed(file, seen_by(answered), ROWS)
    assert found is not None
    assert len(answered) == CHECKED_ROWS
    assert list(found.predicted) == [1] * 2_000
    assert (found.distance, found.of) == (Distance(40.0), "CPU, batch 1, 1 thread")


@pytest.mark.parametrize("wrong", [0, CHECKED_ROWS - 1])
def test_one_other_answer_and_nothing_is_taken_over(file, wrong):
    assert confirmed(file, seen_by([], wrong), ROWS) is None


def test_where_nothing_was_answered_nothing_is_confirmed(file, tmp_path):
    assert confirmed(tmp_path / "none.json", seen_by([]), ROWS) is None
    keep(file, Answers(np.zeros(2_000, dtype=np.uint16), None, "another"))
    found = confirmed(file, seen_by([]), ROWS)
    assert found is not None, "What is there stays."
    assert found.of == "CPU, batch 1, 1 thread"
