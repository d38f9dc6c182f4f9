"""What the article claims of quantization as such: speed, size, and integer arithmetic."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from efficiency import workloads
from efficiency.analysis import views
from efficiency.analysis.tables import of_threads
from efficiency.ceiling import WITHOUT_VNNI
from efficiency.claims import asking, back_ends
from efficiency.claims.asking import CONDITION, Answer
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.here import Heat, Here
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.study import BASELINE, Variant

TWICE = 2.0
LEAST_SIZE = {8: 3.5, 4: 6.0}
"""How many times smaller, by bits a number."""
INT8_WEIGHTS = ("dynamic-int8", "static-int8")
"""The first that applies stands for INT8: both store their weights in the same way."""
NO_MORE_MEMORY = 1 / (1 + EQUIVALENCE_PCT / 100)
"""Peaks this near are the same."""


def _speed(here: Here) -> list[Case]:
    """The claim holds as soon as one INT8 row of one workload reaches the line: each is one among all of them."""
    by_workload = {workload: int8_needs(here, workload) for workload in workloads.WORKLOADS}
    among = sum(here.best(need) is not None for asked in by_workload.values() for need in asked)
    return [_fastest_int8(here, workload, asked, among) for workload, asked in by_workload.items()]


def int8_needs(here: Here, workload: str) -> dict[Need, tuple[Variant, Variant]]:
    """Every INT8 variant of it with its own in FP32, by what each pair needs."""
    seen = dict.fromkeys(key for heat in here.of(workload, CONDITION) for key in heat.rows)
    pairs = back_ends.int8_pairs(here.machine, workload, seen)
    return {Need(workload, CONDITION, tuple(one for one in pair if one.techniques)): pair for pair in pairs}


def _fastest_int8(here: Here, workload: str, asked: dict[Need, tuple[Variant, Variant]], among: int) -> Case:
    """The INT8 technique that says most; while some are not measured, no other verdict than `holds` is final.

    That is the one with the largest gain, unless a smaller one surely reaches the line, or may still do so.
    """
    label = asking.label_of(workload)
    cases = [
        asking.ask(here, label, need, asking.faster(variant.key, plain.key, TWICE, among))
        for need, (variant, plain) in asked.items()
    ]
    waiting = [case for case in cases if case.verdict == "not-measured"]
    known = sorted((case for case in cases if case.figure), key=telling, reverse=True)
    needs = tuple(need for case in waiting for need in case.needs)
    if not known:
        if waiting:
            return asking.not_measured(label, needs)
        reasons = dict.fromkeys(case.why for case in cases) or ["No INT8 technique of this version applies."]
        return Case(label, workload, "not-testable", " ".join(reasons))
    best = known[0]
    gained = "It gains most" if _gain(best) == max(map(_gain, known)) else "It says most"
    said = f"{gained} of {len(known)} in INT8, each against its own back end in FP32."
    if among > 1:
        said += f" The interval is so wide that those of all {among} rows in INT8 here hold at once."
    if waiting and best.verdict != "holds":
        why = f"So far: {best.why} {len(waiting)} more in INT8 may gain more."
        return replace(asking.not_measured(label, needs, why), figure=best.figure, behind=best.behind)
    more = (
        " Over 4x, which is more than the article says." if best.figure and (best.figure.low or 0) > 2 * TWICE else ""
    )
    return replace(best, why=f"{best.why} {said}{more}")


def _gain(case: Case) -> float:
    return 0.0 if case.figure is None else case.figure.value


def telling(case: Case) -> tuple[bool, bool, float]:
    """What holds before what may still hold, then the larger gain."""
    return case.verdict == "holds", case.verdict == "unresolved", _gain(case)


def _size(here: Here) -> list[Case]:
    found = []
    for workload in workloads.WORKLOADS:
        kinds = [(8, (asking.applying(here.machine, workload, INT8_WEIGHTS) or INT8_WEIGHTS)[0])]
        if workload == "transformer-encoder":
            kinds.append((4, "int4-weight-only"))
        for bits, key in kinds:
            need = Need(workload, CONDITION, asking.variants(key))
            for what, question in (("file", _smaller), ("peak memory", _less_memory)):
                label = asking.label_of(workload, f"INT{bits} {what}")
                found.append(asking.ask(here, label, need, partial(question, key=key, bits=bits)))
    return found


def _smaller(heat: Heat, key: str, bits: int) -> Answer:
    """The file's size, for what was quantized of it: what stays in FP32 is as large as it was."""
    name, behind = views.variant_label(key), (key, BASELINE)
    whole = heat.value(key, "size_ratio")
    if whole is None:
        return Answer("unresolved", f"The size of {name} is not known.", None, behind)
    share = heat.evidence(key, f"int{bits}_weight_share")
    figure = Figure(quantized_part(whole, share), LEAST_SIZE[bits])
    verdict, because = asking.held(figure)
    part = "" if share is None else f"; {share:.0%} of the weights were quantized, and those by {figure.said()}"
    stored = heat.evidence(key, "stored_bits_per_weight")
    bits_said = "" if stored is None else f" Each of these is stored in {stored:g} bits."
    return Answer(
        verdict, f"{name}: the whole file is {whole:.2f}x smaller{part}. {because}{bits_said}", figure, behind
    )


def quantized_part(whole: float, share: float | None) -> float:
    """How many times smaller the quantized share of a file became, from what the whole of it did; above 1 smaller."""
    if share is None or not 0 < share < 1:
        return whole
    left = 1 / whole - (1 - share)
    return share / left if left > 0 else whole


def _less_memory(heat: Heat, key: str, bits: int) -> Answer:
    name, behind = views.variant_label(key), (key, BASELINE)
    ratio = heat.ratio("peak_memory_mb", BASELINE, key)
    if ratio is None:
        return Answer("not-testable", "Peak memory is not known: this system keeps no high-water mark.", None, behind)
    figure = Figure(ratio, round(NO_MORE_MEMORY, 2))
    verdict, because = asking.held(figure)
    most = [heat.value(variant, "peak_memory_mb") for variant in (BASELINE, key)]
    return Answer(verdict, f"{most[0]:.1f} MB in FP32, {most[1]:.1f} MB with {name}. {because}", figure, behind)


def _integers(here: Here) -> list[Case]:
    """From the peaks of matrix products, the best of many tries each: there is no interval to hold against the line."""
    if here.ceiling is None:
        why = "What this machine can do at most is missing; it takes some seconds."
        return [Case("Matrix product", "", "not-measured", why, needs_ceiling=True, of_peaks=True)]
    found = []
    for rates in here.ceiling.rates:
        of, floats, integers = of_threads(rates), rates.gops.get("fp32"), rates.gops.get("int8")
        if not floats or not integers:
            why = f"PyTorch has no INT8 matrix product here ({of}), so there is none to compare."
            found.append(Case(of, "", "not-testable", why, of_peaks=True))
            continue
        figure = Figure(integers / floats, 1.0)
        verdict, because = asking.held(figure)
        because = because.replace(" Measured once.", "")
        why = f"{integers:,.0f} GOP/s in INT8, {floats:,.0f} GFLOP/s in FP32, the best of many tries each. {because}"
        found.append(Case(of, "", verdict, why, figure, of_peaks=True))
        if plain := rates.gops.get(WITHOUT_VNNI):
            found.append(_without_vnni(of, floats, plain))
    return found


def _without_vnni(of: str, floats: float, plain: float) -> Case:
    """What is left of it where oneDNN is kept from the instructions that were made for it."""
    figure = Figure(plain / floats, 1.0)
    verdict, because = asking.held(figure)
    because = because.replace(" Measured once.", "")
    why = f"{plain:,.0f} GOP/s in INT8 without VNNI, the processor's instructions for it. {because}"
    return Case(f"{of}, VNNI off", "", verdict, why, figure, of_peaks=True)


CLAIMS = (
    Claim(
        "quant-speed",
        "Quantization makes inference much faster, in some cases 2 to 4 times.",
        "Latency in FP32 / in INT8 on the same back end, for each workload the INT8 technique that gains most. "
        "Since it is picked among many, intervals are so wide that all hold at once.",
        "at least 2x in some case",
        _speed,
        in_some=True,
    ),
    Claim(
        "quant-size",
        "Numbers of 8 or 4 bits in place of 32 take less memory.",
        "File size of what was quantized, FP32 / INT8 and FP32 / INT4, and peak memory while serving.",
        "file 3.5x smaller in INT8 and 6x in INT4; peak memory no higher, to within 2 %",
        _size,
    ),
    Claim(
        "int-hardware",
        "Processors compute faster with integers than with floating-point numbers.",
        "Peak rate of a matrix product on this chip, INT8 / FP32.",
        "above 1x",
        _integers,
    ),
)
