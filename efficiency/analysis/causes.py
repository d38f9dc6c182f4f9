"""What explains that a row is not faster, as far as it left a trace: a function a cause, a sentence with its numbers.

A cause looks at what is kept of the row (its columns, the evidence and the work in its details), at its machine and at
the rows beside it, and says nothing where it does not apply. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable

from efficiency.analysis import causes_in_fp32, disturbance, kernels, machine_words, notes, views, wording
from efficiency.analysis.case import Case, Values
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.ceiling import ARITHMETIC, Arithmetic

DISTURBED = ("noisy", *disturbance.DISTURBED)
"""Warnings which say that the machine was not itself."""
INSTRUCTIONS: dict[Arithmetic, tuple[tuple[str, ...], str]] = {
    "int8": (machine_words.INT8_SETS, "VNNI, AMX"),
    "bf16": (machine_words.BF16_SETS, "AVX512-BF16, AMX"),
    "fp16": (("avx512_fp16", "asimddp", "sve"), "AVX512-FP16"),
}
"""What a processor needs of for fast arithmetic, and what that is called."""
READS: dict[Arithmetic, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "int8": (("u8", "s8"), ("vnni", "amx", "avx10", "int8")),
    "bf16": (("bf16",), ("bf16", "amx", "avx10")),
}
"""What oneDNN's kernels for it read, and what the names of the fast ones hold."""
PURPOSE = {
    "inference-mode": "Inference mode computes the very same: what it saves is bookkeeping, some microseconds an "
    "operation, and a call takes {latency} here.",
    "grad-enabled": "Gradients enabled is measured to show what forgetting no_grad costs: it can gain nothing.",
}
"""Of techniques that change no arithmetic."""
MOSTLY, LITTLE_PADDING_PCT, HARDLY = 0.9, 20.0, 1.2


def _work(details: Values) -> Values:
    return mapping_of(details.get("work"))


def _no_effect(case: Case) -> str:
    idle = [
        f"{views.variant_label(key)} took no effect: {shown.get('reason')}"
        for key, shown in case.evidence()
        if shown.get("took_effect") == "no"
    ]
    return " ".join(idle)


def _in_part(case: Case) -> str:
    """Where `_mostly_elsewhere` has no share of the arithmetic to tell."""
    told = [
        f"{views.variant_label(key)} took effect in part: {shown.get('reason')}"
        for key, shown in case.evidence()
        if shown.get("took_effect") == "partly"
        and not any(str(name).endswith("_mac_share") for name in mapping_of(shown.get("figures")))
    ]
    return " ".join(told)


def _disturbed(case: Case) -> str:
    warned = set(str(case.row.get("warnings") or "").split(";"))
    seen = [notes.MEANINGS[key] for key in DISTURBED if key in warned]
    return f"The measurement was disturbed, and the warnings say what to do. {' '.join(seen)}" if seen else ""


def _mostly_elsewhere(case: Case) -> str:
    share = case.figure(f"{case.arithmetic}_mac_share")
    if case.arithmetic == "fp32" or share is None or not 0 < share < MOSTLY:
        return ""
    return (
        f"Only {share:.0%} of the multiply-accumulates run in {ARITHMETIC[case.arithmetic]}: if all take equally long, "
        f"the whole cannot become more than {1 / (1 - share):.1f}x as fast however fast these are."
    )


def _unpacked(case: Case) -> str:
    if case.arithmetic != "fp32" or not any("weight_share" in name for _, shown in case.figures() for name in shown):
        return ""
    text = "Its weights are stored in few bits and unpacked at every call, for arithmetic in floating point: what that "
    text += "saves is reading them. "
    moved, cache_mb = number_of(_work(case.baseline_details).get("bytes")), number_of(case.machine.get("l3_cache_mb"))
    if moved is not None and cache_mb is not None and moved <= 1e6 * cache_mb:
        return text + f"Here all {moved / 1e6:.1f} MB of a call fit into the cache of {cache_mb:.0f} MB beforehand."
    return text.rstrip()


def _instructions(case: Case) -> str:
    sets, named = INSTRUCTIONS.get(case.arithmetic, ((), ""))
    own = case.machine.get("instruction_sets")
    if not sets or case.row.get("device") != "cpu":
        return ""
    if limit := mapping_of(case.details.get("kernels")).get("onednn_limit"):
        return f"ONEDNN_MAX_CPU_ISA={limit} keeps oneDNN from the instruction sets that this processor has."
    if not isinstance(own, list | tuple):
        return ""
    if not set(sets) & set(own):
        return (
            f"This processor has no instructions for {ARITHMETIC[case.arithmetic]} (such as {named}), so it takes "
            "detours."
        )
    return _slower_kernels(case, [one for one in own if one in sets])


def _slower_kernels(case: Case, fast: list[str]) -> str:
    """Where oneDNN's kernels use less than the processor has, which on x86 their names tell."""
    types, expected = READS.get(case.arithmetic, ((), ()))
    slower = sorted(map(kernels.name, kernels.slower_than_expected(case.details, types, expected)))
    if not slower or not fast[0].startswith(("avx", "amx")):
        return ""
    return (
        f"This processor has {kernels.name(fast[0])}, but oneDNN ran its operations in {ARITHMETIC[case.arithmetic]} "
        f"in {' and '.join(slower)}, which is slower."
    )


def _peak(case: Case) -> str:
    own, reference = number_of(_work(case.details).get("ms")), number_of(_work(case.baseline_details).get("ms"))
    if case.arithmetic == "fp32" or not own or not reference:
        return ""
    name, gain = ARITHMETIC[case.arithmetic], reference / own
    if _work(case.details).get("limited_by") == "memory":
        return f"Memory limits this call: its bytes alone take {own:.3g} ms, which faster arithmetic does not shorten."
    if gain >= HARDLY:
        return ""
    return (
        f"At their measured peaks, {name} is but {gain:.2f}x as fast as FP32 on this processor: little is to be gained."
    )


def _conversions(case: Case) -> str:
    count = case.figure("conversions")
    if not count:
        return ""
    tensors = "A tensor is" if count == 1 else f"{count:.0f} tensors are"
    return f"{tensors} converted to another type or layout at every call, which takes time and computes nothing."


def _reorders(case: Case) -> str:
    own, reference = kernels.reorders(case.details), kernels.reorders(case.baseline_details)
    if not own or reference is None or own <= reference:
        return ""
    return f"oneDNN copies {own} tensors from one layout to another in a call, and {reference} in the baseline's."


def _layout(case: Case) -> str:
    all_of_them, given = case.figure("convolutions"), case.figure("nhwc_convolutions")
    copies, kept = case.figure("layout_copies"), case.figure("channels_last_share")
    if kept is None:
        return ""
    said = ["The input is converted at every call, which is timed"]
    if copies:
        said.append(f"{copies:.0f} tensors are copied on the way to keep the layout")
    if all_of_them and given is not None and given < all_of_them:
        said.append(f"only {given:.0f} of {all_of_them:.0f} convolutions are given it")
    return ", and ".join(said) + "."


def _unfused(case: Case) -> str:
    share = case.figure("fused_mac_share")
    if "fast-path" not in case.techniques or share is None or not 0 < share < MOSTLY:
        return ""
    return f"Only {share:.0%} of the multiply-accumulates run in fused kernels; the rest runs as in the baseline."


def _padding(case: Case) -> str:
    share = case.number("padding_pct")
    if "fast-path" not in case.techniques or share is None or share > LITTLE_PADDING_PCT:
        return ""
    return (
        f"The timed input holds {share:.0f} % padding, and leaving padding out is most of what the fast path saves: "
        "measure it with as much padding as your data have."
    )


def _purpose(case: Case) -> str:
    latency = wording.number(case.baseline.get("latency_ms_p50"), "ms")
    return " ".join(PURPOSE[key].format(latency=latency) for key in case.techniques if key in PURPOSE)


def _overhead(case: Case) -> str:
    share, latency = (number_of(case.baseline.get(name)) for name in ("ceiling_pct", "latency_ms_p50"))
    if case.arithmetic == "fp32" or share is None or latency is None or share >= causes_in_fp32.HALF_PCT:
        return ""
    larger = " A larger batch spreads it over more rows." if case.number("batch_size") == 1 else ""
    return (
        f"Of the baseline's {latency:.3g} ms, arithmetic at the machine's peak takes {latency * share / 100:.2g} ms "
        f"({share:.0f} %). The rest is starting operations, moving activations and arithmetic below its peak, which "
        f"fewer bits shorten in part at most; a runtime that takes the whole model may cut it.{larger}"
    )


CAUSES: tuple[Callable[[Case], str], ...] = (
    _no_effect, _disturbed, _in_part, _mostly_elsewhere, _unpacked, _instructions, _peak, _conversions, _reorders,
    _layout, _unfused, _padding, _purpose, *causes_in_fp32.CAUSES, _overhead,
)  # fmt: skip
"""The most telling first."""
