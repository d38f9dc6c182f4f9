"""Size: the variant's weights as they would be shipped, in bytes of its serialized state."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def serialized_bytes(module: nn.Module) -> int:
    """Bytes that `torch.save` writes for the state: packed INT8 weights count as they are stored."""
    import torch

    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    return buffer.getbuffer().nbytes


def artefact_bytes(folder: Path) -> int:
    """Bytes of the files that a runtime loads the variant from."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
