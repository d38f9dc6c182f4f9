"""Which rounds count: those in which the machine was undisturbed, before and after."""

from __future__ import annotations

import json

import numpy as np
import pytest

from efficiency.analysis import stillness

NEAR, FAR = 5_300, 8_500
"""Nanoseconds of a handoff between cores that lie close together and far apart, as seen on a shared machine."""


def felt(*replicates: list[int]) -> np.ndarray:
    """[n, 3] from each replicate's readings: one before every round, and one after the last."""
    return np.array(
        [(number, place, ns) for number, readings in enumerate(replicates) for place, ns in enumerate(readings)],
        dtype=np.int64,
    )


def samples(rounds: int, replicates: int) -> np.ndarray:
    """Two calls a round."""
    places = np.indices((replicates, rounds, 2))[:2].reshape(2, -1)
    return np.vstack([places, np.full(places.shape[1], 10**6)]).T.astype(np.int64)


def test_undisturbed_all_counts():
    found = stillness.judged(felt(*[[NEAR, NEAR + 200, NEAR - 100, NEAR, NEAR, NEAR]] * 3))
    assert (found.set_aside, found.disturbed) == (0.0, False)
    assert len(found.of(samples(5, 3))) == 30


def test_a_round_counts_where_both_of_its_readings_were_undisturbed():
    found = stillness.judged(felt([NEAR, NEAR, NEAR, NEAR, FAR, NEAR, NEAR], *[[NEAR] * 7] * 3))
    kept = found.of(samples(6, 4))
    assert sorted(set(kept[kept[:, 0] == 0, 1])) == [0, 1, 2, 5]
    assert found.set_aside == pytest.approx(2 / 24)


def test_a_process_that_was_disturbed_throughout_does_not_count():
    found = stillness.judged(felt([FAR] * 6, *[[NEAR] * 6] * 3))
    assert set(found.of(samples(5, 4))[:, 0]) == {1, 2, 3}
    assert found.set_aside == 0.25


def test_a_process_with_hardly_an_undisturbed_round_does_not_count():
    found = stillness.judged(felt([NEAR, NEAR, NEAR, FAR, FAR, FAR], *[[NEAR] * 6] * 3))
    assert set(found.of(samples(5, 4))[:, 0]) == {1, 2, 3}


def test_where_too_little_is_left_all_counts_and_it_is_said():
    found = stillness.judged(felt([NEAR] * 6, *[[FAR] * 6] * 5))
    assert (found.set_aside, found.disturbed) == (0.0, True)
    assert len(found.of(samples(5, 6))) == 60


def test_two_undisturbed_processes_of_two_are_enough():
    assert not stillness.judged(felt([NEAR] * 6, [NEAR] * 6)).disturbed


def test_a_heat_that_was_never_undisturbed_is_known_by_the_others():
    """Alone it looks steady; that it was not is known from what a handoff took elsewhere in the study."""
    steady = felt(*[[FAR] * 6] * 4)
    assert not stillness.judged(steady).disturbed
    assert stillness.judged(steady, best_ns=NEAR).disturbed


def test_processes_that_went_on_for_longer_do_not_make_a_disturbed_machine_the_usual_one():
    """Most pulses are theirs, by far; the one that was undisturbed knows what the machine can do."""
    found = stillness.judged(felt([NEAR] * 6, [FAR] * 41, [FAR] * 41))
    assert found.disturbed


@pytest.mark.parametrize("pulse", [None, np.empty((0, 3), dtype=np.int64), felt([0] * 6, [0] * 6)])
def test_without_a_pulse_all_counts(pulse):
    """As on CUDA, or in studies from before it was felt."""
    assert stillness.judged(pulse) == stillness.ALL


def test_it_is_judged_alike_from_what_is_kept():
    pulse = felt([FAR] * 6, *[[NEAR] * 6] * 3)
    kept = json.loads(json.dumps({"pulse": stillness.as_details(pulse, float(NEAR))}))
    before, after = stillness.judged(pulse, NEAR), stillness.of_heat(kept)
    assert (before.rounds == after.rounds).all()
    assert before.set_aside == after.set_aside


@pytest.mark.parametrize("details", [{}, {"pulse": None}, {"pulse": {"handoff_ns": [1]}}, {"pulse": [1, 2]}])
def test_details_of_another_origin_set_nothing_aside(details):
    assert stillness.of_heat(details) == stillness.ALL


def test_what_was_timed_apart_is_judged_apart():
    """Groups of a heat: the second one was never undisturbed for long enough, though the first was."""
    pulse = felt(*[[NEAR] * 6] * 3, *[[FAR] * 6] * 3)
    taken = samples(5, 6)
    first, second = taken[taken[:, 0] < 3], taken[taken[:, 0] >= 3]
    assert not stillness.during(pulse, first, NEAR).disturbed
    assert stillness.during(pulse, second, NEAR).disturbed
