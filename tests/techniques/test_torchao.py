"""torchao's `quantize_`: what is special to weights that stay Parameters, of a type of their own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from efficiency import paths, recipes, workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.measure.size import serialized_bytes
from efficiency.techniques import TECHNIQUES, compose, macs, torchao_weights
from efficiency.techniques.base import Evidence, Prepared

KEYS = ("int8-weight-only", "int4-weight-only", "int8-dynamic")


class Encoder(nn.Module):
    """Attention and feed-forward, all in multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(128, 4, 256, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(128, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(inputs).mean(dim=1))


def made(key: str, model: nn.Module, sample: torch.Tensor) -> Prepared:
    return compose.prepare((key,), model, sample, {})


def seen(key: str, prepared: Prepared, sample: torch.Tensor, model: nn.Module) -> Evidence:
    return TECHNIQUES[key].evidence(prepared, sample, model)


@pytest.fixture
def encoder() -> nn.Module:
    torch.manual_seed(0)
    return Encoder().eval()


SAMPLE = torch.randn(2, 6, 128, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("key", KEYS)
def test_every_linear_layer_is_reached_attention_too(key: str, encoder: nn.Module) -> None:
    prepared = made(key, encoder, SAMPLE)
    layers = [part for part in prepared.module.modules() if isinstance(part, nn.Linear)]
    assert len(layers) == 2 * 4 + 1, "Projections, output and two of the feed-forward in each layer, and the head."
    assert all(layer.weight.qdata.dtype == torch.int8 for layer in layers)
    figures = seen(key, prepared, SAMPLE, encoder).figures
    assert figures["int4_weight_share" if key == "int4-weight-only" else "int8_weight_share"] == 1.0
    with torch.no_grad():
        torch.testing.assert_close(prepared.caller()(SAMPLE), encoder(SAMPLE), atol=0.1, rtol=0.1)


@pytest.mark.parametrize("key", KEYS)
def test_an_untouched_model_shows_none_of_it(key: str, encoder: nn.Module) -> None:
    untouched = compose.prepare((), encoder, SAMPLE, {})
    assert seen(key, untouched, SAMPLE, encoder).took_effect == "no"


def test_four_bits_that_are_stored_in_eight_are_called_so(encoder: nn.Module) -> None:
    prepared = made("int4-weight-only", encoder, SAMPLE)
    shown = seen("int4-weight-only", prepared, SAMPLE, encoder)
    assert (shown.took_effect, shown.figures["stored_bits_per_weight"]) == ("partly", 8.0)
    assert "stored in 8 bits" in shown.reason
    assert serialized_bytes(prepared.module) > serialized_bytes(made("int8-weight-only", encoder, SAMPLE).module)


def test_eight_bits_are_not_four(encoder: nn.Module) -> None:
    eight = made("int8-weight-only", encoder, SAMPLE)
    assert seen("int4-weight-only", eight, SAMPLE, encoder).took_effect == "no"


def test_four_bits_that_are_packed_would_be_a_yes(encoder: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = made("int4-weight-only", encoder, SAMPLE)
    # Half the bytes, as two values in each would take: no kernel here reads weights that are packed so.
    monkeypatch.setattr(
        torchao_weights, "_stored_bits", lambda module, stored=torchao_weights._stored_bits: stored(module) / 2
    )
    shown = seen("int4-weight-only", prepared, SAMPLE, encoder)
    assert (shown.took_effect, shown.figures["stored_bits_per_weight"]) == ("yes", 4.0)


def test_activations_are_quantized_in_int8_dynamic_alone(encoder: nn.Module) -> None:
    dynamic, weights = (made(key, encoder, SAMPLE) for key in ("int8-dynamic", "int8-weight-only"))
    shown = seen("int8-dynamic", dynamic, SAMPLE, encoder)
    # Of the multiply-accumulates, attention's alone are not in integers: L x L scores and as many sums in each layer.
    attention = 2 * 2 * (2 * 6 * 6 * 128)
    linear = 2 * (2 * 6) * (4 * 128 * 128 + 2 * 128 * 256) + 2 * 128 * 4
    assert shown.took_effect == "yes"
    assert shown.figures["int8_mac_share"] == pytest.approx(linear / (linear + attention), abs=1e-4)
    shown = seen("int8-dynamic", weights, SAMPLE, encoder)
    assert (shown.took_effect, shown.figures["int8_mac_share"]) == ("partly", 0.0)


@pytest.mark.parametrize("key", KEYS)
def test_the_size_is_that_of_the_integers_and_their_scales(key: str, encoder: nn.Module) -> None:
    state = made(key, encoder, SAMPLE).module.state_dict()
    parts = [part for value in state.values() for part in inner(value)]
    stored = sum(part.nbytes for part in parts)
    written = serialized_bytes(made(key, encoder, SAMPLE).module)
    assert stored < written < stored + 1024 * len(parts), "A file has a header for each tensor."
    assert written < 0.4 * serialized_bytes(encoder)


def inner(value: Any) -> list[torch.Tensor]:
    return [getattr(value, name) for name in value.__tensor_flatten__()[0]] if hasattr(value, "qdata") else [value]


class Shared(nn.Module):
    """One layer in two places, one that shares its weight with an embedding, and one that is no multiple of 32 wide."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, layer = nn.Embedding(50, 64), nn.Linear(64, 64)
        self.first, self.second = nn.Sequential(layer), nn.Sequential(layer)
        self.narrow = nn.Sequential(nn.Linear(64, 40), nn.Linear(40, 64))
        self.head = nn.Linear(64, 50)
        self.head.weight = self.embedding.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.narrow(self.second(self.first(self.embedding(ids)))))


@pytest.mark.parametrize("key", KEYS)
def test_weights_that_are_shared_or_of_odd_width(key: str) -> None:
    torch.manual_seed(0)
    model, ids = Shared().eval(), torch.randint(0, 50, (3, 7))
    prepared = made(key, model, ids)
    four = key == "int4-weight-only"
    assert hasattr(prepared.module.narrow[1].weight, "qdata") is not four
    total, embedding, narrow = 50 * 64 + 64 * 64 + 2 * 64 * 40, 50 * 64, 64 * 40
    kept = embedding + narrow * four
    shown = seen(key, prepared, ids, model).figures["int4_weight_share" if four else "int8_weight_share"]
    assert shown == pytest.approx(1 - kept / total, abs=1e-4)
    with torch.no_grad():
        expected = model(ids)
        assert (prepared.caller()(ids) - expected).norm() < 0.2 * expected.norm()


@pytest.mark.parametrize("key", ["int8-weight-only", "int8-dynamic"])
def test_nothing_leaks_into_what_compiles_beside_it(key: str, encoder: nn.Module) -> None:
    from torch._inductor import config

    before = config.coordinate_descent_tuning, config.force_fuse_int_mm_with_mul
    made(key, encoder, SAMPLE)
    assert (config.coordinate_descent_tuning, config.force_fuse_int_mm_with_mul) == before


@pytest.mark.parametrize("reduced", [True, False])
def test_a_cpu_without_vnni_gets_ranges_that_cannot_overflow(
    reduced: bool, encoder: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchao.utils

    monkeypatch.setattr(torchao.utils, "should_reduce_range", lambda device: reduced)
    prepared = made("int8-dynamic", encoder, SAMPLE)
    assert (int(prepared.module.head.weight.qdata.abs().max()) <= 64) is reduced
    assert seen("int8-dynamic", prepared, SAMPLE, encoder).took_effect == "yes"


def test_the_first_import_is_silent() -> None:
    """It tells of kernels for other machines that it cannot load, at each start of a process."""
    script = (
        "import torch\nfrom torch import nn\nfrom efficiency.techniques import compose\n"
        "compose.prepare(('int8-dynamic',), nn.Linear(32, 4), torch.randn(2, 32), {}).caller()(torch.randn(2, 32))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class OddWidths(nn.Module):
    """Layers of widths that cuBLAS takes in INT8, and of others."""

    def __init__(self) -> None:
        super().__init__()
        self.fits, self.rows, self.columns = nn.Linear(64, 24), nn.Linear(20, 64), nn.Linear(64, 4)


def test_on_cuda_layers_that_torchao_would_take_to_the_cpu_stay_in_fp32() -> None:
    taken = [name for name, part in OddWidths().named_modules() if torchao_weights.is_taken_by_cublas(part, name)]
    assert taken == ["fits"]
    workload = workloads.get("transformer-encoder")
    for device, takes in (("cuda", "is_taken_by_cublas"), ("cpu", "is_taken")):
        text = recipes.of(("int8-dynamic",), workload, Condition(device=device))
        assert f"quantize_(model, config, {takes})\n" in text


@pytest.mark.parametrize(("left", "said"), [(2, "2 products ran in FP32: cuBLAS"), (1, "One product ran"), (0, "")])
def test_products_that_cublas_left_to_fp32_are_told_of(left: int, said: str) -> None:
    seen = macs.Macs((macs.Product("_int_mm", "int8", 9), *[macs.Product("mm", "fp32", 1)] * left), 0)
    shown = torchao_weights.told_of_few_rows(Evidence("yes", "All weights are INT8."), seen)
    assert shown.reason.startswith("All weights are INT8.")
    assert said in shown.reason
    assert ("17 rows" in shown.reason) == bool(left)


def why_not(key: str, workload: str, condition: Condition) -> str | None:
    return compose.why_not((key,), workloads.get(workload), condition, this_machine())


@pytest.mark.parametrize("key", KEYS)
def test_why_not(key: str) -> None:
    here, there = Condition(), Condition(device="cuda")
    assert why_not(key, "transformer-encoder", there) is None
    assert "use dynamic-int8" in str(why_not(key, "lstm-classifier", here))
    assert "use static-int8" in str(why_not(key, "vision-small-cnn", here))
    assert "use amp-bf16" in str(why_not(key, "lstm-classifier", there)), "Those run on the CPU only."
    assert "for inference" in str(why_not(key, "transformer-encoder", replace(here, phase="training")))
    few = why_not(key, "transformer-encoder", replace(there, length=8, batch_size=2))
    assert ("from 17 rows on, and a call has 16 tokens" in str(few)) == (key == "int8-dynamic")
    assert why_not(key, "transformer-encoder", replace(there, length=8, batch_size=3)) is None
    assert why_not(key, "transformer-encoder", replace(here, length=8, batch_size=2)) is None
    bare = replace(this_machine(), installed=())
    missing = compose.why_not((key,), workloads.get("transformer-encoder"), here, bare)
    assert "pip install -r requirements.txt" in str(missing)
