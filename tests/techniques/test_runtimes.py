"""Runtimes take a whole model: packaged once, loaded without it, refused with a sentence."""

from pathlib import Path

import pytest
import torch
from torch import nn

from efficiency.errors import VariantFailed
from efficiency.techniques import TECHNIQUES, compose

KEYS = ("optimize-for-inference",)


class Folds(nn.Module):
    """Convolution and batch norm, which freezing folds into one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.conv(images)).relu().mean(dim=(2, 3)))


class ForOneBatch(nn.Module):
    """Reads the batch size as a number, which a trace holds for good."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.sum(dim=1, keepdim=True) * int(inputs.shape[0])


class Branches(nn.Module):
    """Asks a tensor of the call for a string: no tracer follows that."""

    def forward(self, inputs: torch.Tensor) -> dict[str, str]:
        return {"shape": str(inputs.shape)}


def test_what_is_packaged_is_loaded_in_place_of_the_model(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, images = Folds().eval(), torch.randn(5, 1, 8, 8)
    with torch.no_grad():
        expected = model(images)
    compose.package(KEYS, model, images[:1], {}, tmp_path / "artefact")
    del model
    prepared = compose.prepare(KEYS, None, images[:1], {}, tmp_path / "artefact")
    torch.testing.assert_close(prepared.caller()(images), expected)
    shown = TECHNIQUES["optimize-for-inference"].evidence(prepared, images[:1], nn.Identity())
    assert shown.took_effect == "yes"
    assert shown.figures["graph_operations"] < 12


def test_evidence_of_int8_is_of_the_weights_not_of_the_graph(tmp_path: Path) -> None:
    """A frozen graph has no parameters left, which must not pass for INT8."""
    torch.manual_seed(0)
    model, rows = nn.Sequential(nn.Conv1d(4, 8, 3), nn.Flatten(), nn.Linear(48, 3)).eval(), torch.randn(4, 4, 8)
    keys = ("dynamic-int8", *KEYS)
    compose.package(keys, model, rows[:1], {}, tmp_path / "artefact")
    prepared = compose.prepare(keys, None, rows[:1], {}, tmp_path / "artefact")
    share = compose.evidence(keys, prepared, rows[:1], model, {})["dynamic-int8"].figures["int8_weight_share"]
    assert share == pytest.approx(48 * 3 / (48 * 3 + 4 * 8 * 3), abs=1e-3)


@pytest.mark.parametrize(("model", "said"), [(ForOneBatch(), "batch size"), (Branches(), "cannot trace")])
def test_a_model_that_no_trace_holds_is_refused_with_a_sentence(model: nn.Module, said: str, tmp_path: Path) -> None:
    with pytest.raises(VariantFailed, match=said):
        compose.package(KEYS, model.eval(), torch.randn(1, 6), {}, tmp_path / "artefact")


def test_a_variant_has_one_runtime_and_weights_are_put_in_before_it() -> None:
    assert compose.runtime_of(("static-int8", "inference-mode")) is None
    assert compose.runtime_of(("static-int8", *KEYS)) is TECHNIQUES["optimize-for-inference"].runtime
    assert "cannot be combined" in str(compose.clash((*KEYS, "amp-bf16")))


@pytest.mark.parametrize(
    ("keys", "alone"),
    [
        (("static-int8", *KEYS), KEYS),
        (("static-int8", "channels-last", *KEYS, "inference-mode"), ("channels-last", *KEYS, "inference-mode")),
        (("onnxruntime-static-int8",), ("onnxruntime",)),
        (("onnxruntime-dynamic-int8",), ("onnxruntime",)),
        (("onnxruntime",), None),
        (("channels-last", *KEYS), None),
        (("static-int8", "inference-mode"), None),
        ((), None),
    ],
)
def test_the_same_runtime_in_fp32(keys: tuple[str, ...], alone: tuple[str, ...] | None) -> None:
    assert compose.same_runtime_in_fp32(keys) == alone


def test_the_runtime_in_fp32_is_one_that_can_stand_alone() -> None:
    for technique in TECHNIQUES.values():
        if technique.fp32_of is not None:
            other = TECHNIQUES[technique.fp32_of]
            assert technique.runtime is not None
            assert other.runtime is not None
            assert (other.arithmetic, other.fp32_of) == ("fp32", None)
