"""What the details of a row say of its answers and logits."""

from __future__ import annotations

import pandas as pd
import pytest

from efficiency.analysis import answers


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"snr_db": 40.0, "why_not": None}, "40 dB from the baseline's: the difference is 1 % of their own size"),
        ({"snr_db": 14.2, "why_not": None}, "14 dB from the baseline's: the difference is 19 %"),
        ({"snr_db": None, "why_not": "identical"}, "to the last bit"),
        ({"snr_db": None, "why_not": "not-finite"}, "infinite or no number"),
    ],
)
def test_the_distance_of_logits_is_said_in_plain_words(kept, said):
    assert said in answers.logits_said(kept)


@pytest.mark.parametrize("kept", [None, "much", {}, {"snr_db": "much"}])
def test_where_nothing_is_kept_nothing_is_said(kept):
    assert answers.logits_said(kept) == ""


LABELS = [0, 0, 0, 1, 1, 1, 2, 2]
BASELINE = pd.DataFrame({"predicted": [0, 0, 1, 1, 1, 0, 0, 2], "label": LABELS})
OURS = pd.DataFrame({"predicted": [0, 0, 0, 0, 2, 0, 1, 2], "label": LABELS})  # gains row 2, loses 3 and 4, 6 is wrong


def test_the_examples_that_changed_are_shown_the_lost_ones_first():
    table, count = answers.flipped(OURS, BASELINE, ("cat", "dog", "owl"))
    assert count == 4
    assert table.to_numpy().tolist() == [
        [3, "dog", "dog", "cat", "lost"],
        [4, "dog", "dog", "owl", "lost"],
        [2, "cat", "dog", "cat", "gained"],
        [6, "owl", "cat", "dog", "wrong both times"],
    ]


def test_of_many_examples_the_first_are_shown_and_all_are_counted():
    table, count = answers.flipped(OURS, BASELINE, (), limit=1)
    assert (len(table), count) == (1, 4)
    assert list(table.iloc[0]) == [3, "1", "1", "0", "lost"], "Classes without names are numbers."
    assert answers.flipped(BASELINE, BASELINE, ())[1] == 0


def test_the_classes_that_lose_most_are_named():
    table = answers.by_class(OURS, BASELINE, ("cat", "dog", "owl"))
    assert answers.worst_classes(table) == "Most is lost in dog (-2 of 3)."
    assert answers.worst_classes(answers.by_class(BASELINE, BASELINE, ())) == ""
