"""Memory that a call frees is kept for the next one: no page faults."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

FAULTS = """\
import ctypes, resource, sys
from efficiency.measure.allocator import keep_freed_memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
kept = keep_freed_memory() if sys.argv[1] == "kept" else None

def call():
    pieces = [libc.malloc(size) for size in (3_000_000, 5_000_000, 40_000_000)]
    for piece in pieces:
        ctypes.memset(piece, 1, 3_000_000)
    for piece in pieces:
        libc.free(ctypes.c_void_p(piece))

for _ in range(3):
    call()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    call()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, kept)
"""


def faults(how: str) -> tuple[int, str]:
    run = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    count, kept = run.stdout.split()
    return int(count), kept


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_what_a_call_frees_is_kept_for_the_next():
    pages = 10 * 3 * 3_000_000 // resource.getpagesize()
    by_itself, _ = faults("left")
    kept, told = faults("kept")
    assert told == "True"
    assert by_itself > pages / 10  # the piece of 40 MB is always given back
    assert kept < pages / 100
