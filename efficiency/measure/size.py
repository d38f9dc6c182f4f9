"""Size: the variant's weights as they would be shipped, in bytes of its serialized state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def serialized_bytes(module: nn.Module) -> int:
    """Bytes that `torch.save` writes for the state: packed INT8 weights count as they are stored."""
    import torch

    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    return buffer.getbuffer().nbytes
