"""What people would otherwise set up, written straight against each project's own documentation.

None of it uses what `efficiency/techniques` has for the same runtimes, so that our integration cannot flatter itself:

- `torch.compile` with freezing, as PyTorch's inductor documentation has it for the CPU; in FP32.
- ONNX Runtime in INT8: exported, made ready and quantized as its page on quantization says, dynamically for recurrent
  networks and transformers, statically for convolutions: with a scale a tensor, its default, and with one a channel,
  which its page advises where accuracy is lost.
- OpenVINO in INT8: converted, quantized by NNCF's basic flow, given the shape of the call, and compiled for latency.

What a comparison needs is set: as many threads as the condition has, tied to no core, none that spins while idle. They
are registered as techniques by the benchmark alone, so that the engine prepares and times them like any variant.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficiency import techniques
from efficiency.techniques.base import Data, Evidence, Prepared, Runtime, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import nn

    from efficiency.engine.child import Message, Send

TORCH_COMPILE = "peer-torch-compile"
ONNX_RUNTIME_DYNAMIC, ONNX_RUNTIME_STATIC = "peer-onnxruntime-dynamic-int8", "peer-onnxruntime-static-int8"
ONNX_RUNTIME_STATIC_PER_CHANNEL = f"{ONNX_RUNTIME_STATIC}-per-channel"
OPENVINO, OPENVINO_TRANSFORMER = "peer-openvino-int8", "peer-openvino-transformer-int8"
QUANTIZED = (
    ONNX_RUNTIME_DYNAMIC, ONNX_RUNTIME_STATIC, ONNX_RUNTIME_STATIC_PER_CHANNEL, OPENVINO, OPENVINO_TRANSFORMER,
)  # fmt: skip


# torch.compile


def compiled(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    import torch
    from torch._inductor import config

    model = torch.compile(prepared.module)
    with ExitStack() as session, config.patch(freezing=True, compile_threads=1), torch.no_grad():
        for manager in prepared.session:
            session.enter_context(manager())
        model(sample)  # compiled here, for this shape
    return replace(prepared, model=model)


# ONNX Runtime


def _exported(prepared: Prepared, sample: torch.Tensor, folder: Path) -> Path:
    import torch
    from onnxruntime.quantization.shape_inference import quant_pre_process

    batch = torch.export.Dim("batch")
    rows = torch.cat([sample, sample])
    program = torch.onnx.export(
        prepared.module, (rows,), dynamo=True, dynamic_shapes=({0: batch},), input_names=["x"], verbose=False
    )
    assert program is not None
    ready = folder / "ready.onnx"
    program.save(ready)
    quant_pre_process(ready, ready, skip_symbolic_shape=True)
    return ready


def onnx_dynamic(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    ready = _exported(prepared, sample, folder)
    quantize_dynamic(ready, folder / "model.onnx")
    ready.unlink()


def onnx_static(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    _onnx_static(prepared, sample, learned, folder)


def onnx_static_per_channel(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    _onnx_static(prepared, sample, learned, folder, per_channel=True)


def _onnx_static(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path, **options: Any) -> None:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rows = iter({"x": row.unsqueeze(0).numpy()} for row in learned["calibration"])

        def get_next(self) -> Any:
            return next(self.rows, None)

    ready = _exported(prepared, sample, folder)
    quantize_static(ready, folder / "model.onnx", Reader(), **options)
    ready.unlink()


def onnx_load(folder: Path, sample: torch.Tensor) -> nn.Module:
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])

    def call(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(session.run(None, {"x": x.numpy()})[0])

    return call  # type: ignore[return-value]


# OpenVINO


def openvino_int8(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    _openvino(prepared, sample, learned, folder)


def openvino_transformer_int8(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path) -> None:
    import nncf

    _openvino(prepared, sample, learned, folder, model_type=nncf.ModelType.TRANSFORMER)


def _openvino(prepared: Prepared, sample: torch.Tensor, learned: Tensors, folder: Path, **options: Any) -> None:
    import nncf
    import openvino

    rows = learned["calibration"]
    model = openvino.convert_model(prepared.module, example_input=rows[:2], input=[-1, *rows.shape[1:]])
    quantized = nncf.quantize(model, nncf.Dataset(list(rows), lambda row: row.unsqueeze(0).numpy()), **options)
    openvino.save_model(quantized, folder / "model.xml")


def openvino_load(folder: Path, sample: torch.Tensor) -> nn.Module:
    import openvino
    import torch

    core = openvino.Core()
    model = core.read_model(folder / "model.xml")
    model.reshape(list(sample.shape))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    compiled_model = core.compile_model(model, "CPU", settings)

    def call(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(compiled_model(x.numpy())[0])

    return call  # type: ignore[return-value]


# As techniques, for the engine


def _stands_anywhere(*_: object) -> None:
    return None


def _calibration(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    return {"calibration": data.calibration()}


def _called(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    return replace(prepared, grad_mode=nullcontext)


def _nothing_to_show(*_: object) -> Evidence:
    return Evidence("yes", "It is written by hand.")


def register() -> None:
    """Make them known in this process, and keep OpenVINO and NNCF from reporting to Google Analytics."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    made: dict[str, tuple[Any, Runtime | None]] = {
        TORCH_COMPILE: (compiled, None),
        ONNX_RUNTIME_DYNAMIC: (_called, Runtime(onnx_dynamic, onnx_load, own_threads=True)),
        ONNX_RUNTIME_STATIC: (_called, Runtime(onnx_static, onnx_load, own_threads=True)),
        ONNX_RUNTIME_STATIC_PER_CHANNEL: (_called, Runtime(onnx_static_per_channel, onnx_load, own_threads=True)),
        # The compiled model takes the shape of the sample alone.
        OPENVINO: (_called, Runtime(openvino_int8, openvino_load, specialised=True, own_threads=True)),
        OPENVINO_TRANSFORMER: (
            _called,
            Runtime(openvino_transformer_int8, openvino_load, specialised=True, own_threads=True),
        ),
    }
    for key, (apply, runtime) in made.items():
        techniques.TECHNIQUES[key] = Technique(
            key=key,
            label=key,
            summary="Written by hand.",
            stage=Stage.RUNTIME,
            why_not=_stands_anywhere,
            apply=apply,
            evidence=_nothing_to_show,
            recipe=lambda workload, condition: Recipe(),
            learn=_calibration if key in QUANTIZED else None,
            runtime=runtime,
            arithmetic="int8" if key in QUANTIZED else "fp32",
        )


def probe(asked: Message, send: Send) -> None:
    """As `engine.probe.run`, with the peers known. Child side."""
    from efficiency.engine import probe as real

    register()
    real.run(asked, send)


def replicate(asked: Message, send: Send) -> None:
    """As `engine.replicate.run`, with the peers known. Child side."""
    from efficiency.engine import replicate as real

    register()
    real.run(asked, send)
