"""Where the figures of a claim lie on its one scale."""

from __future__ import annotations

import pytest

from efficiency import claims_chart
from efficiency.claims import Case, Figure


def case(figure: Figure | None) -> Case:
    return Case("A case", "lstm-classifier", "holds", "Because.", figure)


def test_one_scale_for_all_cases_of_a_claim() -> None:
    half, none, twice = claims_chart.places(
        [case(Figure(0.5, 1.0, low=0.4, high=0.6)), case(None), case(Figure(2.0, 1.0, low=1.8, high=2.5))]
    )
    assert none is None
    assert half is not None
    assert twice is not None
    assert 0 < half.low < half.value < half.high < half.line == twice.line < twice.low < twice.value < twice.high < 100
    assert half.line - half.value == pytest.approx(twice.value - twice.line), "Twice and half lie equally far from 1."


def test_differences_may_be_negative_and_are_drawn_in_proportion() -> None:
    lost, won = claims_chart.places([case(Figure(-1.0, 0.0, "pp", -2.0, 0.0)), case(Figure(3.0, 0.0, "pp", 2.0, 4.0))])
    assert lost is not None
    assert won is not None
    assert won.value - won.line == pytest.approx(3 * (lost.line - lost.value))


def test_nothing_to_draw() -> None:
    assert claims_chart.places([case(None), case(None)]) == [None, None]
    assert claims_chart.places([]) == []


def test_a_figure_that_is_its_line() -> None:
    (place,) = claims_chart.places([case(Figure(1.0, 1.0))])
    assert place is not None
    assert place.value == place.line == place.low == place.high
