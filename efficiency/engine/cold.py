"""A cold start of ONE variant: how long it loads, a first call and later ones, memory and energy. Child side."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict

from efficiency.engine.child import Message, Send

CALLS = 10


def run(asked: Message, send: Send) -> None:
    """Load from disk, call once, serve a few calls under the high-water mark, then more beside the energy counter."""
    import torch

    from efficiency import workloads
    from efficiency.engine import variants
    from efficiency.measure import energy, memory

    workload = workloads.get(asked["workload"])  # a user's file is run before the clock starts, and may set threads
    device = variants.device_of(asked)
    torch.set_num_threads(asked["condition"]["threads"])
    sample = variants.load_sample(asked["sample"], device)
    empty_mb = memory.resident_mb()
    started = time.perf_counter()
    timed = variants.ready(asked, asked, workload, lambda: variants.load_model(workload, asked), sample)
    load_s = time.perf_counter() - started
    call = timed.call
    cuda = device == "cuda"
    was_reset = memory.reset_peak()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    with ExitStack() as session:
        for manager in timed.session:
            session.enter_context(manager())
        started = time.perf_counter()
        call(sample)
        if cuda:
            torch.cuda.synchronize()
        first_call_ms = 1e3 * (time.perf_counter() - started)
        started = time.perf_counter()
        for _ in range(CALLS):
            call(sample)
        if cuda:
            torch.cuda.synchronize()
        call_ms = 1e3 * (time.perf_counter() - started) / CALLS
        if cuda:
            peak_mb: float | None = torch.cuda.max_memory_allocated() / 1e6
        else:
            high = memory.peak_mb()
            peak_mb = None if high is None or not was_reset else max(0.0, high - empty_mb)

        def served() -> None:
            call(sample)
            if cuda:
                torch.cuda.synchronize()

        meter = energy.nvml(f"GPU-{torch.cuda.get_device_properties(0).uuid}") if cuda else energy.rapl()
        used = (
            energy.Energy(reason=meter)
            if isinstance(meter, str)
            else energy.measure(meter, served, len(sample), on_window=lambda number: send({"doing": "reading energy"}))
        )
    times = {"load_s": load_s, "first_call_ms": first_call_ms, "call_ms": call_ms}
    send(times | {"peak_memory_mb": peak_mb, "energy": asdict(used)})
