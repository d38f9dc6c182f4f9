"""What luck explains of a training: how far FP32 itself ends apart, and what may be said of a loss beside it."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from efficiency.analysis import answers, training

LABELS = [row % 4 for row in range(1_000)]
BASELINE = pd.DataFrame({"predicted": LABELS, "label": LABELS})
WORSE = pd.DataFrame({"predicted": [3 - label if row < 40 else label for row, label in enumerate(LABELS)],
                      "label": LABELS})  # fmt: skip


def kept(**changed: object) -> dict[str, object]:
    return {"training": {"reordered": {"accuracy_pct": 83.0}, "beats_guessing": True, **changed}}


@pytest.mark.parametrize(
    ("details", "luck_pp"),
    [
        (kept(), 7.0),
        (kept(beats_guessing=None), 7.0),
        (kept(beats_guessing=False), math.inf),
        (kept(reordered=None), 0.0),
        ({}, 0.0),
    ],
)
def test_luck_is_how_far_fp32_itself_ends_apart(details, luck_pp):
    assert training.luck_pp(details, 90.0) == luck_pp
    assert training.luck_pp(details, float("nan")) == 0.0


def test_a_loss_within_luck_is_not_said_to_be_surely_lost():
    alone = answers.said(WORSE, BASELINE)
    assert "40 with the baseline alone" in alone
    assert "Surely more than the tolerated 0.5 pp is lost." in alone
    beside_luck = answers.said(WORSE, BASELINE, luck_pp=7.0)
    assert "Whether more than the tolerated 0.5 pp is lost cannot be told." in beside_luck
    assert "ends 7.00 pp away" in beside_luck
    assert "would settle" not in beside_luck, "More test rows do not know which training was the lucky one."
    assert "Surely more" in answers.said(WORSE, BASELINE, luck_pp=2.0)


def test_of_what_was_not_learned_nothing_is_kept_or_lost():
    for ours in (WORSE, BASELINE):
        text = answers.said(ours, BASELINE, luck_pp=math.inf)
        assert "cannot be told" in text
        assert "more steps are needed" in text
