"""What the article claims of runtimes and modes: inference mode, channels-last, TorchScript, the fast path."""

from __future__ import annotations

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
    needs = [Need(workload, CONDITION, asking.variants("channels-last")) for workload in VISION]
    return [asking.ask(here, asking.label_of(need.workload), need, _nhwc) for need in needs]


def _nhwc(heat: Heat) -> Answer:
    answer = asking.speed_answer(heat, "channels-last", BASELINE, 1.0)
    why = f"{answer.why} The input is converted at every call, as it is timed here."
    return Answer(answer.verdict, why, answer.figure, answer.behind)


def _torchscript(here: Here) -> list[Case]:
    found = []
    for workload in VISION:
        for condition in (CONDITION, Condition(device="cuda")):
            need = Need(workload, condition, asking.variants("optimize-for-inference"))
            label = asking.label_of(workload, condition.device.upper())
            found.append(asking.ask(here, label, need, asking.faster("optimize-for-inference")))
    return found


def _fast_path(here: Here) -> list[Case]:
    found = []
    for batch in (1, LARGER_BATCH):
        for padding in PADDINGS:
            condition = Condition(batch_size=batch, padding_pct=padding)
            need = Need(TRANSFORMER, condition, asking.variants("fast-path"))
            of = f"{padding} % padding" if padding else "padding as it is"
            label = asking.label_of(TRANSFORMER, f"batch {batch}", of)
            found.append(asking.ask(here, label, need, asking.faster("fast-path", line=UP_TO_TWICE)))
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
        "Latency of NCHW / NHWC, of model and input both, the input's conversion included.",
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
        f"{LARGER_BATCH} rows a call.",
        "above 1.8x in some case",
        _fast_path,
        in_some=True,
    ),
)
