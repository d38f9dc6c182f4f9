"""Groups of a heat by the memory of the device that its variants lie in."""

from __future__ import annotations

from typing import Any, cast

import pytest

from efficiency.condition import Condition, Device
from efficiency.engine.timing import MEMORY_SHARE, Timing
from efficiency.study import PRESETS, Entry, Variant

KEYS = ("inference-mode", "channels-last", "amp-bf16", "bf16-weights")
EACH_MB = 10.0


def groups(device: Device, memory_mb: float, gpu_memory_mb: float | None) -> list[int]:
    """How many variants, beside the baseline and the control, each group has."""
    condition = Condition(device=device)
    variants = [Variant(), Variant(control=True), *(Variant.of([key]) for key in KEYS)]
    entries = [Entry("vision-small-cnn", variant, condition) for variant in variants]
    nothing = cast(Any, None)  # what it takes to measure, which dividing does not
    timing = Timing(
        nothing, nothing, nothing, PRESETS["quick"][1], memory_mb=memory_mb, gpu_memory_mb=gpu_memory_mb,
        silence_s=nothing, settle=nothing, say=nothing,
    )  # fmt: skip
    started = {entry: {"peak_memory_mb": EACH_MB} for entry in entries}
    parts = list(timing._parts(entries, started))
    assert all(part[:2] == entries[:2] for part in parts)
    return [len(part) - 2 for part in parts]


ALL_MB = 6 * EACH_MB / MEMORY_SHARE + 1
FOUR_MB = 4 * EACH_MB / MEMORY_SHARE + 1


@pytest.mark.parametrize(
    ("device", "memory_mb", "gpu_memory_mb", "expected"),
    [
        ("cpu", ALL_MB, FOUR_MB, [4]),
        ("cpu", FOUR_MB, ALL_MB, [2, 2]),
        ("cuda", FOUR_MB, ALL_MB, [4]),
        ("cuda", ALL_MB, FOUR_MB, [2, 2]),
        ("cuda", FOUR_MB, None, [2, 2]),
    ],
)
def test_it_is_the_devices_own_memory_that_holds_them(
    device: Device, memory_mb: float, gpu_memory_mb: float | None, expected: list[int]
) -> None:
    assert groups(device, memory_mb, gpu_memory_mb) == expected
