"""What a budget leaves over, and for whom; by a clock that is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from efficiency import estimate
from efficiency.check import Checked
from efficiency.condition import Condition
from efficiency.effort import Effort
from efficiency.engine.schedule import Schedule
from efficiency.machine import this_machine
from efficiency.study import Study, Variant, expand

EFFORT = Effort(200, 64, 64, replicates=8, seconds_per_replicate=0.5, most_replicates=20, budget_s=200.0)
STUDY = Study(("vision-small-cnn",), (Variant.of(["inference-mode"]),), (Condition(),), EFFORT)
Planned = Callable[..., Schedule]


class Clock:
    now_s = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(Schedule, "_elapsed_s", property(lambda schedule: clock.now_s))
    return clock


def planned(budget_s: float | None = EFFORT.budget_s) -> Schedule:
    study = replace(STUDY, effort=replace(EFFORT, budget_s=budget_s))
    return Schedule(Checked(study, expand(study, this_machine())), this_machine())


def all_over(schedule: Schedule, clock: Clock) -> None:
    """As long as it was estimated to take."""
    for step in list(schedule._left):
        clock.now_s += schedule.expected_s(*step)
        schedule.over(*step)


def test_what_is_left_over_is_shared_by_the_replicates_to_come(clock: Clock) -> None:
    schedule = planned()
    share_s = (200 - schedule.total_s) / EFFORT.replicates
    assert schedule.linger_s(1) == pytest.approx(share_s)
    assert schedule.affords_another(8 * share_s - 0.1)
    assert not schedule.affords_another(8 * share_s + 0.1)


def test_then_by_the_groups_that_go_on_each_of_which_pays_for_its_own_replicate(clock: Clock) -> None:
    schedule = planned()
    all_over(schedule, clock)
    assert schedule.linger_s(4, 1.5) == pytest.approx((200 - schedule.total_s) / 4 - 1.5)
    clock.now_s = 199.0
    assert schedule.linger_s(4, 1.5) == 0


def test_a_study_that_lingers_is_not_taken_for_slow(clock: Clock) -> None:
    left_over_s = {}
    for lingered_s in (0.0, 20.0):
        schedule, clock.now_s = planned(), 40.0
        for step in list(schedule._left)[:3]:
            schedule.over(*step)
        schedule.lingered(lingered_s)
        left_over_s[lingered_s] = schedule.linger_s(1)
    assert left_over_s[20.0] > left_over_s[0.0] > 0


def test_without_a_budget_it_lingers_for_no_longer_than_added_replicates_may_take(clock: Clock) -> None:
    study = replace(STUDY, effort=replace(EFFORT, budget_s=None))
    schedule = planned(budget_s=None)
    most_s = estimate.most_seconds(study, this_machine()) - estimate.seconds(study, this_machine())
    assert schedule.affords_another(1e9)
    assert EFFORT.replicates * schedule.linger_s(1) == pytest.approx(most_s)
    clock.now_s = 1e6
    assert schedule.linger_s(1) == 0


def test_each_part_of_a_heat_is_counted_off_by_itself() -> None:
    """Where memory does not hold all variants together, each part has replicates of its own."""
    schedule = planned()
    heat, before_s = ("vision-small-cnn", Condition()), schedule.total_s
    one_s, other_s = estimate.replicate_seconds(3, 0.5), estimate.replicate_seconds(4, 2.0)
    planned_s = schedule.expected_s(*heat, 0)
    schedule.expect_replicates(heat, [(3, 0.5), (4, 2.0)])
    assert schedule.total_s == pytest.approx(before_s + EFFORT.replicates * (one_s + other_s - planned_s))
    assert schedule.passed_s == pytest.approx(0)
    schedule.over(*heat, 0, 0)
    assert schedule.passed_s == pytest.approx(one_s)
    schedule.over(*heat, 1, 0)
    assert schedule.passed_s == pytest.approx(one_s + other_s)
    schedule.heat_over(heat)
    assert schedule.total_s - schedule.passed_s < before_s


def test_what_added_replicates_may_take_is_that_of_those_that_are_planned(clock: Clock) -> None:
    """A slow model's fewest rounds take longer than was thought, and each that is added takes as long."""
    schedule, quick = planned(budget_s=None), planned(budget_s=None)
    schedule.expect_replicates(("vision-small-cnn", Condition()), [(3, 60.0)])
    assert schedule.linger_s(1) > 10 * quick.linger_s(1)
