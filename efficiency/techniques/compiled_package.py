"""A package of AOTInductor as a module. Imports torch."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import torch
from torch import nn


class CompiledPackage(nn.Module):
    """A package loaded from `file`; `run` is the call that a user would make, of one thread or of several."""

    def __init__(self, file: Path, *, single_threaded: bool = False) -> None:
        super().__init__()
        self.file = file
        self.run = torch._inductor.aoti_load_package(str(file), run_single_threaded=single_threaded)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.run(inputs)
        return out

    def written_kernels(self) -> int:
        """Kernels that Inductor wrote, from the sources in the package."""
        return len({name for text in self._sources() for name in re.findall(r"\b(?:cpp|triton)_\w*fused\w*", text)})

    def library_calls(self) -> int:
        """Calls of matrix, convolution and recurrent libraries that are left."""
        return self._calls(r"conv|mm|linear|rnn|lstm|attention")

    def integer_calls(self) -> int:
        """Those of them that compute in 8 bits."""
        return self._calls(r"_q(conv|linear)|_int_mm")

    def fp8_calls(self) -> int:
        """Those of them that compute in FP8."""
        return self._calls(r"_scaled_mm")

    def _calls(self, kind: str) -> int:
        checked = r"AOTI_TORCH_ERROR_CODE_CHECK\((aoti_torch_\w+)"
        calls = [name for text in self._sources() for name in re.findall(checked, text)]
        return sum(re.search(kind, name) is not None for name in calls)

    def _sources(self) -> list[str]:
        with zipfile.ZipFile(self.file) as archive:
            return [archive.read(name).decode() for name in archive.namelist() if name.endswith(".cpp")]
