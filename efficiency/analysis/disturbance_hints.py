"""What to do about what disturbed the machine while a row was timed: a function a warning."""

from __future__ import annotations

from efficiency.analysis.disturbance import SEEN, keys
from efficiency.analysis.done import Done
from efficiency.analysis.kept import number_of
from efficiency.health import DISTURBANCES


def named(done: Done) -> str:
    """What disturbed the timing, and the mend; only a word of it where a warning of its own says it on the same row;
    empty where nothing was seen."""
    said = not keys(done.row.get("warnings")).isdisjoint(SEEN)
    if said:
        return "What disturbed the machine may be why."
    return next((HINTS[key](done) for key, (figure, limit) in DISTURBANCES.items() if done.worst(figure) > limit), "")


def busy_machine(done: Done) -> str:
    whom = f"Other programs ({done.programs})" if done.programs else "Other programs"
    cores = f"up to {done.worst('others_cores'):.1f} cores" if done.worst("others_cores") else "the processor"
    return f"{whom} kept {cores} busy while this was timed: end them and measure again."


def cpu_stolen(done: Done) -> str:
    share = f"up to {done.worst('stolen_share'):.0%} of the" if done.worst("stolen_share") else "some"
    return f"Other virtual machines took {share} processor time while this was timed: measure at a quieter hour."


def cpu_throttled(done: Done) -> str:
    share = f" for {done.worst('throttled_share'):.0%} of the time" if done.worst("throttled_share") else ""
    threads = int(number_of(done.row.get("threads")) or 1)
    fewer = f", or use fewer than {threads} threads" if threads > 1 else ""
    return f"The container's quota held the processor back{share}: raise the quota{fewer}."


def swapping(done: Done) -> str:
    text = "Memory was swapped while this was timed: end other programs, or choose fewer variants at once"
    batch = int(number_of(done.row.get("batch_size")) or 1)
    return text + (f", or a smaller batch than {batch}." if batch > 1 else ".")


def too_hot(done: Done) -> str:
    return "The processor was slowed down for its heat while this was timed: cool it, and measure again."


def hardly_still(done: Done) -> str:
    text = (
        "For nearly all of the time that this was timed, handing work from core to core took longer than at its best "
        "in this study and those of the day before: the figures are of a disturbed machine. "
    )
    return text + (named(done) or "Nothing was seen to run beside it, so it was the host: measure again later.")


HINTS = {
    "busy-machine": busy_machine,
    "cpu-stolen": cpu_stolen,
    "cpu-throttled": cpu_throttled,
    "swapping": swapping,
    "too-hot": too_hot,
}
"""By the warnings of `health.DISTURBANCES`."""
