"""How long a reference model is trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from efficiency.workloads import WORKLOADS
from efficiency.workloads.base import Training
from efficiency.workloads.training import one_cycle, optimizer_of

PLAN = Training(epochs=3, peak_learning_rate=1e-3, least_rows=30_000, most_rows=150_000)


@pytest.mark.parametrize(
    ("rows", "epochs"), [(3_000, 10), (20_000, 3), (50_000, 3), (59_500, 2), (119_500, 1), (1_000_000, 1)]
)
def test_small_data_are_seen_more_often_and_large_ones_less(rows: int, epochs: int) -> None:
    assert PLAN.epochs_on(rows) == epochs


def test_a_users_epochs_are_taken_at_their_word() -> None:
    assert {Training(4, 1e-3).epochs_on(rows) for rows in (1, 400, 1_000_000)} == {4}


@pytest.mark.parametrize("name", WORKLOADS)
def test_shipped_checkpoints_are_trained_for_the_epochs_that_are_declared(name: str) -> None:
    training = WORKLOADS[name].training
    assert {training.epochs_on(rows) for rows in (20_000, 27_531)} == {training.epochs}


def test_a_single_step_is_a_small_one() -> None:
    optimizer = optimizer_of(nn.Linear(1, 1), 0.1, 0.0)
    one_cycle(optimizer, 0.1, 1)
    assert 0 <= optimizer.param_groups[0]["lr"] < 1e-4


@pytest.mark.parametrize("steps", [2, 3, 4, 5, 6, 10, 100])
def test_the_rate_rises_to_its_peak_and_falls_to_nothing_in_any_number_of_steps(steps: int) -> None:
    optimizer = optimizer_of(nn.Linear(1, 1), 0.1, 0.0)
    schedule, rates = one_cycle(optimizer, 0.1, steps), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            schedule.step()
    assert rates[0] == pytest.approx(0.1 / 25)
    assert torch.tensor(rates).isfinite().all()
    assert rates[-1] < 1e-4
    if steps >= 10:
        assert max(rates) == pytest.approx(0.1, rel=0.1)
