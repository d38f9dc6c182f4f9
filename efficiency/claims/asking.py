"""Asking one question of one heat: whether it can be asked here, whether it was measured, and what follows.

An interval that lies on one side of the line decides; one that holds it decides nothing. A figure of time must,
besides, lie further from the line than the noise floor: what the control shows, too, is no finding. Where a claim
holds as soon as one figure of many reaches the line, their intervals are so wide that all hold at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats

from efficiency import check, techniques, workloads
from efficiency.analysis import views, wording
from efficiency.analysis.speed import SpeedUp
from efficiency.claims.base import Case, Figure, Need, Verdict
from efficiency.claims.here import Heat, Here
from efficiency.condition import Condition
from efficiency.machine import Machine
from efficiency.study import BASELINE, PRESETS, Study, Variant
from efficiency.techniques import compose

CONDITION = Condition()
"""CPU, a row a call, one thread: what a question is asked under unless it says otherwise."""
EFFORT = PRESETS["article"][1]
"""Whole test sets: accuracies are told apart by every row there is."""


@dataclass(frozen=True)
class Answer:
    """What a heat says to a question."""

    verdict: Verdict
    why: str
    figure: Figure | None = None
    behind: tuple[str, ...] = ()
    """The variants whose rows it rests on."""


Question = Callable[[Heat], Answer]


def variants(*keys: str) -> tuple[Variant, ...]:
    """A variant for each: technique keys joined by `+`."""
    return tuple(Variant.of(key.split("+")) for key in keys)


def ask(here: Here, label: str, need: Need, question: Question) -> Case:
    """The case of one question: the best heat that has the rows answers it (`Here.best`)."""
    if reason := why_not(need, here.machine):
        return Case(label, need.workload, "not-testable", reason)
    heat = here.best(need)
    if heat is not None:
        if idle := heat.idle(need):
            variant, reason = idle
            why = f"{variant.label} changed nothing here that could be seen. {reason}".strip()
            return Case(label, need.workload, "not-testable", why, behind=(heat.behind(variant.key),))
        answer = question(heat)
        behind = tuple(heat.behind(variant) for variant in answer.behind if variant in heat.rows)
        return Case(label, need.workload, answer.verdict, answer.why, answer.figure, behind)
    if failure := here.failure(need):
        variant, reason = failure
        return Case(label, need.workload, "not-testable", f"{variant.label} was tried here and failed: {reason}")
    return not_measured(label, (need,))


def not_measured(label: str, needs: tuple[Need, ...], why: str = "") -> Case:
    """What is missing, in a sentence."""
    names = dict.fromkeys(variant.label for need in needs for variant in need.variants)
    together = ", timed together" if len(names) > 1 else ""
    missing = f"Missing: {', '.join(names) or 'the baseline'}{together}."
    return Case(label, needs[0].workload, "not-measured", f"{why} {missing}".strip(), needs=needs)


def why_not(need: Need, machine: Machine) -> str | None:
    """Why this machine, or this version, cannot measure it: as the plan of a study would say."""
    asked = study_of((need.workload,), need.variants, (need.condition,))
    found = check.problems(asked, machine)
    general = [problem for problem in found if problem.startswith("--")]
    if general:
        said = general[0].partition(": ")[2].partition(";")[0].rstrip(".")
        return f"{said[:1].upper()}{said[1:]}."
    for variant in need.variants:
        applies = compose.why_not(variant.techniques, workloads.describe(need.workload), need.condition, machine)
        if applies:
            return applies
    return found[0] if found else None


def study_of(keys: tuple[str, ...], asked: tuple[Variant, ...], conditions: tuple[Condition, ...]) -> Study:
    """A study for claims; where only baselines are asked for, with a variant that every model takes."""
    return Study(
        workloads=keys,
        variants=asked or variants("inference-mode"),
        conditions=conditions,
        effort=EFFORT,
        preset="article",
        name="What the article claims",
    )


def label_of(workload: str, *more: str) -> str:
    """`Transformer · batch 8`."""
    return " · ".join((views.workload_label(workload), *filter(None, more)))


def applying(machine: Machine, workload: str, keys: tuple[str, ...]) -> list[str]:
    """Those of the techniques that this workload takes, as they stand in the table."""
    declared = workloads.describe(workload)
    known = [key for key in techniques.TECHNIQUES if key in keys]
    return [key for key in known if compose.why_not((key,), declared, CONDITION, machine) is None]


def faster(variant: str, against: str = BASELINE, line: float = 1.0, among: int = 1) -> Question:
    """Whether a variant is so many times as fast as another of its heat; `among` as in `speed_answer`."""
    return lambda heat: speed_answer(heat, variant, against, line, among)


def speed_answer(heat: Heat, variant: str, against: str, line: float, among: int = 1) -> Answer:
    """Latency of `against` / latency of `variant`, held against the line.

    `among` is how many such figures there are of which one that reaches the line is enough.
    """
    behind = (variant, against)
    ratio = heat.speed_up(variant, against)
    if ratio is None:
        return Answer(
            "unresolved", "It was timed in fewer than two processes, from which no interval follows.", None, behind
        )
    low, high = _together(ratio, among)
    figure = Figure(ratio.estimate, line, low=low, high=high)
    verdict, because = held(figure, heat.noise_floor)
    than = "the baseline" if against == BASELINE else views.variant_label(against)
    said = f"{views.variant_label(variant)} is {figure.said()} as fast as {than}, over {ratio.replicates} processes."
    return Answer(verdict, f"{said} {because}", figure, behind)


def _together(ratio: SpeedUp, among: int) -> tuple[float, float]:
    """The ends of an interval so wide that those of all that it is one among hold at once with 95 % (Bonferroni): of
    many, one would else reach the line by luck."""
    if among < 2:
        return ratio.low, ratio.high
    freedom = ratio.replicates - 1
    wider = float(stats.t.isf(0.025 / among, freedom) / stats.t.isf(0.025, freedom))
    low, high = (ratio.estimate * (end / ratio.estimate) ** wider for end in (ratio.low, ratio.high))
    return low, high


def held(figure: Figure, floor: float = 1.0) -> tuple[Verdict, str]:
    """On which side of its line a figure lies, and the sentence that says so. `floor` is that of figures of time."""
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    line, once = figure.line_said(), "Measured once." if figure.low is None else ""
    what = "The figure" if once else "The whole interval"
    if low >= figure.line if once else low > figure.line:
        verdict: Verdict = "holds"
        said = f"{what} {'reaches' if once else 'lies above'} the line, {line}."
    elif high < figure.line:
        verdict, said = "does-not-hold", f"{what} lies below the line, {line}."
    else:
        return "unresolved", f"The interval holds the line, {line}: more time or test rows may decide it."
    if figure.unit == "x" and figure.line / floor <= figure.value <= figure.line * floor and floor > 1:
        return (
            "unresolved",
            f"It lies within the noise floor, {wording.plus_minus(100 * (floor - 1))}, of the line, {line}.",
        )
    return verdict, f"{said} {once}".strip()
