"""Peak memory: the high-water mark of a process that does nothing but serve one variant.

Linux keeps the mark itself (`VmHWM`), so no peak between two looks is missed. It is reset once the
variant is loaded, since converting a model briefly holds it twice, and what is reported is the mark
while serving less what the process held before it loaded anything.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")


def _kilobytes(field: str) -> int | None:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return None


def resident_mb() -> float:
    """Memory held now, in MB (10^6 bytes)."""
    return float(psutil.Process().memory_info().rss / 1e6)


def peak_mb() -> float | None:
    """High-water mark since the start or the last reset, in MB; None where the system keeps none."""
    kilobytes = _kilobytes("VmHWM")
    return None if kilobytes is None else kilobytes * 1024 / 1e6


def reset_peak() -> bool:
    """Give freed memory back and start the mark anew; False where the system does not let us."""
    gc.collect()
    if sys.platform == "linux":
        # With another C library what it keeps is counted, which is the safe side.
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
    try:
        # "5" resets VmHWM to what is held now; see proc(5).
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True
