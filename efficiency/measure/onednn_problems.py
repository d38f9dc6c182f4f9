"""Multiply-accumulates of a problem that oneDNN solved, by the description in its log. Child side.

A convolution is `mb1_ic3oc64_ih32oh32kh3sh1dh0ph1_iw32ow32kw3sw1dw0pw1`, with groups `mb1_g16ic16oc16_…`; a product
with a matrix of weights `mb1ic64oc128`; a matrix product `1x64:64x128`, its batches first.
https://uxlfoundation.github.io/oneDNN/dev_guide_verbose.html
"""

from __future__ import annotations

import math
import re

_PROBLEM = re.compile(
    r"^onednn_verbose,.*?\bexec,cpu,(?:convolution|inner_product|matmul),.*?\bsrc\w*:(\w+):.*,([^,]*),[-\d.e+]+\s*$",
    re.MULTILINE,
)
_SIZE = re.compile(r"([a-z]+)(\d+)")


def by_type(log: str) -> dict[str, int]:
    """Multiply-accumulates of the call that was logged, by the type of what was read: `{"u8": 37000000}`."""
    found: dict[str, int] = {}
    for kind, problem in _PROBLEM.findall(log):
        found[kind] = found.get(kind, 0) + macs(problem)
    return found


def macs(problem: str) -> int:
    """Of one problem; 0 where the description is of another kind."""
    if ":" in problem:
        return _product(problem)
    sizes = {name: int(size) for name, size in _SIZE.findall(problem)}
    if not {"mb", "ic", "oc"} <= sizes.keys():
        return 0
    kernel = math.prod(sizes.get(f"k{side}", 1) for side in "dhw")
    # A product with weights reads every place of its input; a convolution writes every place of its output.
    places = math.prod(sizes.get(f"{'o' if 'kw' in sizes else 'i'}{side}", 1) for side in "dhw")
    return sizes["mb"] * sizes["ic"] * sizes["oc"] * kernel * places // sizes.get("g", 1)


def _product(problem: str) -> int:
    """[..., M, K] with [..., K, N]; a batch of 1 goes with every other."""
    try:
        ours, theirs = ([int(size) for size in part.split("x")] for part in problem.split(":")[:2])
        (*ours_batch, rows, inner), (*theirs_batch, _, columns) = ours, theirs
    except ValueError:
        return 0
    return max(math.prod(ours_batch), math.prod(theirs_batch)) * rows * inner * columns
