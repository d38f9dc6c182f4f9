"""A training step of ours is the loop that one would write by hand; techniques serve training or say why not."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.errors import VariantFailed
from efficiency.machine import this_machine
from efficiency.techniques import TECHNIQUES, compose, matrix_table, training_step
from efficiency.techniques.training_step import Step

STEPS = 3


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, 4),
    )  # fmt: skip


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, 2, 6, 6, generator=generator), torch.randint(0, 4, (16,), generator=generator)


def step_of(keys: tuple[str, ...], model: nn.Module, folder: Path) -> Step:
    return training_step.prepare(
        keys,
        model,
        *batch(),
        optimizer=lambda module: torch.optim.AdamW(module.parameters(), lr=1e-2),
        loss=cross_entropy,
        cache=folder,
    )


def by_hand(keys: tuple[str, ...], model: nn.Module) -> tuple[nn.Module, list[float]]:
    """The loop of PyTorch's documentation."""
    model, (inputs, labels) = copy.deepcopy(model).train(), batch()
    if "channels-last" in keys:
        model = model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)
    dtype = torch.float16 if "amp-fp16" in keys else torch.bfloat16
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu", enabled="amp-fp16" in keys)
    torch.manual_seed(2)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype) if {"amp-bf16", "amp-fp16"} & set(keys) else nullcontext():
            loss = cross_entropy(model(inputs), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return model, losses


KEYS = [(), ("amp-bf16",), ("amp-fp16",), ("channels-last",), ("channels-last", "amp-bf16")]


@pytest.mark.parametrize("keys", KEYS, ids=lambda keys: "+".join(keys) or "baseline")
def test_a_step_is_the_loop_that_one_would_write(keys: tuple[str, ...], tmp_path: Path) -> None:
    model = network()
    before = copy.deepcopy(model.state_dict())
    expected, losses = by_hand(keys, model)
    step = step_of(keys, model, tmp_path)
    take = step.caller()
    torch.manual_seed(2)

    assert [take(*batch()).item() for _ in range(STEPS)] == losses
    trained = step.prepared.module.state_dict()
    assert all(torch.equal(trained[name], value) for name, value in expected.state_dict().items())
    assert not torch.equal(trained["0.weight"], before["0.weight"]), "nothing was trained"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items()), "the caller's model"
    assert (step.scaler is not None) == ("amp-fp16" in keys), "loss scaling only where it is needed"
    shown = training_step.evidence(keys, step, batch()[0], model)
    assert {key: seen.took_effect for key, seen in shown.items()} == dict.fromkeys(keys, "yes"), shown


def test_compiling_ahead_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """What it runs, the forward and the backward pass, is the same where nothing is compiled."""
    model = network()
    step = step_of((), model, tmp_path)
    torch.manual_seed(3)
    step.compile_ahead(*batch(), tmp_path)
    drawn = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(3)), "random numbers, which dropout draws"
    assert all(map(torch.equal, step.prepared.module.state_dict().values(), model.state_dict().values()))
    assert all(weight.grad is None for weight in step.prepared.module.parameters())


def test_a_compiled_step_is_compiled_before_the_first_one_and_does_the_same(tmp_path: Path) -> None:
    """Of matrix products alone, for which no C++ is compiled: that takes half a minute."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(72, 4, bias=False))
    step = step_of(("torch-compile",), model, tmp_path)
    assert any(file.is_file() for file in tmp_path.rglob("*")), "what was compiled is in the study's own folder"

    eager, take = step_of((), model, tmp_path).caller(), step.caller()
    with torch.compiler.set_stance("fail_on_recompile"):
        losses = [take(*batch()).item() for _ in range(STEPS)]
    assert losses == pytest.approx([eager(*batch()).item() for _ in range(STEPS)], rel=1e-3)
    assert losses[-1] < losses[0]
    shown = training_step.evidence(("torch-compile",), step, batch()[0], model)
    assert shown["torch-compile"].took_effect == "yes", shown


def test_what_cannot_be_compiled_says_so(tmp_path: Path) -> None:
    step = step_of((), network(), tmp_path)
    with pytest.raises(VariantFailed, match="could not compile the step"):
        step.compile_ahead(torch.randn(16, 3), batch()[1], tmp_path)


@pytest.mark.parametrize("key", [key for key, technique in TECHNIQUES.items() if technique.training])
def test_a_baseline_that_is_trained_shows_no_technique(key: str, tmp_path: Path) -> None:
    step, served = step_of((), network(), tmp_path), TECHNIQUES[key].training
    assert served is not None
    assert served.evidence(step.prepared, batch()[0], network()).took_effect == "no"


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=lambda technique: technique.key)
def test_a_technique_serves_training_or_says_why_not(technique, tmp_path: Path) -> None:
    condition = Condition(device="cuda", phase="training")
    reasons = [technique.why_not(w, condition, matrix_table.MACHINE) for w in workloads.WORKLOADS.values()]
    if technique.training is not None:
        assert None in reasons
        return
    assert all(reason and reason.endswith(".") and len(reason) > 30 for reason in reasons)
    with pytest.raises(VariantFailed, match="for inference"):
        step_of((technique.key,), network(), tmp_path)


def test_what_stands_together_depends_on_the_phase() -> None:
    together = ("channels-last", "amp-bf16", "torch-compile")
    assert "cannot be combined" in str(compose.clash(together))
    assert compose.clash(together, "training") is None
    assert "cannot be combined" in str(compose.clash(("amp-fp16", "amp-bf16"), "training"))


def test_fp16_on_a_cpu_and_channels_last_without_images_say_why_not_in_training_too() -> None:
    condition, here = Condition(phase="training"), this_machine()
    lstm = workloads.get("lstm-classifier")
    assert "for CUDA" in str(compose.why_not(("amp-fp16",), lstm, condition, here))
    assert "nn.Conv2d" in str(compose.why_not(("channels-last",), lstm, condition, here))
