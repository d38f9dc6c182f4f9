"""INT8 LSTM kernel: LSTMs in 8 bits by a kernel that is compiled here; the rest of the model stays in FP32.

PyTorch's own LSTM in 8 bits gains nothing by a second thread, and ONNX Runtime's next to nothing: their threads do not
share the work of a single sequence.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.errors import VariantFailed
from efficiency.techniques import clashes, int8, macs
from efficiency.techniques.base import Data, Evidence, Prepared, Stage, Technique, Tensors
from efficiency.techniques.flat_weights import copied
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.condition import Condition
    from efficiency.machine import Machine
    from efficiency.workloads.base import Workload

SOURCE = Path(__file__).with_suffix(".cpp")
QUOTES = 3 * '"'
LIBRARY = "library"
"""What is learned: the compiled kernel's bytes, uint8."""


def why_not(workload: Workload, condition: Condition, machine: Machine) -> str | None:
    if reason := int8.why_not_device(condition):
        return reason
    if reason := int8.why_not_reached(workload, "The INT8 LSTM kernel", "LSTM layers only", ("lstm",), "another INT8"):
        return reason
    if machine.cpp_compiler is None:
        return (
            "The kernel needs a C++ compiler, and there was none here at the start; install g++ "
            "(Debian: apt install g++) and start again."
        )
    return None


def learn(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Compile it once; raises `VariantFailed` where an LSTM is of a kind that it does not take, or it cannot be."""
    import torch
    from torch import nn

    from efficiency.machine import this_machine
    from efficiency.techniques.int8_lstm_module import UNITS, compiled

    for part in model.modules():
        if isinstance(part, nn.LSTM) and (part.bidirectional or part.proj_size or part.hidden_size % UNITS):
            raise VariantFailed(
                "The INT8 kernel takes LSTMs of one direction, without projections, whose units are a multiple of "
                f"{UNITS}; use dynamic-int8."
            )
    try:
        library = compiled(SOURCE.read_text(), this_machine().cpp_compiler or "g++")
    except subprocess.CalledProcessError as error:
        raise VariantFailed(f"The INT8 LSTM kernel could not be compiled ({error.stderr.strip()[:300]}).") from error
    return {LIBRARY: torch.frombuffer(bytearray(library), dtype=torch.uint8)}


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Every LSTM of a copy by the kernel; the rest stays as it is."""
    from efficiency.techniques.int8_lstm_module import with_int8_lstms

    model = with_int8_lstms(copied(prepared.module).eval(), learned[LIBRARY].numpy().tobytes())
    return replace(prepared, model=model, module=model)


def evidence(prepared: Prepared, sample: torch.Tensor, reference: nn.Module) -> Evidence:
    """What is not float any more, and what computes in INT8: the kernel's products, which no dispatcher sees, too."""
    from efficiency.techniques.int8_lstm_module import Int8LSTM

    products: list[macs.Product] = []

    def note(lstm: Int8LSTM, given: tuple[torch.Tensor, ...], _: object) -> None:
        products.append(macs.Product("int8_lstm", "int8", lstm.multiply_accumulates(given[0])))

    lstms = [part for part in prepared.module.modules() if isinstance(part, Int8LSTM)]
    hooks = [lstm.register_forward_hook(note) for lstm in lstms]
    try:
        seen = macs.counted(prepared, sample)
    finally:
        for hook in hooks:
            hook.remove()
    weights = int8.judged(int8.quantized_share(prepared.module, reference))
    return int8.with_products(weights, replace(seen, products=(*seen.products, *products)))


def recipe(workload: Workload, condition: Condition) -> Recipe:
    """The kernel's source stands in the script, which compiles it."""
    module = "efficiency.techniques.int8_lstm_module"
    return Recipe(
        model="# It is compiled at each start, by g++ or what CXX names (Debian: apt install g++).\n"
        f"KERNEL = r{QUOTES}\n{SOURCE.read_text()}{QUOTES}\n"
        'model = with_int8_lstms(model, compiled(KERNEL, os.environ.get("CXX", "g++")))\n',
        imports=("import os",),
        uses=(f"{module}:with_int8_lstms", f"{module}:compiled"),
    )


INT8_LSTM = Technique(
    key="int8-lstm",
    label="INT8 LSTM kernel",
    summary="LSTMs in 8 bits by a kernel that is compiled here, whose threads share each step; no data.",
    stage=Stage.WEIGHTS,
    why_not=why_not,
    learn=learn,
    apply=apply,
    evidence=evidence,
    recipe=recipe,
    conflicts=int8.CONFLICTS | clashes.COMPILED | clashes.TRACED,
    arithmetic="int8",
    evaluation_cost=0.5,
)
