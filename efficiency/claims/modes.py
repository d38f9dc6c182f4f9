"""What the article claims of runtimes and modes: inference mode, channels-last, TorchScript, the fast path."""

from __future__ import annotations

from dataclasses import replace

from efficiency import workloads
from efficiency.claims import asking
from efficiency.claims.asking import CONDITION, Answer
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.dynamic import LARGER_BATCH, TRANSFORMER
from efficiency.claims.here import Heat, Here
from efficiency.condition import Condition
from efficiency.study import BASELINE

VISION = tuple(key for key, one in workloads.WORKLOADS.items() if one.family == "cnn")
UP_TO_TWICE = 1.8
PADDINGS = (0, 50, 80)
"""Percent of every row at least; 0 is as the data have it."""


def _inference_mode(here: Here) -> list[Case]:
    needs = [
        Need(workload, CONDITION, asking.variants("inference-mode", "grad-enabled")) for workload in workloads.WORKLOADS
    ]
    return [asking.ask(here, asking.label_of(need.workload), need, _faster_than_no_grad) for need in needs]


def _faster_than_no_grad(heat: Heat) -> Answer:
    """Against `no_grad`, which is how the baseline is called; against gradients enabled beside it."""
    answer = asking.speed_answer(heat, "inference-mode", BASELINE, 1.0)
    beside = heat.speed_up("inference-mode", "grad-enabled")
    if beside is None:
        return answer
    shown = Figure(beside.estimate, 1.0, low=beside.low, high=beside.high).said()
    why = f"{answer.why} The baseline runs under no_grad; against gradients enabled it is {shown} as fast."
    return Answer(answer.verdict, why, answer.figure, ("inference-mode", BASELINE, "grad-enabled"))


def _channels_last(here: Here) -> list[Case]:
    """Twice for each model: as it is timed, and with an input that is in that layout already."""
    found = []
    for workload in VISION:
        need = Need(workload, CONDITION, asking.variants("channels-last"))
        label = asking.label_of(workload, "input converted at every call")
        timed = asking.ask(here, label, need, asking.faster("channels-last"))
        found += [timed, _without_conversion(timed)]
    return found


def _without_conversion(timed: Case) -> Case:
    """What follows for a caller whose input needs no conversion: it takes no longer, but how much less is not timed."""
    label = asking.label_of(timed.workload, "model and input both in it already")
    if timed.verdict == "holds":
        why = "It is faster with the conversion of the input, which takes time of its own, so it is without, too."
        return replace(timed, label=label, why=why, figure=None)
    if timed.figure is None:
        return replace(timed, label=label)
    why = (
        "With the conversion of the input it is not surely faster. Whether it is without cannot be said: every call "
        "here is timed with it."
    )
    return Case(label, timed.workload, "not-testable", why, behind=timed.behind)


def _torchscript(here: Here) -> list[Case]:
    found = []
    for workload in VISION:
        for condition in (CONDITION, Condition(device="cuda")):
            need = Need(workload, condition, asking.variants("optimize-for-inference"))
            label = asking.label_of(workload, condition.device.upper())
            found.append(asking.ask(here, label, need, asking.faster("optimize-for-inference")))
    return found


def _fast_path(here: Here) -> list[Case]:
    """The claim holds as soon as one case reaches the line, so each is one among all of them."""
    found, among = [], 2 * len(PADDINGS)
    for batch in (1, LARGER_BATCH):
        for padding in PADDINGS:
            condition = Condition(batch_size=batch, padding_pct=padding)
            need = Need(TRANSFORMER, condition, asking.variants("fast-path"))
            of = f"{padding} % padding" if padding else "padding as it is"
            label = asking.label_of(TRANSFORMER, f"batch {batch}", of)
            found.append(asking.ask(here, label, need, asking.faster("fast-path", line=UP_TO_TWICE, among=among)))
    return found


CLAIMS = (
    Claim(
        "inference-mode",
        "Inference mode makes inference faster.",
        "Latency under no_grad / inference_mode, and with gradients enabled / inference_mode beside it.",
        "above 1x against no_grad",
        _inference_mode,
    ),
    Claim(
        "channels-last",
        "Channels-last makes vision models faster.",
        "Latency of NCHW / NHWC: with the input converted at every call, which is timed, and what follows from that "
        "where the input is in this layout already.",
        "above 1x",
        _channels_last,
    ),
    Claim(
        "optimize-for-inference",
        "optimize_for_inference makes vision models faster, on CPUs and GPUs.",
        "Latency of eager / TorchScript frozen and optimized, both in FP32.",
        "above 1x",
        _torchscript,
    ),
    Claim(
        "better-transformer",
        "BetterTransformer speeds encoders up, to twice the speed in common cases.",
        f"Latency with the fast path off / on, {PADDINGS[0]}, {PADDINGS[1]} and {PADDINGS[2]} % of padding, a row and "
        f"{LARGER_BATCH} rows a call; throughput rises by the same factor. Intervals are so wide that all hold at "
        "once.",
        "above 1.8x in some case",
        _fast_path,
        in_some=True,
    ),
)
