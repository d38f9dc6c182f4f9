"""How near a variant comes to what the hardware can do: the roofline model (Williams, Waterman and Patterson, 2009).

A call takes at least the time its arithmetic takes at the peak rate, and at least the time its bytes take to cross
the memory bus; the longer of the two is the attainable time. Work and rates are bounds, so the share is a bound,
too: it says how much is left to gain, not how much anyone has gained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from efficiency.ceiling import ARITHMETIC, Arithmetic, Ceiling

Limit = Literal["arithmetic", "memory"]


@dataclass(frozen=True)
class Attainable:
    """The least time of a call on this hardware, and why."""

    arithmetic: Arithmetic
    operations: float
    bytes: float
    ms: float
    limited_by: Limit

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        return asdict(self)


def attainable(
    work: Mapping[str, float],
    ceiling: Ceiling,
    device: str,
    threads: int,
    batch_size: int,
    arithmetic: Arithmetic,
    stored_share: float = 1.0,
) -> Attainable | None:
    """Of one call; None where the rate of that arithmetic is not known.

    `work` has the fields of `measure.work.Work`; `stored_share` is the size of the variant's weights by that of the
    reference's: what is stored in 8 bits is read in 8 bits. Where everything fits into the last-level cache the next
    call finds it there, and memory limits nothing; nor does it where nobody knows how large that cache is.
    Arithmetic limits by the highest rate that the variant could use: of what it should run in, some may stay in FP32.
    """
    rates = ceiling.at(device, threads)
    own = rates.gops.get(arithmetic, 0.0) if rates else 0.0
    if rates is None or own <= 0:
        return None
    peak = max(own, rates.gops.get("fp32", 0.0))
    operations = batch_size * work["operations_per_row"]
    moved = stored_share * work["weight_bytes"] + batch_size * work["bytes_per_row"]
    arithmetic_ms = operations / peak / 1e6
    cached = device == "cpu" and (ceiling.cache_mb is None or moved <= 1e6 * ceiling.cache_mb)
    memory_ms = 0.0 if cached or rates.memory_gb_s <= 0 else moved / rates.memory_gb_s / 1e6
    limited_by: Limit = "memory" if memory_ms > arithmetic_ms else "arithmetic"
    return Attainable(arithmetic, operations, moved, max(arithmetic_ms, memory_ms), limited_by)


def sentence(ceiling_pct: float, kept: Mapping[str, object]) -> str:
    """`Reaches 23 % of what this processor can do (limited by arithmetic in FP32).`, or why it seems to do more."""
    limit = kept.get("limited_by")
    what = "GPU" if kept.get("device") == "cuda" else "processor"
    name = next((name for kind, name in ARITHMETIC.items() if kind == kept.get("arithmetic")), "FP32")
    of = "memory" if limit == "memory" else f"arithmetic in {name}"
    if ceiling_pct > 100:
        return (
            f"Reaches {ceiling_pct:.0f} % of the peak that was measured for this {what} (limited by {of}), and nothing "
            "does more than it can: others used the cores while the peak was measured, or its kernels are faster than "
            "PyTorch's. Measure it again, on the page Machine."
        )
    share = f"{ceiling_pct:.0f}" if ceiling_pct >= 9.5 else f"{ceiling_pct:.2g}"
    return f"Reaches {share} % of what this {what} can do (limited by {of})."
