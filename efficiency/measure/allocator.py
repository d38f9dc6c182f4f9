"""What the C library's allocator does with memory that a call has freed: it keeps it for the next call.

Left to itself, glibc gives large pieces back to the system, and the next call takes them again, a page fault for every
4 KB. Whether it does turns on what happened to be allocated before, so one process pays for a thousand faults a call
and the next one for none: an LSTM in FP32 took 3.8 ms or 5.7, each process its own, where nothing else differed.
A server that is to be fast is run with an allocator that keeps memory; so is what is timed here.
"""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
NEVER = -1
LARGEST = (1 << 30, 1 << 25)
"""Bytes from which on a piece is mapped by itself, and unmapped when freed: glibc took 32 MB at most before 2.35."""


def keep_freed_memory() -> bool:
    """Have this process keep what it frees; whether its C library can. For good: there is no way back to its default.

    Else a call may have to take back, a page fault for every 4 KB, what the one before gave to the system.
    `mallopt(3)` of glibc: other C libraries have no such choice. Another allocator in its place is left as it is.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    mapped = any(mallopt(M_MMAP_THRESHOLD, size) for size in LARGEST)
    return bool(mallopt(M_TRIM_THRESHOLD, NEVER)) and mapped
