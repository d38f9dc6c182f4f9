"""Warnings on a row: one closed list, each with what it means and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from efficiency.analysis.derive import Measured

NOISY_FLOOR = 1.05

HINTS: dict[str, str] = {
    "no-effect": "The technique changed nothing that could be seen: its figures are the baseline's.",
    "partly-effective": "The technique reached only a part of the model; the evidence says which.",
    "noisy": "The control, a second baseline, may differ from it by over 5 %: end other programs and measure again.",
    "busy-machine": "Other programs kept the processor busy while this was timed: end them and measure again.",
    "cpu-stolen": "Other virtual machines took processor time while this was timed: measure at a quieter hour.",
    "cpu-throttled": "The container's quota held the processor back meanwhile: raise it, or use fewer threads.",
    "swapping": "Memory was swapped while this was timed: end other programs, or choose fewer variants at once.",
    "too-hot": "The processor was slowed down for its heat while this was timed: cool it, and measure again.",
    "test-subset": "Accuracy was measured on the first rows of the test set; the article preset uses all.",
    "wide-interval": "The interval is wider than asked for (±2 % unless told): the budget or the number of processes "
    "ran out first. Raise the budget, or end other programs.",
    "few-replicates": "Fewer than three processes timed this row: its interval is wide. Run the study again.",
}


def of(row: Measured, took_effect: str | None, floor: float, wide: bool) -> list[str]:
    """Keys of HINTS that apply to the row; `wide` is whether its interval is wider than was asked for."""
    found = []
    if took_effect == "no":
        found.append("no-effect")
    if took_effect == "partly":
        found.append("partly-effective")
    if row.samples is not None:
        if floor > NOISY_FLOOR:
            found.append("noisy")
        found += dict.fromkeys(key for seen in row.health for key in seen.warnings())
        if wide:
            found.append("wide-interval")
        if len(set(row.samples[:, 0].tolist())) < 3:
            found.append("few-replicates")
    if row.on_subset and row.predicted is not None:
        found.append("test-subset")
    return found
