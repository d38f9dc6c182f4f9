"""What a plan is said to take follows from what it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from efficiency import estimate
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.study import Variant, expand, plan_preset

HERE = this_machine()
QUICK = plan_preset("quick", HERE)


def test_more_work_takes_longer():
    seconds = estimate.seconds(QUICK, HERE)
    fewer = replace(QUICK, workloads=QUICK.workloads[:1])
    twice = replace(QUICK, conditions=(Condition(), Condition(batch_size=8)))
    more_rows = replace(QUICK, effort=replace(QUICK.effort, test_rows=6_000))
    assert estimate.seconds(fewer, HERE) < seconds < estimate.seconds(more_rows, HERE)
    # Another batch size is timed and started cold, but prepared and answered once.
    assert seconds < estimate.seconds(twice, HERE) < 1.7 * seconds


def test_steps_are_each_thing_that_is_done():
    entries = expand(QUICK, HERE)
    steps = estimate.steps(QUICK, entries, HERE, 2.5)
    measured = [entry for entry in entries if entry.why_not is None and not entry.variant.control]
    assert len([step for step in steps if len(step) == 1]) == 3
    assert len([step for step in steps if isinstance(step[-1], int)]) == 3 * QUICK.effort.replicates
    assert all((entry.workload, entry.condition, entry.variant) in steps for entry in measured)
    assert all(seconds > 0 for seconds in steps.values())


def test_calls_enough_for_a_p99_take_longer_where_calls_are_slow_and_are_no_more_than_asked():
    slow = replace(QUICK, workloads=("vision-resnet18",), conditions=(Condition(batch_size=8),))
    planned, with_p99 = (estimate.seconds(replace(slow, effort=effort), HERE) for effort in (
        slow.effort, slow.effort.for_p99()
    ))  # fmt: skip
    assert planned + 60 < with_p99
    assert estimate.least_seconds(replace(slow, effort=slow.effort.for_p99()), HERE) == pytest.approx(with_p99)


@pytest.mark.parametrize(("budget_s", "most_s"), [(None, 165), (600.0, 600)])
def test_replicates_are_added_up_to_the_budget(budget_s, most_s):
    study = replace(QUICK, budget_s=budget_s)
    assert estimate.most_seconds(study, HERE) == max(most_s, estimate.seconds(study, HERE))


def test_without_a_budget_the_most_is_what_the_preset_allows():
    article = plan_preset("article", HERE)
    planned, most = estimate.seconds(article, HERE), estimate.most_seconds(article, HERE)
    added = article.effort.most_replicates - article.effort.replicates
    assert most > planned + 5 * added * article.effort.seconds_per_replicate


@pytest.mark.parametrize(
    ("done_s", "elapsed_s", "left_s"), [(0.0, 5.0, 100.0), (50.0, 100.0, 100.0), (50.0, 25.0, 25.0), (99.0, 99.0, 1.0)]
)
def test_what_is_left_is_scaled_by_how_it_went_so_far(done_s, elapsed_s, left_s):
    assert estimate.remaining_seconds(done_s, 100.0, elapsed_s) == pytest.approx(left_s)
    assert estimate.remaining_seconds(0.0, 0.0, 1.0) is None


def test_nobody_knows_how_long_what_goes_on_after_the_plan_will_take():
    """Replicates are added until intervals are narrow: 0 s left would be said all the while."""
    assert estimate.remaining_seconds(100.0, 100.0, 90.0) is None


def test_full_ends_in_half_an_hour_on_two_cores_and_in_an_hour_the_first_time():
    two = replace(HERE, cores=2.0)
    full = plan_preset("full", two)
    assert len(full.conditions) == 4
    entries, timed_s = expand(full, two), full.effort.seconds_per_replicate
    first, later = (sum(estimate.steps(full, entries, two, timed_s, kept=kept).values()) for kept in ((), entries))
    assert later < first < 3_600
    assert later < full.effort.budget_s < 1_800  # replicates are added up to the budget, and no further


def test_what_variants_learn_alike_is_learned_once():
    pair = tuple(map(Variant.of, (["static-int8"], ["static-int8", "inference-mode"])))
    plans = [replace(QUICK, variants=pair, effort=replace(QUICK.effort, calibration_rows=rows)) for rows in (0, 5_000)]
    alone = [replace(plan, variants=pair[:1]) for plan in plans]
    more, more_alone = (estimate.seconds(b, HERE) - estimate.seconds(a, HERE) for a, b in (plans, alone))
    assert more == pytest.approx(more_alone)
    assert more > 0
