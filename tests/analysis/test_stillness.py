"""For how much of the time the machine was undisturbed, and whether that is enough."""

from __future__ import annotations

import json

import numpy as np
import pytest

from efficiency.analysis import fastest_calls, stillness

NEAR, FAR = 5_300, 8_500
"""Nanoseconds of a handoff between cores that lie close together and far apart, as seen on a shared machine."""

ENOUGH = fastest_calls.FASTEST


def felt(*replicates: list[int]) -> np.ndarray:
    """[n, 3] from each replicate's readings: one before every round, and one after the last."""
    return np.array(
        [(number, place, ns) for number, readings in enumerate(replicates) for place, ns in enumerate(readings)],
        dtype=np.int64,
    )


def test_small_differences_are_no_disturbance():
    pulse = felt(*[[NEAR, NEAR + 200, NEAR - 100, NEAR, NEAR, NEAR]] * 3)
    assert stillness.share(pulse) == 1
    assert not stillness.disturbed(pulse)


def test_the_share_is_that_of_all_pulses():
    assert stillness.share(felt([NEAR, NEAR, FAR, NEAR], [FAR] * 4)) == 3 / 8


@pytest.mark.parametrize(("near", "enough"), [(2, True), (1, False)])
def test_as_much_as_a_speed_up_rests_on_has_to_be_undisturbed(near, enough):
    pulse = felt([NEAR] * near + [FAR] * (20 - near))
    assert (stillness.share(pulse, NEAR) >= ENOUGH) == enough
    assert stillness.disturbed(pulse, NEAR) != enough


def test_a_heat_that_was_never_undisturbed_is_known_by_the_others():
    """Alone it looks steady; that it was not is known from what a handoff took elsewhere in the study."""
    steady = felt(*[[FAR] * 6] * 4)
    assert not stillness.disturbed(steady)
    assert stillness.disturbed(steady, best_ns=NEAR)


def test_processes_that_went_on_for_longer_do_not_make_a_disturbed_machine_the_usual_one():
    """Most pulses are theirs, by far; the one that was undisturbed knows what the machine can do."""
    assert stillness.disturbed(felt([NEAR] * 6, [FAR] * 41, [FAR] * 41))


@pytest.mark.parametrize("pulse", [None, np.empty((0, 3), dtype=np.int64), felt([0] * 6, [0] * 6)])
def test_without_a_pulse_nothing_is_known(pulse):
    """As on CUDA, or in studies from before it was felt."""
    assert stillness.share(pulse) is None
    assert not stillness.disturbed(pulse)


def test_it_is_judged_alike_from_what_is_kept():
    pulse = felt([FAR] * 6, *[[NEAR] * 6] * 3)
    kept = json.loads(json.dumps({"pulse": stillness.as_details(pulse, float(NEAR))}))
    assert stillness.of_heat(kept) == stillness.share(pulse, NEAR) == 0.75


@pytest.mark.parametrize("details", [{}, {"pulse": None}, {"pulse": {"handoff_ns": [1]}}, {"pulse": [1, 2]}])
def test_details_of_another_origin_tell_nothing(details):
    assert stillness.of_heat(details) is None


def test_what_was_timed_apart_is_judged_apart():
    """Groups of a heat: the second one was never undisturbed, though the first was."""
    pulse = felt(*[[NEAR] * 6] * 3, *[[FAR] * 6] * 3)
    first, second = (np.array([[number, 0, 10**6]]) for number in (0, 3))
    assert not stillness.during(pulse, first, NEAR)
    assert stillness.during(pulse, second, NEAR)
