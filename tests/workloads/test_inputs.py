"""Rows as conditions ask for them, made of whatever a data set holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from efficiency.condition import Condition
from efficiency.engine import inputs
from efficiency.workloads.base import PADDING_ID, Dataset, Rows, Workload

LENGTH, ROWS = 8, 600
SENTENCES = np.array([" ".join(["word"] * (1 + number % 12)) for number in range(ROWS)])
encoded_rows: list[int] = []


def _load(split: str, rows: int | None) -> Rows:
    return Rows(SENTENCES[:rows], np.arange(ROWS, dtype=np.int64)[:rows] % 2)


def _encode(sentences: np.ndarray) -> torch.Tensor:
    """As long as the longest, like many a tokeniser."""
    encoded_rows.append(len(sentences))
    ids = [torch.full((len(sentence.split()),), 7) for sentence in sentences]
    return torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=PADDING_ID)


TEXT = Dataset("sentences", "Sentences", "", "text", ("a", "b"), load=_load, fingerprint=lambda: "s-1")
WORKLOAD = Workload(
    "mine", "Mine", "", (TEXT,), build=lambda classes: torch.nn.Identity(), encode=_encode, length=LENGTH
)


@pytest.mark.parametrize(
    ("condition", "length", "words"),
    [
        (Condition(), LENGTH, LENGTH),
        (Condition(length=5), 5, 5),
        (Condition(padding_pct=50), LENGTH, 4),
        (Condition(length=4, padding_pct=95), 4, 1),
    ],
    ids=lambda value: value.label() if isinstance(value, Condition) else str(value),
)
def test_sentences_are_cut_and_filled_up_after_they_are_encoded(condition, length, words) -> None:
    rows, labels = inputs.encoded(WORKLOAD, TEXT, condition, "test", None)
    assert rows.shape == (ROWS, length)
    assert labels.shape == (ROWS,)
    np.testing.assert_array_equal((rows == 7).sum(1), [min(1 + number % 12, words) for number in range(ROWS)])
    assert ((rows == 7) | (rows == PADDING_ID)).all()
    # Short rows, too, have the condition's length.
    assert inputs.encoded(WORKLOAD, TEXT, condition, "test", 2)[0].shape == (2, length)


def test_test_rows_are_encoded_a_batch_at_a_time() -> None:
    encoded_rows.clear()
    batches, labels = inputs.in_batches(WORKLOAD, TEXT, Condition(length=5), "test", None)
    assert not encoded_rows
    parts = list(batches)
    assert encoded_rows == [256, 256, 88]
    assert len(batches) == len(parts)
    assert len(labels) == ROWS
    torch.testing.assert_close(torch.cat(parts), inputs.encoded(WORKLOAD, TEXT, Condition(length=5), "test", None)[0])


def test_padding_leaves_the_data_sets_rows_alone() -> None:
    rows = np.full((4, LENGTH), 7, dtype=np.int64)
    data = Dataset("ids", "Ids", "", "text", ("a", "b"), lambda split, n: Rows(rows[:n], rows[:n, 0]), lambda: "i-1")
    ids = Workload("ids", "Ids", "", (data,), WORKLOAD.build, encode=torch.from_numpy, length=LENGTH)
    assert inputs.encoded(ids, data, Condition(padding_pct=50), "test", None)[0].sum() == 4 * 4 * 7
    assert (rows == 7).all()
