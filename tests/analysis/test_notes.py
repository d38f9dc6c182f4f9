"""Hints: what a warning says to do depends on what was done already."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from efficiency.analysis import notes
from efficiency.machine import this_machine
from efficiency.study import PRESETS, TRAINING_EFFORTS, plan_preset

QUIET = {"others_cores": 0.01, "stolen_share": 0.0, "throttled_share": 0.0, "swapped_mb": 0.0}


def asked(preset: str = "quick", **changed: Any) -> dict[str, Any]:
    return replace(plan_preset(preset, this_machine()), **changed).as_dict()


def hint(key: str, row: dict[str, Any] | None = None, study: dict[str, Any] | None = None, **details: Any) -> str:
    return notes.hint(key, {"replicates": 8, **(row or {})}, asked() if study is None else study, details)


def test_a_wide_interval_that_the_presets_limit_ended_asks_for_a_budget():
    said = hint("wide-interval", {"replicates": 8})
    assert "wider than the ±2 % asked for" in said
    most = PRESETS["quick"][1].most_replicates
    assert f"The preset quick's limit of 165 s ended it after 8 of at most {most} processes" in said
    assert said.endswith("give a budget of more, such as 330 s.")


def test_a_wide_interval_says_how_wide_and_one_hardly_wider_asks_for_nothing():
    said = hint("wide-interval", {"replicates": 8, "speedup_ci_low": 2.0, "speedup_ci_high": 2.2})
    assert said.startswith("The interval is ±4.88 %, wider than the ±2 % asked for. The preset quick's limit")
    hours_told = {"replicates": 8, "speedup_ci_low": 1.5, "speedup_ci_high": 2.2, "speedup_precision_pct": 4.9}
    assert hint("wide-interval", hours_told).startswith("By its own minutes alone the interval is ±4.90 %, wider"), (
        "Time narrows that much."
    )
    hardly = {"replicates": 8, "speedup_ci_low": 2.0, "speedup_ci_high": 2.09}
    said = hint("wide-interval", hardly)
    assert said == "The interval is ±2.23 %, wider than the ±2 % asked for. That is hardly worth more time."
    busy = hint("wide-interval", hardly, health=[QUIET | {"others_cores": 0.9}])
    assert "end them and measure again" in busy


def test_a_wide_interval_that_the_users_budget_ended_asks_for_more_of_it():
    said = hint("wide-interval", {"replicates": 8}, asked(budget_s=90.0))
    assert "The budget of 90 s ended it after 8" in said
    assert said.endswith("raise it, such as to 180 s.")


@pytest.mark.parametrize(("preset", "longer"), [("quick", "article"), ("article", "full")])
def test_a_wide_interval_that_used_all_its_processes_asks_for_more_of_them(preset, longer):
    most = PRESETS[preset][1].most_replicates
    said = hint("wide-interval", {"replicates": most}, asked(preset))
    assert f"All {most} processes" in said
    assert f"the preset {longer}, which allows {PRESETS[longer][1].most_replicates}" in said
    assert "budget" not in said


def test_who_used_the_longest_preset_up_is_told_of_no_longer_one():
    said = hint("wide-interval", {"replicates": PRESETS["full"][1].most_replicates}, asked("full"))
    assert "the preset" not in said
    assert "budget" not in said
    assert "another machine" in said


def test_who_asked_for_a_narrow_interval_is_told_what_that_takes():
    effort = PRESETS["quick"][1].within(1.0)
    said = hint("wide-interval", {"replicates": effort.most_replicates}, asked(effort=effort))
    assert f"All {effort.most_replicates} processes that so narrow an interval should take" in said
    assert "preset" not in said


def test_a_wide_interval_on_a_busy_machine_begins_with_the_other_programs():
    said = hint("wide-interval", {"replicates": 8}, health=[QUIET, QUIET | {"others_cores": 1.3}])
    assert said.index("end them") < said.index("budget")


@pytest.mark.parametrize("key", ["noisy", "wide-interval", "disturbed"])
def test_what_a_warning_of_its_own_says_is_not_said_again(key):
    found = dict(
        notes.hints(
            {"warnings": f"busy-machine;{key}", "replicates": 8}, asked(), {"health": [QUIET | {"others_cores": 1.3}]}
        )
    )
    assert "end them" in found["busy-machine"]
    assert "end them" not in found[key]
    assert "What disturbed the machine may be why." in found[key]


def test_without_a_budget_nothing_but_its_end_can_have_ended_it():
    said = hint("wide-interval", {"replicates": 12}, asked("article"))
    assert "run the study again" in said


def test_the_programs_are_named_where_they_are_known():
    busy = QUIET | {"others_cores": 1.26}
    assert hint("busy-machine", health=[busy]).startswith("Other programs kept up to 1.3 cores busy")
    for busiest in (["chrome", "python"], [{"name": "chrome"}, {"name": "python"}], [["chrome", 0.9], ["python", 0.3]]):
        said = hint("busy-machine", health=[busy | {"busiest": busiest}, busy | {"busiest": busiest[:1]}])
        assert said.startswith("Other programs (chrome, python) kept")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({}, "a budget of more, such as 330 s"),
        ({"others_cores": 0.8, "busiest": ["chrome"]}, "Other programs (chrome) kept up to 0.8 cores busy"),
        ({"stolen_share": 0.1}, "up to 10% of the processor time"),
        ({"throttled_share": 0.2}, "raise the quota"),
        ({"swapped_mb": 5.0}, "swapped"),
    ],
)
def test_a_noisy_control_is_put_down_to_what_was_seen(seen, said):
    found = hint("noisy", {"replicates": 8, "warnings": "noisy;wide-interval"}, health=[QUIET | seen])
    assert "over 5 %" in found
    assert said in found
    assert ("No other program" in found) == (not seen)


def test_a_noisy_control_that_was_known_well_enough_was_not_ended_by_want_of_time():
    said = hint("noisy", {"replicates": 8, "warnings": "noisy"}, health=[QUIET])
    assert "another hour" in said
    assert "budget" not in said


def test_fewer_threads_and_smaller_batches_are_advised_where_there_are_any():
    held = {"health": [QUIET | {"throttled_share": 0.2}]}
    assert "threads" not in hint("cpu-throttled", {"threads": 1}, **held)
    assert "fewer than 4 threads" in hint("cpu-throttled", {"threads": 4}, **held)
    assert "20% of the time" in hint("cpu-throttled", **held)
    assert "batch" not in hint("swapping", {"batch_size": 1})
    assert "a smaller batch than 32" in hint("swapping", {"batch_size": 32})
    assert "quieter hour" in hint("cpu-stolen")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("unresolved", "too few to tell"), ("kept", "enough to tell that it is kept"), (None, "rows; the preset")],
)
def test_a_part_of_the_test_set_says_which_part_and_whether_it_was_enough(verdict, said):
    found = hint("test-subset", {"accuracy_verdict": verdict}, test_rows=2_000, test_rows_at_hand=7_000)
    assert "the first 2,000 of 7,000 test rows" in found
    assert "the preset article uses all" in found
    assert PRESETS["article"][1].test_rows is None
    assert said in found
    assert "the first 2,000 test rows" in hint("test-subset", test_rows=2_000)


def test_few_processes_are_put_down_to_what_ended_them():
    planned = PRESETS["quick"][1].replicates
    assert f"ended before all {planned} planned processes" in hint("few-replicates", {"replicates": 2})
    one = asked(effort=replace(PRESETS["quick"][1], replicates=2, most_replicates=2))
    assert "asked for 2 only" in hint("few-replicates", {"replicates": 2}, one)


def test_the_technique_of_a_combination_that_did_nothing_is_named():
    evidence = {"static-int8": {"took_effect": "no"}, "inference-mode": {"took_effect": "yes"}}
    assert "static-int8 changed nothing" in hint("partly-effective", evidence=evidence)
    assert "only a part" in hint("partly-effective", evidence={"static-int8": {"took_effect": "partly"}})
    assert "the baseline's" in hint("no-effect")


@pytest.mark.parametrize("key", notes.HINTS)
@pytest.mark.parametrize(
    ("study", "details"),
    [({}, {}), ({"effort": "much", "budget_s": "long"}, {"health": [1], "evidence": 3, "test_rows": "x"})],
)
def test_what_another_program_wrote_still_has_a_sentence(key, study, details):
    said = notes.hint(key, {"replicates": float("nan"), "threads": None}, study, details)
    assert said.endswith(".")


@pytest.mark.parametrize("key", notes.HINTS)
@pytest.mark.parametrize("replicates", [2, 8, 16, 24, 32])
def test_no_hint_speaks_of_the_command_line(key, replicates):
    """Pages show them, too."""
    said = hint(key, {"replicates": replicates, "warnings": "wide-interval"}, test_rows=2_000, health=[QUIET])
    assert "--" not in said
    assert "`" not in said


def test_what_is_said_of_several_rows_is_said_once():
    rows = [
        {"row_id": 1, "workload": "w", "variant": "x", "warnings": "wide-interval;no-such-key", "replicates": 5},
        {"row_id": 2, "workload": "w", "variant": "y", "warnings": "wide-interval", "replicates": 5},
        {"row_id": 3, "workload": "w", "variant": "z", "warnings": None, "replicates": 5},
    ]
    said = notes.of_study(rows, asked(), lambda row_id: {})
    assert [(key, of) for key, _, of in said] == [("wide-interval", ["w: x", "w: y"]), ("no-such-key", ["w: x"])]


def test_a_row_of_training_is_sent_to_a_preset_that_trains_for_longer():
    study = {"preset": "quick", "effort": asdict(TRAINING_EFFORTS["quick"])}
    said = hint("wide-interval", {"replicates": 8, "phase": "training"}, study)
    assert f"the preset full, which allows {TRAINING_EFFORTS['full'].most_replicates}" in said
    limit_s = TRAINING_EFFORTS["quick"].budget_s
    said = hint("wide-interval", {"replicates": 5, "phase": "training"}, study)
    assert f"The preset quick's limit of {limit_s:,.0f} s ended it" in said
    assert said.endswith("take the preset article, which has no such limit.")
