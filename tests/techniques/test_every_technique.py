"""One table, every technique on every built-in workload: it applies, or it says why not."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.techniques import TECHNIQUES, compose
from efficiency.techniques.base import Data
from efficiency.workloads import checkpoints

INT8 = ("static-int8", "qat-int8")
# Which techniques apply to which workload on a CPU; what is missing here must say why not.
APPLIES = {
    "vision-small-cnn": {*INT8, "amp-bf16", "channels-last", "inference-mode"},
    "vision-resnet18": {*INT8, "amp-bf16", "channels-last", "inference-mode"},
    "vision-mobilenet-v2": {*INT8, "amp-bf16", "channels-last", "inference-mode"},
    "lstm-classifier": {"dynamic-int8", "amp-bf16", "inference-mode"},
    "transformer-encoder": {*INT8, "dynamic-int8", "amp-bf16", "fast-path", "inference-mode"},
}
COMBINED = [
    ("vision-small-cnn", ("static-int8", "channels-last")),
    ("vision-small-cnn", ("channels-last", "amp-bf16", "inference-mode")),
    ("lstm-classifier", ("dynamic-int8", "inference-mode")),
    ("transformer-encoder", ("static-int8", "inference-mode")),
    ("transformer-encoder", ("fast-path", "inference-mode")),
]
CASES = [(name, (key,)) for name, keys in APPLIES.items() for key in sorted(keys)] + COMBINED
ROWS, LEARNING_ROWS = 128, 64


@dataclass(frozen=True)
class Reference:
    model: nn.Module
    inputs: torch.Tensor
    answers: torch.Tensor
    data: Data


@cache
def reference(name: str) -> Reference:
    workload = workloads.get(name)
    dataset = workload.dataset(None)
    model = checkpoints.load(workload, dataset)
    inputs = workload.encode(dataset.load("test", ROWS).inputs)

    def training() -> tuple[torch.Tensor, torch.Tensor]:
        rows = dataset.load("train", LEARNING_ROWS)
        return workload.encode(rows.inputs), torch.from_numpy(rows.labels)

    data = Data(lambda: workload.encode(dataset.load("calibration", LEARNING_ROWS).inputs), training)
    with torch.no_grad():
        return Reference(model, inputs, model(inputs), data)


@pytest.mark.parametrize(
    ("name", "keys"), CASES, ids=lambda value: value if isinstance(value, str) else "+".join(value)
)
def test_it_applies_and_shows_it(name: str, keys: tuple[str, ...]) -> None:
    ours = reference(name)
    before = copy.deepcopy(ours.model.state_dict())
    sample = ours.inputs[:1]

    learned = compose.learn(keys, ours.model, sample, ours.data)
    kept = load(save({key: value.detach().clone() for key, value in learned.items()})) if learned else {}
    prepared = compose.prepare(keys, ours.model, sample, kept)
    with prepared.session[-1]():
        answers = prepared.caller()(ours.inputs).float()
        shown = compose.evidence(keys, prepared, sample, ours.model)

    assert {key: seen.took_effect for key, seen in shown.items()} == dict.fromkeys(keys, "yes"), shown
    agreement = (answers.argmax(1) == ours.answers.argmax(1)).float().mean()
    assert agreement >= 0.9, f"only {agreement:.0%} of the answers are the reference's"
    # The caller's model is as it was: same weights, still in evaluation mode, still float.
    after = ours.model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert not ours.model.training
    # Rebuilt from what was kept, it is the same variant again.
    again = compose.prepare(keys, ours.model, sample, kept)
    with again.session[-1]():
        torch.testing.assert_close(again.caller()(ours.inputs).float(), answers)


@pytest.mark.parametrize("name", APPLIES)
def test_what_does_not_apply_says_why_not(name: str) -> None:
    workload, here = workloads.get(name), this_machine()
    reasons = {key: compose.why_not((key,), workload, Condition(), here) for key in TECHNIQUES}

    assert {key for key, reason in reasons.items() if reason is None} == APPLIES[name]
    assert all(reason.endswith(".") and len(reason) > 30 for reason in reasons.values() if reason)


@pytest.mark.parametrize("key", ["dynamic-int8", "static-int8", "qat-int8"])
def test_eager_int8_says_why_not_on_cuda(key: str) -> None:
    workload = workloads.get("transformer-encoder")
    assert "CPU only" in str(compose.why_not((key,), workload, Condition(device="cuda"), this_machine()))


def test_two_quantizations_clash_and_so_do_int8_and_autocast() -> None:
    assert "both change the weights" in str(compose.clash(("dynamic-int8", "static-int8")))
    assert "cannot be combined" in str(compose.clash(("static-int8", "amp-bf16")))
    assert "named twice" in str(compose.clash(("channels-last", "channels-last")))
    assert compose.clash(("inference-mode", "channels-last", "static-int8")) is None


def test_a_silent_no_op_is_called_one() -> None:
    """FX static quantization takes a model of LSTM alone without a word and leaves it in FP32."""
    from efficiency.techniques import int8

    ours = reference("lstm-classifier")
    untouched = compose.prepare((), ours.model, ours.inputs[:1], {})
    assert int8.evidence(untouched, ours.inputs[:1], ours.model).took_effect == "no"
    assert TECHNIQUES["channels-last"].evidence(untouched, ours.inputs[:1], ours.model).took_effect == "no"
    assert TECHNIQUES["amp-bf16"].evidence(untouched, ours.inputs[:1], ours.model).took_effect == "no"


def test_padding_and_the_opened_encoder_agree_with_pytorchs() -> None:
    from efficiency.techniques import int8

    ours = reference("transformer-encoder")
    padded = ours.inputs.clone()
    padded[:, 20:] = 0
    with torch.no_grad():
        expected = ours.model(padded)
        torch.testing.assert_close(int8.opened_copy(ours.model)(padded), expected, atol=1e-4, rtol=1e-4)
