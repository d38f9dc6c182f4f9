"""A replicate: a fresh process that holds all variants of a heat and times them. Child side."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from efficiency.engine.child import Message, Send

if TYPE_CHECKING:
    from torch import nn

BEAT_S = 5.0
"""Seconds between signs of life."""


def run(asked: Message, send: Send) -> None:
    """Load in random order, time in random order, send raw samples; or that it is put off, the machine being disturbed.

    The variant at work is noted before it is touched: if the process dies, that one is the suspect.
    """
    import numpy as np
    import torch

    from efficiency import workloads
    from efficiency.engine import arrays, at_work, variants
    from efficiency.measure import allocator, pulse
    from efficiency.measure.latency import Timed, rounds

    started = time.perf_counter()
    workload = workloads.get(asked["workload"])
    device = variants.device_of(asked)
    sample = variants.load_sample(asked["sample"], device)
    torch.set_num_threads(asked["condition"]["threads"])  # after a user's file has run, which may set them, too
    still_ns = asked["still_ns"]
    if asked["may_be_put_off"] and still_ns and pulse.now(device) > still_ns:
        send({"put_off": True})
        return
    mark = at_work.marker(Path(asked["at_work"]))
    beat_at = started

    def at_work_now(place: int) -> None:
        """Note the suspect, and now and then give a sign of life: between two visits, where nothing is timed."""
        nonlocal beat_at
        mark(place)
        if time.perf_counter() - beat_at > BEAT_S:
            beat_at = time.perf_counter()
            send({"alive": True})

    @cache
    def model() -> nn.Module:
        return variants.load_model(workload, asked)

    places = {variant["key"]: place for place, variant in enumerate(asked["variants"])}
    timed: dict[str, Timed] = {}
    loading = time.perf_counter()
    for place in np.random.default_rng(asked["seed"]).permutation(len(asked["variants"])):
        variant = asked["variants"][place]
        at_work_now(place)
        timed[variant["key"]] = variants.ready(variant, asked, workload, model, sample)
    timing = time.perf_counter()
    allocator.keep_freed_memory()
    taken = rounds(
        timed,
        sample,
        seconds=asked["seconds"],
        seed=asked["seed"],
        device=device,
        least_calls=asked["least_calls"],
        still_ns=still_ns,
        linger_s=asked["linger_s"],
        on_variant=lambda key: at_work_now(places[key]),
    )
    mark(at_work.NOBODY)
    send(
        {
            "samples": {key: arrays.to_text(values) for key, values in taken.samples.items()},
            "handoff_ns": arrays.to_text(taken.handoff_ns),
            "seconds": {
                "start": round(loading - started, 3),
                "load": round(timing - loading, 3),
                "timed": round(time.perf_counter() - timing, 3),
                "lingered": round(taken.lingered_s, 3),
            },
        }
    )
