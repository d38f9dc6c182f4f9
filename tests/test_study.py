"""What is asked, as it is stored and read again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from efficiency import check
from efficiency.condition import Condition
from efficiency.equivalence import EQUIVALENCE_PCT, equivalence_pct_of
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.study import Study, plan_preset
from efficiency.tolerance import TOLERANCE_PP, tolerance_of


def asked() -> Study:
    return replace(plan_preset("quick", this_machine()), tolerance_pp=1.25, seed=3)


def stored(study: Study) -> dict[str, object]:
    return json.loads(json.dumps(study.as_dict()))


def test_a_study_is_read_as_it_was_stored():
    assert Study.from_dict(stored(asked())) == asked()
    assert tolerance_of(stored(asked())) == 1.25


def test_how_little_is_the_same_is_kept_and_an_older_study_has_the_usual_band():
    wide = stored(replace(asked(), equivalence_pct=5.0))
    assert equivalence_pct_of(wide) == Study.from_dict(wide).equivalence_pct == 5.0
    del wide["equivalence_pct"]
    assert Study.from_dict(wide).equivalence_pct == EQUIVALENCE_PCT
    for odd in (wide, {}, {"equivalence_pct": "much"}, {"equivalence_pct": -1}, {"equivalence_pct": None}):
        assert equivalence_pct_of(odd) == EQUIVALENCE_PCT


@pytest.mark.parametrize(("percent", "fits"), [(0.1, True), (50.0, True), (0.0, False), (-1.0, False), (51.0, False)])
def test_a_band_that_makes_no_sense_is_a_sentence(percent, fits):
    found = check.problems(replace(asked(), equivalence_pct=percent), this_machine())
    assert [problem.split(":")[0] for problem in found] == ([] if fits else ["--equivalence"])


def test_a_study_that_is_older_than_the_tolerance_has_the_usual_one():
    old = stored(asked())
    del old["tolerance_pp"]
    assert Study.from_dict(old) == replace(asked(), tolerance_pp=TOLERANCE_PP)
    assert tolerance_of(old) == tolerance_of({}) == tolerance_of({"tolerance_pp": "many"}) == TOLERANCE_PP


@pytest.mark.parametrize(
    "changed",
    [
        {"workloads": 3},
        {"conditions": [{"padding_pct": "much"}]},
        {"conditions": [{"device": "abacus"}]},
        {"variants": [{"techniques": [1], "control": False}]},
        {"effort": {"test_rows": None}},
        {"seed": "lucky"},
        {"from_the_future": 1},
    ],
    ids=str,
)
def test_what_is_no_study_is_refused(changed):
    for document in (stored(asked()) | changed, changed):
        with pytest.raises(BadRequest, match="written by another version"):
            Study.from_dict(document)


def test_a_p99_is_of_answers_and_named_where_the_budget_is_too_small_for_it():
    slow = replace(asked(), conditions=(Condition(batch_size=64),))
    slow = replace(slow, effort=slow.effort.for_p99(), budget_s=70.0)
    (problem,) = check.problems(slow, this_machine())
    assert problem.startswith("--budget: 70 s is too small")
    assert problem.endswith("or do without a p99 of each.")
    training = plan_preset("quick", this_machine(), phase="training")
    assert check.problems(training, this_machine()) == []
    (problem,) = check.problems(replace(training, effort=training.effort.for_p99()), this_machine())
    assert problem.startswith("--p99: it is of answers")


def test_half_the_width_takes_four_times_the_processes():
    effort = asked().effort
    assert effort.within(2.0) == effort
    assert effort.within(1.0) == replace(effort, precision=0.01, most_replicates=4 * effort.most_replicates)
    assert effort.within(5.0) == replace(effort, precision=0.05)


@pytest.mark.parametrize(
    ("precision_pct", "fits"), [(0.1, True), (50.0, True), (0.0, False), (float("nan"), False), (float("inf"), False)]
)
def test_a_precision_that_makes_no_sense_is_a_sentence(precision_pct, fits):
    found = check.problems(replace(asked(), effort=asked().effort.within(precision_pct)), this_machine())
    assert [problem.split(":")[0] for problem in found] == ([] if fits else ["--precision"])


@pytest.mark.parametrize(("length", "fits"), [(200, True), (201, False)])
def test_a_name_is_as_long_as_a_document_may_have_it(length, fits):
    found = check.problems(replace(asked(), name="n" * length), this_machine())
    assert found == ([] if fits else ["--name: choose a name of at most 200 characters, not 201."])


@pytest.mark.parametrize(
    ("tolerance_pp", "fits"), [(0.1, True), (20.0, True), (0.0, False), (-1.0, False), (95.0, False)]
)
def test_a_tolerance_that_makes_no_sense_is_a_sentence(tolerance_pp, fits):
    found = check.problems(replace(asked(), tolerance_pp=tolerance_pp), this_machine())
    assert [problem.split(":")[0] for problem in found] == ([] if fits else ["--tolerance"])
    assert fits or f"not {tolerance_pp:g}" in found[0]
