"""What the article claims of quantization-aware training: more accurate than static, faster than dynamic, dear."""

from __future__ import annotations

from efficiency import workloads
from efficiency.analysis import views, wording
from efficiency.claims import asking
from efficiency.claims.asking import CONDITION, Answer
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.dynamic import KINDS, TRANSFORMER
from efficiency.claims.here import Heat, Here

QAT, STATIC, DYNAMIC = "qat-int8", "static-int8", "dynamic-int8"
TAKING_QAT = tuple(key for key, one in workloads.WORKLOADS.items() if one.family == "cnn" or key == TRANSFORMER)
DEARER = 2.0
NO_ENERGY = "What energy it took is not known: a study reads the energy counter beside calls alone."
"""The article speaks of compute; this says which part of that is not tested."""


def _accuracy(here: Here) -> list[Case]:
    needs = [Need(workload, CONDITION, asking.variants(QAT, STATIC)) for workload in TAKING_QAT]
    return [asking.ask(here, asking.label_of(need.workload), need, _more_accurate) for need in needs]


def _more_accurate(heat: Heat) -> Answer:
    behind = (QAT, STATIC)
    change = heat.accuracy(QAT, STATIC)
    if change is None:
        return Answer("unresolved", "The answers to the test rows are not kept of both.", None, behind)
    figure = Figure(change.delta_pp, 0.0, "pp", change.low_pp, change.high_pp)
    verdict, because = asking.held(figure)
    if all(heat.rows[key]["accuracy_verdict"] == "kept" for key in behind):
        verdict, because = "unresolved", "Both keep the accuracy of FP32, so that neither wins."
    said = f"QAT alone has {change.gained:,} test rows right, static alone {change.lost:,}. {because}"
    return Answer(verdict, said, figure, behind)


def _speed(here: Here) -> list[Case]:
    need = Need(TRANSFORMER, CONDITION, asking.variants(QAT, DYNAMIC))
    return [asking.ask(here, asking.label_of(TRANSFORMER), need, asking.faster(QAT, DYNAMIC))]


def _cost(here: Here) -> list[Case]:
    found = []
    for workload in TAKING_QAT:
        kinds = asking.applying(here.machine, workload, KINDS)
        need = Need(workload, CONDITION, asking.variants(*(kinds or KINDS)))
        found.append(asking.ask(here, asking.label_of(workload), need, _dearest))
    return found


def _dearest(heat: Heat) -> Answer:
    """Preparation with all threads, once."""
    kinds = [key for key in KINDS if key in heat.rows]
    seconds = {key: heat.value(key, "prepare_s") for key in kinds}
    told = ", ".join(f"{views.variant_label(key)} {wording.number(seconds[key], 's')}" for key in kinds)
    others = [seconds[key] for key in kinds if key != QAT]
    if not seconds[QAT] or not all(others):
        return Answer("unresolved", f"How long preparation took is not known of all: {told}.", None, tuple(kinds))
    figure = Figure(seconds[QAT] / max(other for other in others if other), DEARER)  # type: ignore[operator]
    verdict, because = asking.held(figure)
    said = f"Preparation took: {told}. {because} {NO_ENERGY}"
    return Answer(verdict, said, figure, (QAT, *(key for key in kinds if key != QAT)))


CLAIMS = (
    Claim(
        "qat-accuracy",
        "Quantization-aware training is more accurate than static quantization.",
        "Accuracy of QAT less that of static INT8, on the same test rows and back end.",
        "above 0 pp; where both keep the accuracy of FP32, it is unresolved",
        _accuracy,
    ),
    Claim(
        "qat-speed",
        "Quantization-aware training is faster than dynamic quantization.",
        "Latency of dynamic INT8 / QAT on the same back end.",
        "above 1x",
        _speed,
    ),
    Claim(
        "qat-cost",
        "Quantization-aware training takes much computing to prepare.",
        "Seconds of preparation: QAT / the longer of static and dynamic. Its energy is not measured.",
        "at least 2x",
        _cost,
    ),
)
