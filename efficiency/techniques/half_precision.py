"""What AMP and 16-bit weights share: how much of a model's arithmetic ran in 16 bits, seen at the dispatcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from efficiency.techniques.base import Prepared

if TYPE_CHECKING:
    import torch

# The operations that do a model's arithmetic, by the names the dispatcher sees; the last line is the fast path's.
_COMPUTE = (
    "mm", "addmm", "bmm", "baddbmm", "linear", "convolution", "mkldnn_rnn_layer", "_cudnn_rnn",
    "mkldnn_convolution", "cudnn_convolution",
    "_transformer_encoder_layer_fwd", "_native_multi_head_attention",
)  # fmt: skip


def share(prepared: Prepared, sample: torch.Tensor) -> float:
    """Share of the matrix operations of a call whose result is in 16 bits, 0 to 1; 0 where there are none."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: list[bool] = []
    half = {torch.bfloat16, torch.float16}

    class Precisions(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            if func.overloadpacket.__name__ in _COMPUTE:
                first = result[0] if isinstance(result, tuple) else result
                seen.append(first.dtype in half)
            return result

    with Precisions():
        prepared.caller()(sample)
    return sum(seen) / len(seen) if seen else 0.0
