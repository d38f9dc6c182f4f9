"""Layer sensitivity: a layer with planted outliers is found and left in FP32, and nothing else is."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from efficiency import layers_chart, workloads
from efficiency.analysis import layers
from efficiency.condition import Condition
from efficiency.errors import BadRequest
from efficiency.recipes import script
from efficiency.techniques import TECHNIQUES, compose
from efficiency.techniques.base import Data, Evidence, Prepared, Tensors
from efficiency.techniques.halved_conv import HalvedConv2d
from efficiency.workloads import checkpoints
from efficiency.workloads.base import Split

MIXED, STATIC = ("mixed-int8",), ("static-int8",)
FRAGILE, GIVES = "7", ("3", "4")
"""A layer of the small CNN, and the convolution and batch norm that give it its channels."""
FUSED = f"{FRAGILE}.0"
"""The same in a model in which it has a ReLU of its own."""
OUTLIER = 20.0
CALIBRATION_ROWS, TRAINING_ROWS, TEST_ROWS = 64, 512, 1_000


@cache
def rows(split: Split, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    workload = workloads.get("vision-small-cnn")
    found = workload.dataset(None).load(split, count)
    return workload.encode(found.inputs), torch.from_numpy(found.labels)


@cache
def model(outlier: float) -> nn.Module:
    """The trained small CNN, with outliers in the fragile layer: at a channel and its copy, they cancel out in FP32."""
    workload = workloads.get("vision-small-cnn")
    made = copy.deepcopy(checkpoints.load(workload, workload.dataset(None)))
    if outlier:
        with torch.no_grad():
            for name in GIVES:
                for value in made.get_submodule(name).state_dict().values():
                    if value.dim():
                        value[1] = value[0]
            weight = made.get_submodule(FRAGILE).weight
            weight[:, 0] += outlier
            weight[:, 1] = -outlier
    return made


@cache
def learned(outlier: float, keys: tuple[str, ...] = MIXED) -> Tensors:
    data = Data(lambda: rows("calibration", CALIBRATION_ROWS)[0], lambda: rows("train", TRAINING_ROWS))
    return compose.learn(keys, model(outlier), rows("test", TEST_ROWS)[0][:1], data)


def variant(outlier: float, keys: tuple[str, ...] = MIXED) -> Prepared:
    return compose.prepare(keys, model(outlier), rows("test", TEST_ROWS)[0][:1], learned(outlier, keys))


def shown(outlier: float) -> Evidence:
    return TECHNIQUES["mixed-int8"].evidence(variant(outlier), rows("test", TEST_ROWS)[0][:1], model(outlier))


def accuracy_pct(call: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """On rows that nothing was learned from."""
    inputs, labels = rows("test", TEST_ROWS)
    with torch.no_grad():
        return 100 * float((call(inputs).argmax(dim=1) == labels).double().mean())


def test_a_fragile_layer_is_found_and_the_accuracy_is_back() -> None:
    found = shown(OUTLIER)
    assert [layer.name for layer in found.layers if layer.in_fp32] == [FRAGILE]
    assert max(found.layers, key=lambda layer: layer.gain).name == FRAGILE
    assert f"{FRAGILE} (Conv2d 32→64, 3x3)" in found.reason
    assert found.took_effect == "yes"
    exact = accuracy_pct(model(OUTLIER))
    assert accuracy_pct(variant(OUTLIER, STATIC).caller()) < exact - 5
    assert accuracy_pct(variant(OUTLIER).caller()) >= exact - 0.5


def test_what_follows_the_layer_stays_float_and_the_others_are_int8() -> None:
    parts = dict(variant(OUTLIER).module.named_modules())
    floats = {name.split(".")[0] for name, part in parts.items() if isinstance(part, nn.Conv2d | nn.Linear)}
    assert floats == {FRAGILE}
    assert shown(OUTLIER).figures["int8_mac_share"] < 1


def test_where_static_int8_suffices_it_is_static_int8() -> None:
    found, inputs = shown(0.0), rows("test", TEST_ROWS)[0]
    assert not any(layer.in_fp32 for layer in found.layers)
    assert "as in static INT8, which keeps the accuracy by itself" in found.reason
    torch.testing.assert_close(variant(0.0).caller()(inputs), variant(0.0, STATIC).caller()(inputs), rtol=0.0, atol=0.0)


def test_what_may_be_lost_decides_how_many_layers_stay_in_fp32() -> None:
    data = Data(
        lambda: rows("calibration", CALIBRATION_ROWS)[0], lambda: rows("train", TRAINING_ROWS), tolerance_pp=100.0
    )
    sample = rows("test", TEST_ROWS)[0][:1]
    found = compose.learn(MIXED, model(OUTLIER), sample, data)
    assert learned(OUTLIER)["in_fp32"].any()
    assert not found["in_fp32"].any()


@pytest.mark.parametrize("batch_size", [4, 1])
def test_the_recipe_leaves_the_same_layers_in_fp32(tmp_path: Path, batch_size: int) -> None:
    condition = Condition(batch_size=batch_size)
    text = script.of(MIXED, workloads.get("vision-small-cnn"), condition, tolerance_pp=0.5)
    (tmp_path / "recipe.py").write_text(text)
    save_file(model(OUTLIER).state_dict(), tmp_path / "weights.safetensors")
    inputs = rows("test", TEST_ROWS)[0][:8]
    save_file({"inputs": inputs}, tmp_path / "inputs.safetensors")
    save_file({"inputs": rows("calibration", CALIBRATION_ROWS)[0]}, tmp_path / "calibration.safetensors")
    training, labels = rows("train", TRAINING_ROWS)
    save_file({"inputs": training, "labels": labels}, tmp_path / "training.safetensors")
    command = [sys.executable, "-I", "-W", "ignore", str(tmp_path / "recipe.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"Layers in FP32: {FRAGILE}\n" in done.stdout
    halves = re.search("As two half convolutions: (.*)\n", done.stdout)
    assert (halves is None) == (batch_size > 1)
    # Which are quicker so is the machine's, and this moment's.
    named = b"" if halves is None or halves[1] == "none" else halves[1].encode()
    alike = learned(OUTLIER) | {"in_halves": torch.tensor(list(named), dtype=torch.uint8)}
    call = compose.prepare(MIXED, model(OUTLIER), inputs[:batch_size], alike).caller()
    with torch.no_grad():
        expected = torch.cat([call(batch) for batch in inputs.split(batch_size)])
    torch.testing.assert_close(load_file(tmp_path / "outputs.safetensors")["outputs"], expected)


def test_a_convolution_in_fp32_may_be_computed_in_halves_for_a_single_row() -> None:
    row = rows("test", TEST_ROWS)[0][:1]
    split = learned(OUTLIER) | {"in_halves": torch.tensor(list(FUSED.encode()), dtype=torch.uint8)}
    whole = learned(OUTLIER) | {"in_halves": torch.empty(0, dtype=torch.uint8)}
    for sample, halves in ((row, True), (row.repeat(2, 1, 1, 1), False)):
        prepared = compose.prepare(MIXED, model(OUTLIER), sample, split)
        assert isinstance(prepared.module.get_submodule(FUSED), HalvedConv2d) == halves
        found = TECHNIQUES["mixed-int8"].evidence(prepared, sample, model(OUTLIER))
        assert found.figures["layers_in_halves"] == halves
        assert (f"As two half convolutions, which is quicker here: {FRAGILE}." in found.reason) == halves
        again = compose.prepare(MIXED, model(OUTLIER), sample, whole)
        assert accuracy_pct(prepared.caller()) == pytest.approx(accuracy_pct(again.caller()), abs=0.5)


def test_what_a_runtime_keeps_of_it_is_of_one_number_of_rows() -> None:
    """Halves are for one row: eager they are taken up or not at each load, in a trace they are written down."""
    one, many = Condition(), Condition(batch_size=32)
    for runtime, shared in (((), True), (("optimize-for-inference",), False)):
        keys = (*MIXED, *runtime)
        assert (compose.probed_under(keys, one) == compose.probed_under(keys, many)) == shared
    frozen = ("static-int8", "optimize-for-inference")
    assert compose.probed_under(frozen, one) == compose.probed_under(frozen, many)


def test_ranges_are_those_of_static_int8_where_something_is_still_rounded() -> None:
    inputs = rows("calibration", CALIBRATION_ROWS)[0]
    own, static = (
        compose.ranges(keys, model(OUTLIER), inputs[:1], learned(OUTLIER, keys), [10 * inputs])
        for keys in (MIXED, STATIC)
    )
    assert own
    assert own.items() <= static.items()


def test_a_rows_details_show_its_layers() -> None:
    details = {"evidence": {"mixed-int8": shown(OUTLIER).as_dict()}}
    found = layers.of(details)
    assert list(found["name"]) == ["0", "3", "7", "10", "14", "19"]
    assert layers.table(found)[1][0][0] == FRAGILE
    assert f"in FP32: {FRAGILE};" in layers.said(found)
    bars = layers_chart.bars(found).data[0]
    coloured = [
        str(name).strip() for name, hue in zip(bars.y, bars.marker.color, strict=True) if hue != bars.marker.color[0]
    ]
    assert coloured == [f"{FRAGILE} · Conv2d 32→64, 3x3"]


def test_a_row_without_layers_says_what_to_do() -> None:
    assert layers.of({"evidence": {"static-int8": {"took_effect": "yes"}}}).empty
    with pytest.raises(BadRequest, match="mixed-int8"):
        layers.needed({})
