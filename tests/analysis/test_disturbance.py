"""Whether a row's figures are of a disturbed machine: by most of the processes that count."""

from __future__ import annotations

from typing import Any

import pytest

from efficiency.analysis import disturbance

QUIET = {"others_cores": 0.01, "stolen_share": 0.0, "throttled_share": 0.0, "swapped_mb": 0.0}
BUSY, STOLEN, HOT = QUIET | {"others_cores": 0.9}, QUIET | {"stolen_share": 0.4}, QUIET | {"too_hot": 3}


@pytest.mark.parametrize(
    ("health", "replicates", "disturbed"),
    [
        ([BUSY] * 4 + [QUIET] * 2, 6, True),
        ([BUSY] * 3 + [QUIET] * 3, 6, False),
        ([BUSY, STOLEN, HOT, QUIET], 4, True),
        ([BUSY] * 7 + [QUIET] * 6, 6, False),
        ([BUSY] * 4 + [QUIET] * 2, None, True),
        ([], 6, True),
        (None, 6, True),
        ("busy", 6, True),
        ([{}, {"others_cores": "many"}, 3], 6, True),
    ],
    ids=["most", "half", "of-all-kinds", "fewer-told", "unknown-number", "none", "nothing", "no-list", "nonsense"],
)
def test_most_of_the_processes_that_count(health: Any, replicates: int | None, disturbed: bool) -> None:
    assert disturbance.mostly("test-subset;busy-machine", replicates, lambda: {"health": health}) == disturbed


@pytest.mark.parametrize(("warnings", "disturbed"), [(None, False), ("", False), ("noisy;wide-interval", False)])
def test_of_what_nothing_is_warned_of_the_details_are_left_unread(warnings: str | None, disturbed: bool) -> None:
    assert disturbance.mostly(warnings, 6, lambda: pytest.fail("read")) == disturbed


def test_hardly_an_undisturbed_round_is_enough() -> None:
    assert disturbance.mostly("disturbed", 6, lambda: pytest.fail("read"))
