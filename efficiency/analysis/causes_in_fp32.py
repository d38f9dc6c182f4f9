"""What explains it of a variant that computes in FP32, as the baseline does: the work is done alike, or well already.

Where nothing of it applies, the cause is not known, and `unknown` says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from efficiency.analysis import kernels
from efficiency.analysis.case import Case, Values
from efficiency.analysis.kept import mapping_of, number_of

HALF_PCT = 50.0
_SET = re.compile(r"_(avx512|avx2|avx|sse4\d|sve|neon)")
"""The instruction set in the name of a kernel of OpenVINO's, such as `brgconv_avx512_f32`."""


def _same_kernels(case: Case) -> str:
    own, reference = _computing(case.details), _computing(case.baseline_details)
    if case.arithmetic != "fp32" or not own or own != reference:
        return ""
    named = " and ".join(f"{count} × {primitive.replace('_', ' ')}" for (primitive, _), count in own.most_common(4))
    return f"oneDNN runs the same kernels as in the baseline ({named}): their part of a call cannot become shorter."


def _computing(details: Values) -> Counter[tuple[str, str]]:
    """oneDNN's calls by primitive and instruction set, without those that copy alone; empty where none is kept."""
    found: Counter[tuple[str, str]] = Counter()
    for primitive, instruction_set, count in kernels.ran(details) or ():
        if primitive != kernels.REORDER:
            found[primitive, instruction_set] += count
    return found


def _left_to_libraries(case: Case) -> str:
    written, library = case.figure("written_kernels"), case.figure("library_calls")
    if case.arithmetic != "fp32" or written is None or not library:
        return ""
    return (
        f"{library:.0f} matrix and convolution calls are left to libraries, as PyTorch leaves them without a compiler: "
        f"what Inductor gains, it gains by the {written:.0f} kernels that it wrote for the rest."
    )


def _same_instructions(case: Case) -> str:
    shown = mapping_of(mapping_of(case.details.get("evidence")).get("openvino"))
    theirs = set(_SET.findall(str(shown.get("reason"))))
    ours = {found.group(1) for _, name in _computing(case.baseline_details) if (found := _SET.match(f"_{name}"))}
    if len(theirs) != 1 or theirs != ours:
        return ""
    return (
        f"OpenVINO multiplies in FP32 with {theirs.pop().upper()}, and so does oneDNN in the baseline: its arithmetic "
        "has no better instructions to use."
    )


def _little_left(case: Case) -> str:
    """What stays in FP32 cannot pass FP32's ceiling."""
    share = number_of(case.baseline.get("ceiling_pct"))
    if case.arithmetic != "fp32" or share is None or not HALF_PCT <= share <= 100:
        return ""
    gain = f"cannot gain more than {100 / share:.1f}x."
    if mapping_of(case.baseline_details.get("work")).get("limited_by") == "memory":
        return (
            f"Memory limits the baseline: reading its bytes once takes {share:.0f} % of a call, and FP32 has as many "
            f"to read. What stays in it {gain}"
        )
    return f"The baseline already reaches {share:.0f} % of what this machine can do in FP32: what stays in it {gain}"


def unknown(case: Case) -> str:
    """Said where no cause is found, with how much room there is, if that is known."""
    if case.row.get("speed_verdict") == "unresolved":
        return (
            "What is kept of this row names no cause; a study with narrower intervals may tell whether there is a "
            "difference at all."
        )
    share = number_of(case.baseline.get("ceiling_pct"))
    room = ""
    if share is not None and 0 < share < HALF_PCT:
        room = f" There would be room: at the machine's peak its arithmetic takes {share:.0f} % of the baseline's time."
    return f"Why it is not faster is not known: nothing that is kept of this row explains it.{room}"


CAUSES: tuple[Callable[[Case], str], ...] = (_same_kernels, _left_to_libraries, _same_instructions, _little_left)
"""The most telling first."""
