"""Gradients enabled: recorded where there is something to record, and said so where there is not."""

import pytest
import torch
from torch import nn

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.techniques import TECHNIQUES, compose
from efficiency.techniques.base import Evidence


def shown(keys: tuple[str, ...], model: nn.Module) -> Evidence:
    inputs = torch.randn(4, 8)
    return TECHNIQUES["grad-enabled"].evidence(compose.prepare(keys, model, inputs, {}), inputs, model)


def test_a_model_without_parameters_that_require_gradients_has_nothing_to_record() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    assert shown(("grad-enabled",), model).took_effect == "yes"
    quantized = shown(("dynamic-int8", "grad-enabled"), model)
    assert quantized.took_effect == "no"
    assert quantized.reason.startswith("No parameter")
    assert shown(("grad-enabled",), model.requires_grad_(False)).took_effect == "no"


class CutsOff(nn.Module):
    """Has parameters, and a last layer that records nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.first(inputs).detach().relu()


def test_a_layer_that_cuts_recording_off_is_told_from_a_model_without_parameters() -> None:
    found = shown(("grad-enabled",), CutsOff().eval())
    assert found.took_effect == "no"
    assert "on the way" in found.reason


@pytest.mark.parametrize("other", ["inference-mode", "fast-path"])
def test_it_clashes_with_what_records_no_gradients(other: str) -> None:
    assert "cannot be combined" in str(compose.clash((other, "grad-enabled")))


def test_training_records_gradients_anyway() -> None:
    training = Condition(phase="training")
    workload = workloads.get("lstm-classifier")
    assert "Training records" in str(compose.why_not(("grad-enabled",), workload, training, this_machine()))
