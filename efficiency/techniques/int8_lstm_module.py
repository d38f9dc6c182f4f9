"""LSTMs by the kernel in `int8_lstm.cpp`: compiling it, packing weights for it, calling it. Imports torch.

Nothing here is of this project, so that a recipe can copy it.
"""

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-std=c++17", "-shared", "-fPIC", "-fopenmp")
UNITS, GATES = 16, 4
"""A block of the kernel's, and its gates."""


def compiled(source: str, compiler: str) -> bytes:
    """The kernel as a library of this machine's code; raises `CalledProcessError` with what the compiler says."""
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder) / "kernel.cpp", Path(folder) / "kernel.so"
        code.write_text(source)
        subprocess.run([compiler, *FLAGS, str(code), "-o", str(library)], check=True, capture_output=True, text=True)
        return library.read_bytes()


def kernel_of(library: bytes) -> Callable[..., None]:
    """The function in a compiled library."""
    with tempfile.NamedTemporaryFile(suffix=".so") as file:  # once it is loaded it needs no name
        file.write(library)
        file.flush()
        return ctypes.CDLL(file.name).int8_lstm


def in_blocks(values: torch.Tensor) -> torch.Tensor:
    """[4 * units, ...] as PyTorch has gates, to [blocks, GATES, UNITS, ...]."""
    return values.unflatten(0, (GATES, -1, UNITS)).transpose(0, 1).contiguous()


def packed(weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """[4 * units, depth] in FP32: as the kernel reads them, int8 [blocks, depth / 4, GATES, UNITS, 4]; each channel's
    scale, and the sum of its weights times 128, both [blocks, GATES, UNITS]."""
    padded = nn.functional.pad(weights, (0, -weights.shape[1] % 8))
    scale = padded.abs().amax(1).clamp(min=1e-12) / 127
    whole = torch.round(padded / scale[:, None]).to(torch.int8)
    fours = in_blocks(whole).unflatten(-1, (-1, 4)).permute(0, 3, 1, 2, 4).contiguous()
    return fours, in_blocks(scale), in_blocks(128 * whole.sum(1, dtype=torch.int32))


class Layer(ctypes.Structure):
    """As `Layer` in the kernel."""

    _fields_ = (("depth", ctypes.c_int32), *(
        (name, ctypes.c_void_p) for name in ("from_input", "from_state", "input_scale", "state_scale", "bias", "nought")
    ))  # fmt: skip


class Int8LSTM(nn.Module):
    """In place of an `nn.LSTM` of one direction, whose units are a multiple of 16, for tensors on the CPU.

    The kernel reads the buffers where they lie: they must not be moved or converted.
    """

    def __init__(self, lstm: nn.LSTM, library: bytes) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = lstm.input_size, lstm.hidden_size, lstm.num_layers
        self.batch_first, self._kernel = lstm.batch_first, kernel_of(library)
        self._layers = (Layer * self.num_layers)()
        for number, (input_weights, state_weights, *biases) in enumerate(lstm.all_weights):
            from_input, input_scale, nought = packed(input_weights.detach())
            from_state, state_scale, offset = packed(state_weights.detach())
            state_scale /= 127
            bias = in_blocks(sum(biases, torch.zeros(GATES * self.hidden_size)).detach()) - offset * state_scale
            kept = {
                "from_input": from_input, "from_state": from_state, "input_scale": input_scale,
                "state_scale": state_scale, "bias": bias, "nought": nought,
            }  # fmt: skip
            for name, value in kept.items():
                self.register_buffer(f"{name}_{number}", value)
            depth = from_input.shape[1] * 4
            self._layers[number] = Layer(depth, *(value.data_ptr() for value in kept.values()))

    def forward(
        self, inputs: torch.Tensor, before: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """As `nn.LSTM` without packed sequences: [B, L, input], or [L, B, input], to the states, and the last two."""
        steps = (inputs.transpose(0, 1) if self.batch_first else inputs).contiguous()
        length, batch, wide = steps.shape
        if before is None:
            hidden, cells = torch.zeros(2, self.num_layers, batch, self.hidden_size).unbind()
        else:
            hidden, cells = (state.to(torch.float32).contiguous().clone() for state in before)
        output = torch.empty(length, batch, self.hidden_size)
        pointers = (ctypes.c_void_p(each.data_ptr()) for each in (steps, output, hidden, cells))
        shape = (self.hidden_size, batch, length, wide)
        self._kernel(torch.get_num_threads(), self.num_layers, self._layers, *shape, *pointers)
        return output.transpose(0, 1) if self.batch_first else output, (hidden, cells)

    def multiply_accumulates(self, inputs: torch.Tensor) -> int:
        """Of a call with these inputs."""
        width, layers = self.hidden_size, self.num_layers
        weights = GATES * width * (self.input_size + (2 * layers - 1) * width)
        return inputs.numel() // self.input_size * weights


def with_int8_lstms(model: nn.Module, library: bytes) -> nn.Module:
    """The model, its LSTMs replaced in place."""
    for name, part in list(model.named_modules()):
        if isinstance(part, nn.LSTM):
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, Int8LSTM(part, library))
    return model
