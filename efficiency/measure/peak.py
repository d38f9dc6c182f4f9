"""Peak rates: the fastest matrix products and the fastest copy that PyTorch reaches here. Child side.

The best of short repetitions, since a ceiling is what the hardware can do when nothing is in the way. A
product of two n x n matrices takes 2 n^3 operations on 3 n^2 numbers: at these sizes arithmetic limits it,
not memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from efficiency.engine.child import Message, Send

if TYPE_CHECKING:
    import torch

SIZES = (1024, 2048)
"""n of the CPU's products: the larger one keeps several threads busy, the smaller one stays in the cache."""
MANY_THREADS, SIZES_FOR_MANY = 8, (1024, 2048, 4096)
CUDA_SIZES = (1024, 4096, 8192)
"""The smaller ones say how long the largest takes: what starts a product outweighs a small one on many cores."""
FIRST_SIZE = 256
"""Tried before any other: a kernel without instructions of its own is so slow that 2048 would take minutes."""
MOST_S = 0.5
"""A product that would take longer, by what the smaller ones took, is not tried."""
SECONDS = 0.06
"""Spent on each product at least; a slow one is called twice all the same."""


def run_int8(asked: Message, send: Send) -> None:
    """`gops` in INT8 for each count of `threads`, with oneDNN kept to the instructions that `isa` names.

    Source: oneDNN's developer guide, "CPU Dispatcher Control". It reads the variable when it is first used.
    """
    os.environ["ONEDNN_MAX_CPU_ISA"] = asked["isa"]
    import torch

    torch.manual_seed(0)
    gops = []
    with torch.inference_mode():
        for threads in asked["threads"]:
            torch.set_num_threads(threads)
            gops.append(rate_gops(_int8("cpu"), SIZES))
    send({"gops": gops})


def run(asked: Message, send: Send) -> None:
    """Rates for each count of `threads`, and of the GPU where there is one; `copy_mb` is the size of the copy."""
    import torch

    torch.manual_seed(0)
    rates: list[dict[str, Any]] = []
    with torch.inference_mode():
        for threads in asked["threads"]:
            torch.set_num_threads(threads)
            send({"doing": f"with {threads} thread{'s' if threads > 1 else ''}"})
            sizes = SIZES_FOR_MANY if threads > MANY_THREADS else SIZES
            gops = {kind: max(rate_gops(make, sizes) for make in makers) for kind, makers in _cpu().items()}
            rates.append(
                {"device": "cpu", "threads": threads, "gops": gops, "memory_gb_s": _copy_gb_s(asked["copy_mb"], "cpu")}
            )
        if torch.cuda.is_available():
            with suppress(RuntimeError):  # a GPU that is full: what the CPU can do is known all the same
                gops = {kind: rate_gops(make, CUDA_SIZES, torch.cuda.synchronize) for kind, make in _cuda().items()}
                memory_gb_s = _copy_gb_s(1024, "cuda", torch.cuda.synchronize)
                rates.append({"device": "cuda", "threads": 0, "gops": gops, "memory_gb_s": memory_gb_s})
    send({"rates": rates})


Product = Callable[[int], Callable[[], object]]
"""From n to a call that multiplies two n x n matrices."""


def _float(dtype: torch.dtype, device: str) -> Product:
    import torch

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        return lambda: torch.mm(a, b, out=out)

    return make


def _onednn(dtype: torch.dtype) -> Product:
    """By oneDNN, as LSTMs, convolutions and compiled models multiply: on AMD's processors MKL, which `torch.mm` calls,
    leaves AVX512 alone."""
    import torch

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randn(n, n).to(dtype).to_mkldnn() for _ in range(2))
        return lambda: torch._C._nn.mkldnn_linear(a, b, None)

    return make


def _int8(device: str) -> Product:
    """INT8 in, INT32 out, as torchao multiplies."""
    import torch

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randint(-127, 128, (n, n), dtype=torch.int8, device=device) for _ in range(2))
        return lambda: torch._int_mm(a, b)

    return make


def _fp8(device: str) -> Product:
    """FP8 in with a scale for each matrix, as torchao multiplies; GPUs without FP8 refuse it."""
    import torch

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randn(n, n, device=device).to(torch.float8_e4m3fn) for _ in range(2))
        scale = torch.ones(1, 1, device=device)
        return lambda: torch._scaled_mm(
            a, b.t(), scale_a=scale, scale_b=scale, out_dtype=torch.bfloat16, use_fast_accum=True
        )

    return make


def _quantized_linear(engine: str) -> Product:
    """INT8 in and out, as the eager INT8 techniques multiply."""
    import torch

    def make(n: int) -> Callable[[], object]:
        torch.backends.quantized.engine = engine
        weight = torch.quantize_per_tensor(torch.randn(n, n), 0.05, 0, torch.qint8)
        packed = torch.ops.quantized.linear_prepack(weight, None)
        inputs = torch.quantize_per_tensor(torch.randn(n, n), 0.05, 64, torch.quint8)
        return lambda: torch.ops.quantized.linear(inputs, packed, 0.1, 64)

    return make


def _cpu() -> dict[str, list[Product]]:
    """Every way that PyTorch has, since none is the fastest on all processors."""
    import torch

    engines = [name for name in ("onednn", "x86", "qnnpack") if name in torch.backends.quantized.supported_engines]
    if "x86" in engines:
        engines.remove("qnnpack")  # made for ARM, and many times slower here

    def onednn(dtype: torch.dtype) -> list[Product]:
        return [_onednn(dtype)] if torch.backends.mkldnn.is_available() else []

    return {
        "fp32": [_float(torch.float32, "cpu"), *onednn(torch.float32)],
        "bf16": [_float(torch.bfloat16, "cpu"), *onednn(torch.bfloat16)],
        "int8": [_int8("cpu"), *map(_quantized_linear, engines)],
    }


def _cuda() -> dict[str, Product]:
    import torch

    return {
        "fp32": _float(torch.float32, "cuda"),
        "bf16": _float(torch.bfloat16, "cuda"),
        "fp16": _float(torch.float16, "cuda"),
        "fp8": _fp8("cuda"),
        "int8": _int8("cuda"),
    }


def rate_gops(make: Product, sizes: Iterable[int], wait: Callable[[], None] = lambda: None) -> float:
    """10^9 operations a second, at the size that is best; 0 where this build of PyTorch has no such product."""
    best = 0.0
    for n in (FIRST_SIZE, *sizes):
        operations = 2 * n**3 / 1e9
        if best and operations / best > MOST_S:
            break
        try:
            best = max(best, operations / _best_s(make(n), wait))
        except (RuntimeError, NotImplementedError, ValueError):
            break
    return best


def _copy_gb_s(megabytes: float, device: str, wait: Callable[[], None] = lambda: None) -> float:
    """10^9 bytes a second, each byte of the source read and each of the copy written."""
    import torch

    source = torch.ones(int(megabytes * 1e6) // 4, device=device)
    target = torch.empty_like(source)
    bytes_moved = 2 * source.numel() * source.element_size()
    return bytes_moved / _best_s(lambda: target.copy_(source), wait) / 1e9


def _best_s(call: Callable[[], object], wait: Callable[[], None]) -> float:
    """Seconds of the fastest call, the first one not counted."""
    call()
    wait()
    best_s, until = float("inf"), time.perf_counter() + SECONDS
    for number in range(1_000_000):
        started = time.perf_counter()
        call()
        wait()
        now = time.perf_counter()
        best_s = min(best_s, now - started)
        if number >= 1 and now > until:
            break
    return best_s
