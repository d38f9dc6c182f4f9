"""One table, every technique on every built-in workload: it applies, or it says why not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.measure.accuracy import in_calls_of
from efficiency.techniques import TECHNIQUES, compose
from efficiency.techniques.amp import why_not_bf16
from efficiency.techniques.base import Data, Prepared
from efficiency.workloads import checkpoints

EVERYWHERE = (
    "bf16-weights", "fp16-weights", "amp-bf16", "inference-mode", "grad-enabled",
    "optimize-for-inference", "torch-compile", "onnxruntime", "openvino", "openvino-int8",
)  # fmt: skip
INT8 = ("static-int8", "mixed-int8", "qat-int8", "pt2e-static-int8", "pt2e-qat-int8", "onnxruntime-static-int8")
TORCHAO = ("int8-weight-only", "int4-weight-only", "int8-dynamic")
GPU_ALONE = ("float8-dynamic", "cuda-graphs")
DYNAMIC = ("dynamic-int8", "onnxruntime-dynamic-int8")
# Which techniques apply to which workload on a CPU; what is missing here must say why not.
APPLIES = {
    "vision-small-cnn": {*EVERYWHERE, *INT8, "channels-last"},
    "vision-resnet18": {*EVERYWHERE, *INT8, "channels-last"},
    "vision-mobilenet-v2": {*EVERYWHERE, *INT8, "channels-last"},
    "lstm-classifier": {*EVERYWHERE, *DYNAMIC, "int8-lstm"},
    "transformer-encoder": {*EVERYWHERE, *INT8, *DYNAMIC, *TORCHAO, "pt2e-dynamic-int8", "fast-path"},
}
COMBINED = [
    ("vision-small-cnn", ("static-int8", "channels-last")),
    ("vision-small-cnn", ("channels-last", "amp-bf16", "inference-mode")),
    ("lstm-classifier", ("dynamic-int8", "inference-mode")),
    ("transformer-encoder", ("static-int8", "inference-mode")),
    ("transformer-encoder", ("fast-path", "inference-mode")),
    ("vision-small-cnn", ("static-int8", "channels-last", "optimize-for-inference", "inference-mode")),
    ("vision-mobilenet-v2", ("static-int8", "optimize-for-inference")),
    ("lstm-classifier", ("dynamic-int8", "optimize-for-inference")),
    ("lstm-classifier", ("int8-lstm", "inference-mode")),
    ("transformer-encoder", ("dynamic-int8", "optimize-for-inference")),
    ("vision-small-cnn", ("torch-compile", "inference-mode")),
    ("vision-small-cnn", ("bf16-weights", "channels-last")),
    ("vision-resnet18", ("bf16-weights", "channels-last", "grad-enabled")),
    ("lstm-classifier", ("bf16-weights", "inference-mode")),
    ("transformer-encoder", ("bf16-weights", "fast-path")),
    ("transformer-encoder", ("int8-weight-only", "amp-bf16", "inference-mode")),
    ("transformer-encoder", ("int4-weight-only", "amp-bf16")),
    ("transformer-encoder", ("int8-dynamic", "inference-mode")),
]
if why_not_bf16(workloads.get("lstm-classifier"), Condition(), this_machine()):
    APPLIES["lstm-classifier"].discard("amp-bf16")  # its own test tells where
PARTLY = {"int4-weight-only"}
"""Rounded to 4 bits, and stored in 8."""
# Compiling takes 10 s for the smallest and a minute for the large ones, exporting a tenth of that; what does the same
# to any model is tried on the small ones, and what is combined below is not tried alone as well.
LARGE = {"vision-resnet18", "vision-mobilenet-v2"}
TOO_SLOW = {
    "mixed-int8": LARGE,  # the transformer has residual sums, too
    "static-int8": {"vision-mobilenet-v2"},
    "int8-dynamic": {"transformer-encoder"},
    "channels-last": {"vision-resnet18"},
    "amp-bf16": LARGE,
    "inference-mode": LARGE,
    "bf16-weights": LARGE,
    "fp16-weights": LARGE,
    "grad-enabled": LARGE,
    "torch-compile": {*LARGE, "transformer-encoder", "vision-small-cnn"},  # the last is tried with inference-mode
    "pt2e-static-int8": set(APPLIES),  # tests/recipes compiles all of PT2E, and asks the same of it
    "pt2e-dynamic-int8": set(APPLIES),
    "pt2e-qat-int8": set(APPLIES),
    "onnxruntime": LARGE,
    "onnxruntime-static-int8": LARGE,
    "openvino": LARGE,
    "openvino-int8": LARGE,
}
CASES = [
    (name, (key,)) for name, keys in APPLIES.items() for key in sorted(keys) if name not in TOO_SLOW.get(key, ())
] + COMBINED
ROWS, LEARNING_ROWS = 128, 64
EMULATED = {"amp-bf16", "bf16-weights", "fp16-weights", "int8-dynamic"}
EMULATED_ROWS = 32
"""Few: a CPU without instructions for such numbers takes seconds for more."""


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


def call_of(keys: tuple[str, ...], prepared: Prepared) -> Callable[[torch.Tensor], torch.Tensor]:
    """Of any number of rows, as a probe makes it."""
    runtime = compose.runtime_of(keys)
    return in_calls_of(1, prepared.caller()) if runtime and runtime.specialised else prepared.caller()


@pytest.mark.parametrize(
    ("name", "keys"), CASES, ids=lambda value: value if isinstance(value, str) else "+".join(value)
)
def test_it_applies_and_shows_it(name: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    ours = reference(name)
    before = copy.deepcopy(ours.model.state_dict())
    rows = EMULATED_ROWS if EMULATED & set(keys) else ROWS
    inputs, sample = ours.inputs[:rows], ours.inputs[:1]

    learned = compose.learn(keys, ours.model, sample, ours.data)
    kept = load(save(learned)) if learned else {}
    artefact = tmp_path / "artefact"
    compose.package(keys, ours.model, sample, kept, artefact)
    prepared = compose.prepare(keys, ours.model, sample, kept, artefact)
    with prepared.session[-1]():
        answers = call_of(keys, prepared)(inputs).float()
        shown = compose.evidence(keys, prepared, sample, ours.model, kept)

    expected = {key: "partly" if key in PARTLY else "yes" for key in keys}
    assert {key: seen.took_effect for key, seen in shown.items()} == expected, shown
    agreement = (answers.argmax(1) == ours.answers[:rows].argmax(1)).float().mean()
    assert agreement >= 0.9, f"only {agreement:.0%} of the answers are the reference's"
    # The caller's model is as it was: same weights, still in evaluation mode, still float.
    after = ours.model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert not ours.model.training
    # Rebuilt from what was kept, it is the same variant again; an artefact needs no model beside it.
    model = None if compose.runtime_of(keys) else ours.model
    again = compose.prepare(keys, model, sample, kept, artefact)
    with again.session[-1]():
        torch.testing.assert_close(call_of(keys, again)(inputs).float(), answers)


@pytest.mark.parametrize("name", APPLIES)
def test_what_does_not_apply_says_why_not(name: str) -> None:
    workload, here = workloads.get(name), this_machine()
    reasons = {key: compose.why_not((key,), workload, Condition(), here) for key in TECHNIQUES}

    assert {key for key, reason in reasons.items() if reason is None} == APPLIES[name]
    assert all(reason.endswith(".") and len(reason) > 30 for reason in reasons.values() if reason)


@pytest.mark.parametrize("key", GPU_ALONE)
def test_what_is_for_a_gpu_alone_is_refused_on_every_workload_here(key: str) -> None:
    assert not any(key in keys for keys in APPLIES.values())
    for name in APPLIES:
        assert "CPU" in str(compose.why_not((key,), workloads.get(name), Condition(), this_machine()))


@pytest.mark.parametrize("key", ["dynamic-int8", "static-int8", "qat-int8"])
def test_eager_int8_says_why_not_on_cuda(key: str) -> None:
    workload = workloads.get("transformer-encoder")
    assert "CPU only" in str(compose.why_not((key,), workload, Condition(device="cuda"), this_machine()))


@pytest.mark.parametrize(("name", "fails"), [("lstm-classifier", True), ("transformer-encoder", False)])
def test_autocast_of_an_lstm_needs_avx512_on_x86(name: str, fails: bool) -> None:
    def reason(architecture: str, *sets: str, device: str = "cpu") -> str | None:
        machine = replace(this_machine(), architecture=architecture, instruction_sets=sets)
        return why_not_bf16(workloads.get(name), Condition(device=device), machine)

    assert ("AVX512" in (reason("x86_64", "avx2") or "")) == fails
    assert reason("x86_64", "avx2", "avx512f") is None
    assert reason("aarch64") is None
    assert reason("x86_64", "avx2", device="cuda") is None


def test_what_is_said_of_autocast_of_an_lstm_is_so_here() -> None:
    ours = reference("lstm-classifier")
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        if why_not_bf16(workloads.get("lstm-classifier"), Condition(), this_machine()):
            with pytest.raises(RuntimeError, match="primitive descriptor"):
                ours.model(ours.inputs[:1])
        else:
            assert ours.model(ours.inputs[:1]).isfinite().all()


def test_two_quantizations_clash_and_so_do_int8_and_autocast() -> None:
    assert "both change the weights" in str(compose.clash(("dynamic-int8", "static-int8")))
    assert "cannot be combined" in str(compose.clash(("static-int8", "amp-bf16")))
    assert "both change the weights" in str(compose.clash(("dynamic-int8", "int8-dynamic")))
    assert "cannot be combined" in str(compose.clash(("int8-dynamic", "amp-bf16")))
    assert "cannot be combined" in str(compose.clash(("int8-weight-only", "amp-fp16")))
    assert "named twice" in str(compose.clash(("channels-last", "channels-last")))
    assert compose.clash(("inference-mode", "channels-last", "static-int8")) is None
    assert compose.clash(("int8-weight-only", "amp-bf16")) is None


@pytest.mark.parametrize("key", ["dynamic-int8", *INT8, *TORCHAO, "float8-dynamic"])
def test_the_fast_path_takes_no_quantized_weights(key: str) -> None:
    assert "cannot be combined" in str(compose.clash((key, "fast-path")))


@pytest.mark.parametrize("key", [key for key in TECHNIQUES if key != "amp-fp16"])
def test_a_baseline_shows_no_technique(key: str) -> None:
    for name in ("lstm-classifier", "vision-small-cnn"):
        ours = reference(name)
        untouched = compose.prepare((), ours.model, ours.inputs[:1], {})
        assert TECHNIQUES[key].evidence(untouched, ours.inputs[:1], ours.model).took_effect == "no"


class Recurrent(nn.Module):
    """An LSTM and next to nothing beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(inputs)
        return self.head(states[:, -1])


def test_a_silent_no_op_is_called_one() -> None:
    """FX static quantization takes an LSTM without a word and leaves it in FP32."""
    torch.manual_seed(0)
    model, inputs = Recurrent().eval(), torch.randn(64, 6, 32)
    data = Data(lambda: inputs, lambda: pytest.fail("static quantization does not train"))
    learned = compose.learn(("static-int8",), model, inputs[:1], data)
    prepared = compose.prepare(("static-int8",), model, inputs[:1], learned)
    assert any(isinstance(part, nn.LSTM) for part in prepared.module.modules())
    assert TECHNIQUES["static-int8"].evidence(prepared, inputs[:1], model).took_effect == "no"


class Attentive(nn.Module):
    """Attention in a layer of one's own, as torchvision's vision transformer has it."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(32, 4, batch_first=True), nn.Linear(32, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        states, _ = self.attention(inputs, inputs, inputs, need_weights=False)
        return self.head(states.mean(dim=1))


@pytest.mark.parametrize(("keys", "took_effect"), [(("fast-path",), "yes"), ((), "no")])
def test_attention_outside_an_encoder_layer_is_fused_and_seen(keys: tuple[str, ...], took_effect: str) -> None:
    torch.manual_seed(0)
    model, inputs = Attentive().eval(), torch.randn(8, 6, 32)
    prepared = compose.prepare(keys, model, inputs[:1], {})
    with prepared.session[-1]():
        shown = TECHNIQUES["fast-path"].evidence(prepared, inputs[:1], model)
        answers = prepared.caller()(inputs)
    assert shown.took_effect == took_effect
    assert shown.figures["fused_attentions"] == len(keys)
    torch.testing.assert_close(answers, model(inputs), atol=1e-5, rtol=1e-5)


class Text(nn.Module):
    """Convolutions over tokens of which one is laid out as an image, and one over a volume."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.flat, self.volume = nn.Conv2d(4, 16, 3), nn.Conv3d(1, 2, 3)
        self.head = nn.Linear(2, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states = self.flat(self.embedding(ids).unflatten(1, (4, -1)))
        return self.head(self.volume(states.unsqueeze(1)).mean(dim=(2, 3, 4)))


def test_channels_last_takes_inputs_that_are_no_images_as_they_are() -> None:
    torch.manual_seed(0)
    model, ids = Text().eval(), torch.randint(0, 50, (3, 32))
    prepared = compose.prepare(("channels-last",), model, ids, {})
    torch.testing.assert_close(prepared.caller()(ids), model(ids))
    assert TECHNIQUES["channels-last"].evidence(prepared, ids, model).took_effect in {"partly", "yes"}


def test_the_converted_input_alone_is_no_effect() -> None:
    model, images = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4)).eval(), torch.randn(2, 3, 8, 8)
    prepared = compose.prepare(("channels-last",), model, images, {})
    assert prepared.convert is not None
    assert TECHNIQUES["channels-last"].evidence(prepared, images, model).took_effect == "no"


def test_conversions_of_the_input_come_one_after_the_other() -> None:
    plain = Prepared(model=nn.Identity(), module=nn.Identity(), grad_mode=torch.no_grad)
    one = plain.converting(torch.neg)
    assert one.convert is torch.neg, "a single conversion is called as it is"
    both = one.converting(torch.relu)
    assert both.caller()(torch.tensor([-1.0, 2.0])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("shares", [{"linear": 1.0}, {"other": 0.9, "linear": 0.1}])
def test_channels_last_says_why_not_without_a_conv2d(shares: dict[str, float]) -> None:
    workload = replace(workloads.get("lstm-classifier"), weights_in=shares)
    assert "nn.Conv2d" in str(compose.why_not(("channels-last",), workload, Condition(), this_machine()))


def test_padding_and_the_opened_encoder_agree_with_pytorchs() -> None:
    from efficiency.techniques import int8

    ours = reference("transformer-encoder")
    padded = ours.inputs.clone()
    padded[:, 20:] = 0
    with torch.no_grad():
        expected = ours.model(padded)
        torch.testing.assert_close(int8.opened_copy(ours.model)(padded), expected, atol=1e-4, rtol=1e-4)
