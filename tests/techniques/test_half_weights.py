"""Weights in 16 bits: ids stay ids, fused encoders too, and a model that casts back is seen."""

import pytest
import torch
from torch import nn

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.techniques import TECHNIQUES, compose

KEYS = ("bf16-weights", "fp16-weights")


class CastsBack(nn.Module):
    """Stored in any type, computed in FP32."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 8))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.float() @ self.weight.float().T


@pytest.mark.parametrize("key", KEYS)
def test_ids_are_taken_as_they_are(key: str) -> None:
    torch.manual_seed(0)
    # 257 is no number of BF16: cast on the way, it would be another token.
    model = nn.Sequential(nn.Embedding(300, 8), nn.Flatten(), nn.Linear(16, 4)).eval()
    ids = torch.tensor([[257, 299], [0, 3]])
    prepared = compose.prepare((key,), model, ids, {})
    assert prepared.convert is None
    assert {parameter.dtype for parameter in prepared.module.parameters()} == {prepared.caller()(ids).dtype}
    torch.testing.assert_close(prepared.caller()(ids).float(), model(ids).detach(), atol=0.03, rtol=0.03)


@pytest.mark.parametrize("key", KEYS)
def test_weights_that_a_model_casts_back_take_effect_in_part(key: str) -> None:
    model, inputs = CastsBack().eval(), torch.randn(2, 8)
    prepared = compose.prepare((key,), model, inputs, {})
    shown = TECHNIQUES[key].evidence(prepared, inputs, model)
    assert shown.took_effect == "partly"
    assert (shown.figures["half_parameter_share"], shown.figures[f"{key[:4]}_mac_share"]) == (1.0, 0.0)


@pytest.mark.parametrize("key", KEYS)
def test_there_is_nothing_left_for_autocast_to_cast(key: str) -> None:
    for amp in ("amp-bf16", "amp-fp16"):
        assert "cannot be combined" in str(compose.clash((key, amp)))
    assert "both change the weights" in str(compose.clash((key, "dynamic-int8")))


@pytest.mark.parametrize("key", KEYS)
def test_they_are_for_inference_on_any_device(key: str) -> None:
    workload, here = workloads.get("lstm-classifier"), this_machine()
    assert "train with" in str(compose.why_not((key,), workload, Condition(phase="training"), here))
    assert all(compose.why_not((key,), workload, Condition(device=d), here) is None for d in ("cpu", "cuda"))
