"""What the article claims of lower precision: smaller models that run on less energy, and training in less memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from efficiency import workloads
from efficiency.analysis import views
from efficiency.analysis.kept import mapping_of, number_of
from efficiency.claims import asking
from efficiency.claims.asking import CONDITION, Answer
from efficiency.claims.base import Case, Claim, Figure, Need
from efficiency.claims.here import Heat, Here
from efficiency.condition import Condition, Device
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.study import BASELINE

HALF_WEIGHTS = ("bf16-weights", "fp16-weights")
LEAST_SIZE = 1.9
TRAINED = (("cpu", "amp-bf16"), ("cuda", "amp-fp16"), ("cuda", "amp-bf16"))
"""Where AMP trains, and in what."""
TRAINED_ROWS = 32
"""A step, with all threads: as who trains does."""


def _weights(here: Here) -> list[Case]:
    found = []
    for workload in workloads.WORKLOADS:
        for key in HALF_WEIGHTS:
            need, bits = Need(workload, CONDITION, asking.variants(key)), key.partition("-")[0].upper()
            for what, question in (("file", _smaller), ("energy", _less_energy)):
                found.append(
                    asking.ask(here, asking.label_of(workload, f"{bits} {what}"), need, partial(question, key=key))
                )
    return found


def _smaller(heat: Heat, key: str) -> Answer:
    ratio, behind = heat.value(key, "size_ratio"), (key, BASELINE)
    if ratio is None:
        return Answer("unresolved", f"The size of {views.variant_label(key)} is not known.", None, behind)
    figure = Figure(ratio, LEAST_SIZE)
    verdict, because = asking.held(figure)
    return Answer(
        verdict, f"{views.variant_label(key)}: the file is {figure.said()} smaller. {because}", figure, behind
    )


def _less_energy(heat: Heat, key: str) -> Answer:
    """By the windows in which each was measured: the ends are those that lie furthest apart."""
    behind = (key, BASELINE)
    theirs, ours = (mapping_of(heat.details(one).get("energy")) for one in (BASELINE, key))
    theirs_mj, ours_mj = (number_of(one.get("mj")) for one in (theirs, ours))
    if not theirs_mj or not ours_mj:
        return Answer("not-testable", _no_energy(theirs if not theirs_mj else ours), None, behind)
    ends = [number_of(one.get(end)) for one in (theirs, ours) for end in ("low_mj", "high_mj")]
    low = high = None
    if all(ends):
        theirs_low, theirs_high, ours_low, ours_high = map(float, ends)  # type: ignore[arg-type]
        low, high = theirs_low / ours_high, theirs_high / ours_low
    figure = Figure(theirs_mj / ours_mj, 1.0, low=low, high=high)
    verdict, because = asking.held(figure)
    said = f"{theirs_mj:.3g} mJ an example in FP32, {ours_mj:.3g} mJ with {views.variant_label(key)}."
    return Answer(verdict, f"{said} {because}", figure, behind)


def _amp_training(here: Here) -> list[Case]:
    found = []
    for workload in workloads.WORKLOADS:
        for device, key in TRAINED:
            at: Device = "cuda" if device == "cuda" else "cpu"
            condition = Condition(at, TRAINED_ROWS, here.machine.threads, phase="training")
            need = Need(workload, condition, asking.variants(key))
            label = asking.label_of(workload, f"{device.upper()}, {views.variant_label(key)}")
            found.append(asking.ask(here, label, need, partial(_trained_in_less, key=key)))
    return found


def _trained_in_less(heat: Heat, key: str) -> Answer:
    """Peak memory of training, FP32 / AMP, where the accuracy after training is kept."""
    behind = (key, BASELINE)
    ratio = heat.ratio("peak_memory_mb", BASELINE, key)
    if ratio is None:
        return Answer("not-testable", "Peak memory is not known: this system keeps no high-water mark.", None, behind)
    figure = Figure(ratio, 1.0)
    verdict, because = asking.held(figure)
    if abs(ratio - 1) <= EQUIVALENCE_PCT / 100:  # measured once, and peaks of one thing lie as far apart
        verdict, because = "unresolved", f"Peaks within {EQUIVALENCE_PCT:g} % of each other are told as the same."
    kept = heat.rows[key]["accuracy_verdict"]
    if verdict == "holds" and kept != "kept":
        verdict = "does-not-hold" if kept == "lost" else "unresolved"
    said = [because, f"Accuracy after training: {kept or 'not known'}."]
    if (faster := heat.speed_up(key)) is not None:
        ratio_said = Figure(faster.estimate, 1.0, low=faster.low, high=faster.high).said()
        said.append(f"A step is {ratio_said} as fast.")
    return Answer(verdict, " ".join([*said, _energy_of_a_step(heat, key)]).strip(), figure, behind)


def _energy_of_a_step(heat: Heat, key: str) -> str:
    theirs, ours = (mapping_of(heat.details(one).get("energy")) for one in (BASELINE, key))
    theirs_mj, ours_mj = (number_of(one.get("mj")) for one in (theirs, ours))
    if not theirs_mj or not ours_mj:
        return _no_energy(theirs if not theirs_mj else ours)
    return f"An example costs {ours_mj:.3g} mJ in place of {theirs_mj:.3g}."


def _no_energy(kept: Mapping[Any, Any]) -> str:
    return f"Energy was not measured. {kept.get('reason') or ''}".strip()


CLAIMS = (
    Claim(
        "low-precision",
        "Lower precision makes models smaller and saves energy when they run.",
        "BF16 and FP16 weights against FP32: file size, and energy an example where it can be measured.",
        "file at least 1.9x smaller; energy in FP32 / in 16 bits above 1x, so that less is used",
        _weights,
    ),
    Claim(
        "amp-training",
        "Automatic mixed precision trains in less memory.",
        "Peak memory of training in FP32 / with AMP, and the accuracy that training comes to.",
        "above 1x, with the accuracy kept",
        _amp_training,
    ),
)
