"""How a reference model is trained, for how long, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from efficiency.workloads import WORKLOADS, checkpoints
from efficiency.workloads.base import Dataset, Rows, Training, Workload
from efficiency.workloads.cards import Card
from efficiency.workloads.training import one_cycle, optimizer_of, train

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


def _rows(split: str, limit: int | None) -> Rows:
    rng = np.random.default_rng(0)
    labels = np.arange(129) % 2
    return Rows((rng.normal(size=(129, 4)) + labels[:, None]).astype(np.float32), labels)


NUMBERS = Dataset("numbers", "Numbers", "", "image", ("a", "b"), load=_rows, fingerprint=lambda: "n-1")
NORMED = Workload(
    key="normed", label="Normed", summary="", model="Normed", family="cnn", datasets=(NUMBERS,),
    build=lambda classes: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, classes)),
    encode=torch.from_numpy, training=Training(epochs=2, peak_learning_rate=1e-2),
)  # fmt: skip


def test_a_row_that_is_left_over_ends_no_training() -> None:
    """129 rows are a batch of 128 and one row, from which a batch norm cannot learn."""
    trained = train(NORMED, NUMBERS, seed=0, progress=lambda what, share: None)
    assert all(parameter.isfinite().all() for parameter in trained.model.parameters())


def test_a_weight_that_16_bits_cannot_hold_keeps_its_32(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1e6, 0.5]]))
    card = Card("normed", "numbers", "n-1", 0, "", 50.0, 1.0, torch.__version__)
    kept = load_file(checkpoints.save(model, card, tmp_path))
    assert kept["weight"].dtype == torch.float32
    assert kept["weight"].tolist() == [[1e6, 0.5]]
    assert kept["bias"].dtype == torch.float16
