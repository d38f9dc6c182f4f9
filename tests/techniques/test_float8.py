"""FP8 as far as that goes without a GPU: where it applies, and what is seen of weights that torchao made on a CPU."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from efficiency import recipes, workloads
from efficiency.condition import Condition
from efficiency.machine import Machine
from efficiency.techniques import TECHNIQUES, compose, float8_dynamic, matrix, matrix_table
from efficiency.techniques.base import Evidence, Prepared

KEY = "float8-dynamic"
ON_GPU = Condition(device="cuda")


def machine(capability: str | None) -> Machine:
    return replace(matrix_table.MACHINE, gpus=("A GPU",), torch_cuda="13.0", compute_capability=capability)


def why_not(workload: str, condition: Condition, here: Machine) -> str | None:
    return compose.why_not((KEY,), workloads.get(workload), condition, here)


@pytest.mark.parametrize("capability", ["8.9", "9.0", "10.0", "12.0"])
def test_a_gpu_with_fp8_takes_it(capability: str) -> None:
    assert why_not("transformer-encoder", ON_GPU, machine(capability)) is None


def test_why_not() -> None:
    transformer, hopper = "transformer-encoder", machine("9.0")
    assert "needs a GPU with FP8" in str(why_not(transformer, Condition(), hopper))
    assert "this GPU's is 8.6" in str(why_not(transformer, ON_GPU, machine("8.6")))
    assert "does not tell" in str(why_not(transformer, ON_GPU, machine(None)))
    assert "use amp-bf16" in str(why_not("lstm-classifier", ON_GPU, hopper)), "no Linear layer to speak of"
    assert "for inference" in str(why_not(transformer, replace(ON_GPU, phase="training"), hopper))
    assert "pip install" in str(why_not(transformer, ON_GPU, replace(hopper, installed=())))


@pytest.mark.parametrize(("capability", "yes"), [("9.0", 1), ("8.0", 0)])
def test_the_matrix_of_a_machine_with_a_gpu(capability: str, yes: int) -> None:
    found = matrix.of(ON_GPU, machine(capability))
    cells = {row.technique.key: found.cells(row) for row in found.rows}
    assert cells[KEY].count("yes") == yes
    assert cells["int8-dynamic"].count("yes") == 1
    assert set(cells["cuda-graphs"]) == {"yes"}


def test_it_stands_with_the_compiler_and_not_with_autocast() -> None:
    assert compose.clash((KEY, "torch-compile", "cuda-graphs")) is None
    assert compose.arithmetic((KEY, "torch-compile")) == "fp8"
    assert "both change the weights" in str(compose.clash((KEY, "int8-dynamic")))
    for other in ("amp-bf16", "fast-path", "optimize-for-inference", "openvino-int8", "pt2e-static-int8"):
        assert "cannot be combined: " in str(compose.clash((KEY, other)))


class Mixed(nn.Module):
    """Two layers that FP8 kernels take, and a head of four columns, which they do not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(64, 128), nn.Linear(128, 32), nn.Linear(32, 4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(inputs).relu()).relu())


def in_fp8(model: nn.Module, *, activations: bool) -> None:
    """What `quantize_` puts in, which by itself refuses a machine without such a GPU."""
    from torchao.float8.inference import Float8MMConfig
    from torchao.quantization import PerTensor
    from torchao.quantization.quantize_.workflows import Float8Tensor, QuantizeTensorToFloat8Kwargs

    given = QuantizeTensorToFloat8Kwargs(torch.float8_e4m3fn, PerTensor()) if activations else None
    for name, layer in model.named_modules():
        if float8_dynamic.is_taken_in_fp8(layer, name):
            weight = Float8Tensor.from_hp(
                layer.weight.detach(), granularity=PerTensor(), mm_config=Float8MMConfig(), act_quant_kwargs=given
            )
            layer.weight = nn.Parameter(weight, requires_grad=False)


def seen(*, quantized: bool, activations: bool = True) -> tuple[Evidence, Prepared]:
    torch.manual_seed(0)
    model, rows = Mixed().eval(), torch.randn(5, 64)
    prepared = compose.prepare((), model, rows, {})
    if quantized:
        in_fp8(prepared.module, activations=activations)
    return TECHNIQUES[KEY].evidence(prepared, rows, model), prepared


def test_weights_and_products_in_fp8_are_seen() -> None:
    shown, _ = seen(quantized=True)
    taken, head = 64 * 128 + 128 * 32, 32 * 4
    assert shown.took_effect == "yes"
    assert shown.figures["fp8_weight_share"] == pytest.approx(taken / (taken + head), abs=1e-4)
    assert shown.figures["fp8_mac_share"] == pytest.approx(taken / (taken + head), abs=1e-4)
    assert "2 calls of _scaled_mm" in shown.reason
    assert "(addmm in FP32)" in shown.reason


def test_weights_alone_in_fp8_are_a_part_and_none_is_no_effect() -> None:
    shown, _ = seen(quantized=True, activations=False)
    assert (shown.took_effect, shown.figures["fp8_mac_share"]) == ("partly", 0.0)
    assert seen(quantized=False)[0].took_effect == "no"


def test_layers_of_other_widths_and_those_that_are_quantized_are_left() -> None:
    _, prepared = seen(quantized=True)
    taken = [name for name, layer in Mixed().named_modules() if float8_dynamic.is_taken_in_fp8(layer, name)]
    assert taken == ["first", "second"]
    again = [name for name, layer in prepared.module.named_modules() if float8_dynamic.is_taken_in_fp8(layer, name)]
    assert again == []


def test_the_recipe_takes_the_same_layers() -> None:
    text = recipes.of((KEY, "torch-compile"), workloads.get("transformer-encoder"), ON_GPU)
    compile(text, "recipe.py", "exec")
    assert "config = Float8DynamicActivationFloat8WeightConfig(set_inductor_config=False)\n" in text
    assert "quantize_(model, config, is_taken_in_fp8)\n" in text
    assert "def is_taken_in_fp8(" in text
    assert "def is_taken(" in text
