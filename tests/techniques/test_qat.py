"""Quantization-aware training really trains: it wins back what coarse rounding loses."""

from __future__ import annotations

import torch
from torch import nn
from torch.ao.quantization import (
    FakeQuantize,
    MovingAverageMinMaxObserver,
    QConfig,
    QConfigMapping,
    default_fake_quant,
    disable_observer,
)

from efficiency import workloads
from efficiency.techniques import int8, qat_int8
from efficiency.workloads import checkpoints

TEST_ROWS, TRAINING_ROWS = 1_500, 2_000


def test_fine_tuning_wins_back_half_of_what_three_bit_weights_lose() -> None:
    torch.manual_seed(0)
    workload = workloads.get("vision-small-cnn")
    dataset = workload.dataset(None)
    model = checkpoints.load(workload, dataset)
    test, train = dataset.load("test", TEST_ROWS), dataset.load("train", TRAINING_ROWS)
    inputs, labels = workload.encode(test.inputs), torch.from_numpy(test.labels)
    rows, targets = workload.encode(train.inputs), torch.from_numpy(train.labels)
    coarse = FakeQuantize.with_args(
        observer=MovingAverageMinMaxObserver,
        quant_min=-4,
        quant_max=3,
        dtype=torch.qint8,
        qscheme=torch.per_tensor_symmetric,
    )
    mapping = QConfigMapping().set_global(QConfig(activation=default_fake_quant, weight=coarse))

    @torch.no_grad()
    def accuracy(candidate: nn.Module) -> float:
        candidate.eval()
        right = sum(
            int((candidate(x).argmax(1) == y).sum()) for x, y in zip(inputs.split(250), labels.split(250), strict=True)
        )
        return 100 * right / len(labels)

    with int8.known_warnings():
        fake = qat_int8._fake_quantized(model, inputs[:1], mapping)
        fake.eval()
        with torch.no_grad():
            fake(rows[:256])  # Ranges of weights and activations; nothing is trained yet.
        before_tuning = {name: value.clone() for name, value in fake.state_dict().items()}
        fake.apply(disable_observer)
        rounded = accuracy(fake)
        tuned = qat_int8._fake_quantized(model, inputs[:1], mapping)
        tuned.load_state_dict(before_tuning)
        qat_int8.fine_tune(tuned.train(), rows, targets, seed=0, peak_learning_rate=1e-3)

    full, recovered = accuracy(model), accuracy(tuned)
    assert full - rounded > 2, "the rounding must cost something, or there is nothing to win back"
    assert recovered - rounded >= 0.5 * (full - rounded), (full, rounded, recovered)
    changed = [
        name
        for name, value in tuned.state_dict().items()
        if name.endswith("weight") and not torch.equal(value, before_tuning[name])
    ]
    assert changed, "no weight moved"
    observers = [part for part in tuned.modules() if isinstance(part, FakeQuantize)]
    assert observers
    assert all(int(part.observer_enabled) == 0 for part in observers), "ranges must be frozen at the end"
