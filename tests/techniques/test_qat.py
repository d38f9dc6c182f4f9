"""Quantization-aware training really trains: it wins back what coarse rounding loses."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.ao.quantization import (
    FakeQuantize,
    MovingAverageMinMaxObserver,
    QConfig,
    QConfigMapping,
    default_fake_quant,
    disable_observer,
)
from torch.nn import functional

from efficiency import workloads
from efficiency.techniques import compose, int8, qat_int8
from efficiency.techniques.base import Data
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
        qat_int8.fine_tune(tuned.train(), rows, targets, 0, qat_int8.freeze, peak_learning_rate=1e-3)

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


class Functional(nn.Module):
    """Drops and normalises in functions, as many a model of users' own does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 32), nn.Linear(32, 4)
        self.register_buffer("mean", torch.zeros(32))
        self.register_buffer("variance", torch.ones(32))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        states = functional.dropout(self.first(inputs), 0.5, training=self.training)
        states = functional.batch_norm(states, self.mean, self.variance, training=self.training)
        states = torch.dropout(states, 0.5, self.training)
        parts = states.view(-1, 4, 2, 4)
        dropped = 0.5 if self.training else 0.0
        parts = functional.scaled_dot_product_attention(parts, parts, parts, dropout_p=dropped)
        parts = functional.scaled_dot_product_attention(parts, parts, parts, None, dropped)
        return self.second(parts.reshape(-1, 32))


def test_what_functions_drop_in_training_they_keep_afterwards() -> None:
    torch.manual_seed(0)
    model, inputs = Functional().eval(), torch.randn(64, 8)
    data = Data(lambda: inputs, lambda: (inputs, torch.randint(0, 4, (64,))))
    learned = compose.learn(("qat-int8",), model, inputs[:1], data)
    call = compose.prepare(("qat-int8",), model, inputs[:1], learned).caller()
    torch.testing.assert_close(call(inputs), call(inputs), rtol=0, atol=0)
    # Rows do not lean on each other either, as they would with the statistics of the batch.
    torch.testing.assert_close(call(inputs[:1]), call(inputs)[:1])


@pytest.mark.parametrize("key", ["static-int8", "qat-int8"])
def test_what_a_channels_last_model_learns_can_be_kept(key: str) -> None:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    model = nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)
    inputs = torch.randn(32, 3, 8, 8)
    data = Data(lambda: inputs, lambda: (inputs, torch.randint(0, 4, (32,))))
    learned = load(save(compose.learn((key,), model, inputs[:1], data)))
    prepared = compose.prepare((key,), model, inputs[:1], learned)
    assert prepared.caller()(inputs).shape == (32, 4)
    assert compose.evidence((key,), prepared, inputs[:1], model, learned)[key].took_effect == "yes"
