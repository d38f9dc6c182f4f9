"""Kernels: what oneDNN runs in a call, by its own log, and in which instruction set. Child side.

oneDNN computes PyTorch's convolutions and recurrent layers on a CPU, and its matrix products in INT8 and BF16; a line
of its log names the primitive and the implementation, such as `convolution,brg_conv_fwd:avx512_core_vnni`. A `reorder`
computes nothing: it copies a tensor from one layout to another. What other libraries run (MKL, FBGEMM, ONNX Runtime) is
not in that log. The setting ONEDNN_MAX_CPU_ISA keeps oneDNN from instruction sets that the processor has.
https://uxlfoundation.github.io/oneDNN/dev_guide_verbose.html
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from efficiency.measure import onednn_problems

if TYPE_CHECKING:
    import torch

_RAN = re.compile(r"^onednn_verbose,.*?\bexec,cpu,(\w+),([^,]*),", re.MULTILINE)
_READ = re.compile(
    r"^onednn_verbose,.*?\bexec,cpu,(?:convolution|inner_product|matmul|rnn),([^,]*),[^,]*,src\w*:(\w+):", re.MULTILINE
)
_SET = re.compile(r"avx10_\w+|avx512_core\w*|avx2\w*|avx\b|sse41|sve\w*|asimd")


@dataclass(frozen=True)
class Kernels:
    """Of one call on the CPU."""

    ran: tuple[tuple[str, str, int], ...]
    """Primitive, instruction set (empty where the log names none) and how often; those that ran most come first."""
    read: tuple[tuple[str, str, int], ...]
    """Type of what was read (`f32`, `bf16`, `u8`), instruction set and how often, of what multiplies."""
    quantized_engine: str
    """PyTorch's library for INT8: `x86` is FBGEMM and oneDNN together."""
    cpu_capability: str
    """The instruction set that PyTorch's own kernels use, such as `AVX512`."""
    onednn_limit: str | None
    """ONEDNN_MAX_CPU_ISA, where it is set."""


def of(call: Callable[[torch.Tensor], Any], sample: torch.Tensor) -> Kernels | None:
    """Of a call that was made before, so that what is prepared once is done; None where oneDNN is not there to ask."""
    import torch

    if not _asked(sample):
        return None
    log = _standard_output(lambda: _logged(call, sample))
    ran = Counter((primitive, _instruction_set(written)) for primitive, written in _RAN.findall(log))
    read = Counter((kind, _instruction_set(written)) for written, kind in _READ.findall(log))
    return Kernels(
        tuple((primitive, found, count) for (primitive, found), count in ran.most_common()),
        tuple((kind, found, count) for (kind, found), count in read.most_common()),
        torch.backends.quantized.engine,
        torch.backends.cpu.get_cpu_capability(),
        os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA"),
    )


def macs_by_type(call: Callable[[torch.Tensor], Any], sample: torch.Tensor) -> dict[str, int]:
    """Multiply-accumulates of a call that oneDNN did, by the type of what it read; empty where it cannot be asked."""
    if not _asked(sample):
        return {}
    return onednn_problems.by_type(_standard_output(lambda: _logged(call, sample)))


def _asked(sample: torch.Tensor) -> bool:
    """Whether oneDNN is there to ask."""
    import torch

    return sample.device.type == "cpu" and torch.backends.mkldnn.is_available() and os.name == "posix"


def _instruction_set(implementation: str) -> str:
    found = _SET.search(implementation)
    return found.group() if found else ""


def _logged(call: Callable[[torch.Tensor], Any], sample: torch.Tensor) -> None:
    import torch

    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        call(sample)


def _standard_output(work: Callable[[], None]) -> str:
    """What the work writes to standard output in C, which Python's own redirection does not see."""
    library = ctypes.CDLL(None)
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        library.fflush(None)
        before = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            work()
        finally:
            library.fflush(None)
            os.dup2(before, 1)
            os.close(before)
        file.seek(0)
        return file.read().decode(errors="replace")
