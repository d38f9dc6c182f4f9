"""What the article claims of dynamic quantization: easy, fit for LSTMs and transformers, paid for at every call."""

from __future__ import annotations

import ast
from functools import cache, partial

from efficiency import recipes, techniques, workloads
from efficiency.analysis import views, wording
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.claims import asking
from efficiency.claims.asking import CONDITION, Answer
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.here import Heat, Here
from efficiency.condition import Condition
from efficiency.study import BASELINE

TRANSFORMER = "transformer-encoder"
FITTING = ("lstm-classifier", TRANSFORMER)
KINDS = ("dynamic-int8", "static-int8", "qat-int8")
"""The three kinds that the article sets side by side, on one back end."""
SAME_BACK_END = {
    "PyTorch": ("dynamic-int8", "static-int8"),
    "ONNX Runtime": ("onnxruntime-dynamic-int8", "onnxruntime-static-int8"),
}
"""Dynamic and static INT8 of one runtime."""
OVER_HALF = 0.5
LARGER_BATCH = 8


def data_rows(heat: Heat, key: str) -> int:
    """Rows of data that a kind of quantization was given in the study that measured it; 0 where it needs none."""
    learns_from = techniques.get(key).learns_from
    if learns_from == "nothing":
        return 0
    effort = mapping_of(heat.asked.get("effort"))
    return int(number_of(effort.get("calibration_rows" if learns_from == "calibration" else "training_rows")) or 0)


def _easy(here: Here) -> list[Case]:
    need = Need(TRANSFORMER, CONDITION, asking.variants(*KINDS))
    return [asking.ask(here, asking.label_of(TRANSFORMER), need, _easiest)]


@cache
def statements(workload: str, key: str) -> int:
    """How many more statements its recipe has than the baseline's, which only builds, loads and calls the model."""
    declared = workloads.describe(workload)
    own, plain = (ast.parse(recipes.of(keys, declared, CONDITION)) for keys in ((key,), ()))
    counts = [sum(isinstance(node, ast.stmt) for node in ast.walk(tree)) for tree in (own, plain)]
    return counts[0] - counts[1]


def _easiest(heat: Heat) -> Answer:
    """By the data it needs, by the statements of its recipe, and by the seconds that its preparation takes."""
    rows = {key: data_rows(heat, key) for key in KINDS}
    lines = {key: statements(heat.workload, key) for key in KINDS}
    seconds = {key: heat.value(key, "prepare_s") for key in KINDS}
    told = [
        f"{views.variant_label(key)} takes {f'{rows[key]:,} rows' if rows[key] else 'no data'}, "
        f"{lines[key]} statements and {wording.number(seconds[key], 's')}"
        for key in KINDS
    ]
    said = f"{'; '.join(told)}."
    dynamic, *others = (seconds[key] for key in KINDS)
    if not dynamic or any(not other for other in others):
        return Answer("unresolved", f"How long preparation took is not known. {said}", None, KINDS)
    figure = Figure(min(other for other in others if other) / dynamic, 1.0)
    verdict, because = asking.held(figure)
    if rows["dynamic-int8"] or not all(rows[key] for key in KINDS[1:]):
        verdict, because = "does-not-hold", "It is not the only one that needs no data."
    elif lines["dynamic-int8"] >= min(lines[key] for key in KINDS[1:]):
        verdict, because = "does-not-hold", "Its recipe is not the shortest."
    return Answer(verdict, f"{said} {because}", figure, KINDS)


def _fits(here: Here) -> list[Case]:
    need = [Need(workload, CONDITION, asking.variants("dynamic-int8")) for workload in FITTING]
    return [asking.ask(here, asking.label_of(one.workload), one, _reached_and_faster) for one in need]


def _reached_and_faster(heat: Heat) -> Answer:
    """Faster, with over half of the multiplications in INT8."""
    key = "dynamic-int8"
    faster = asking.speed_answer(heat, key, BASELINE, 1.0)
    share, of = heat.evidence(key, "int8_mac_share"), "multiply-accumulates"
    if share is None:
        share, of = heat.evidence(key, "int8_weight_share"), "weights"
    if share is None:
        return Answer("unresolved", f"How much of it is INT8 is not known. {faster.why}", faster.figure, faster.behind)
    said = f"{share:.0%} of its {of} are INT8. {faster.why}"
    if share <= OVER_HALF:
        return Answer("does-not-hold", f"That is not over half: {said}", faster.figure, faster.behind)
    return Answer(faster.verdict, said, faster.figure, faster.behind)


def _static_against_dynamic(here: Here, batches: tuple[int, ...]) -> list[Case]:
    """How many times as fast static is: the conversion at every call is what sets the two apart."""
    found = []
    for runtime, (dynamic, static) in SAME_BACK_END.items():
        for batch in batches:
            need = Need(TRANSFORMER, Condition(batch_size=batch), asking.variants(dynamic, static))
            label = asking.label_of(TRANSFORMER, runtime, f"batch {batch}" if len(batches) > 1 else "")
            found.append(asking.ask(here, label, need, asking.faster(static, dynamic)))
    return found


CLAIMS = (
    Claim(
        "dynamic-easy",
        "Dynamic quantization is the easy one: a single call.",
        "Rows of data needed, statements of the recipe and seconds of preparation: dynamic, static and QAT.",
        "dynamic alone needs no data, its recipe is the shortest, and its preparation takes no longer",
        _easy,
    ),
    Claim(
        "dynamic-fits",
        "Dynamic quantization suits LSTMs and transformers.",
        "The share of the model in INT8, and the speed-up over FP32.",
        "over half in INT8, and faster than 1x",
        _fits,
    ),
    Claim(
        "dynamic-overhead",
        "Dynamic quantization pays for converting activations at every call.",
        "Latency of dynamic / static INT8 on the same back end, a row a call.",
        "above 1x: dynamic is slower",
        partial(_static_against_dynamic, batches=(1,)),
    ),
    Claim(
        "static-faster",
        "Static quantization is faster than dynamic, since that conversion is gone.",
        f"Latency of dynamic / static INT8 on the same back end, a row and {LARGER_BATCH} rows a call.",
        "above 1x: static is faster",
        partial(_static_against_dynamic, batches=(1, LARGER_BATCH)),
    ),
)
