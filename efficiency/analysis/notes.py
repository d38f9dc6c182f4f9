"""Warnings on a row: one closed list, each with what it means and what to do about it.

What to do depends on what was done already, as in hyperfine: who has used up the longest preset is not told to choose a
longer one, and who shares the machine is told with which programs. So a hint is a function of what was `Done`: the row,
what the study asked for and what its row keeps in its details. Pages, reports and the command line all show it, so it
speaks of presets and budgets and names no option and no button.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from efficiency.analysis import disturbance_hints, interval_hints, layers_wanted
from efficiency.analysis.done import Done, Values
from efficiency.analysis.interval_hints import FEW_REPLICATES
from efficiency.analysis.kept import number_of
from efficiency.study import BASELINE
from efficiency.tolerance import tolerance_of

if TYPE_CHECKING:
    from efficiency.analysis.derive import Measured

NOISY_FLOOR = 1.05


def _no_effect(done: Done) -> str:
    return "The technique changed nothing that could be seen: its figures are the baseline's."


def _partly_effective(done: Done) -> str:
    idle = ", ".join(key for key, effect in done.effects if effect == "no")
    if idle:
        return f"Of this combination, {idle} changed nothing that could be seen; the others did the work."
    return "The technique reached only a part of the model; the evidence says which."


def _noisy(done: Done) -> str:
    text = "The control, a second baseline, may differ from it by over 5 %. "
    seen = disturbance_hints.named(done)
    if seen:
        return text + seen
    text += "No other program was seen to disturb, so it is the machine (its clock, power saving, heat) or a few "
    # What was precise enough was not ended by want of time.
    wide = "wide-interval" in str(done.row.get("warnings") or "")
    return text + f"unlike processes. {interval_hints.more_time(done) if wide else 'Measure again at another hour.'}"


def _beyond_ceiling(done: Done) -> str:
    share = number_of(done.row.get("ceiling_pct"))
    text = "A call takes less time than the measured peak of this machine allows" + (
        f" ({share:.0f} %)" if share else ""
    )
    return (
        f"{text}: others used the cores while the peak was measured, or its kernels are faster than PyTorch's. "
        "Measure what the machine can do again, for the studies to come; speed-ups do not rest on it."
    )


def _test_subset(done: Done) -> str:
    used, whole = (number_of(done.details.get(name)) for name in ("test_rows", "test_rows_at_hand"))
    rows = "the first rows of the test set"
    if used:
        rows = f"the first {used:,.0f}" + (f" of {whole:,.0f}" if whole else "") + " test rows"
    verdict = done.row.get("accuracy_verdict")
    if verdict == "unresolved":
        return f"Accuracy was measured on {rows}, too few to tell: the preset article uses all."
    if verdict in ("kept", "lost") and done.row.get("variant") != BASELINE:
        band = f"{'within' if verdict == 'kept' else 'by more than'} the study's {tolerance_of(done.asked):g} pp"
        return (
            f"Accuracy was measured on {rows}, enough to tell that it is {verdict} ({band}); the preset article uses "
            "all."
        )
    return f"Accuracy was measured on {rows}; the preset article uses all."


HINTS: dict[str, Callable[[Done], str]] = {
    "no-effect": _no_effect,
    "partly-effective": _partly_effective,
    "noisy": _noisy,
    **disturbance_hints.HINTS,
    "disturbed": disturbance_hints.hardly_still,
    "beyond-ceiling": _beyond_ceiling,
    "test-subset": _test_subset,
    "wide-interval": interval_hints.wide_interval,
    "few-replicates": interval_hints.few_replicates,
}

MEANINGS: dict[str, str] = {
    "no-effect": "The technique changed nothing that could be seen.",
    "partly-effective": "The technique reached only a part of the model.",
    "noisy": "The control, a second baseline, may differ from it by over 5 %.",
    "busy-machine": "Other programs kept the processor busy while this was timed.",
    "cpu-stolen": "Other virtual machines took processor time while this was timed.",
    "cpu-throttled": "The container's quota held the processor back while this was timed.",
    "swapping": "Memory was swapped while this was timed.",
    "too-hot": "The processor was slowed down for its heat while this was timed.",
    "disturbed": "The machine was disturbed nearly all the time: others had the cores, or they lay far apart.",
    "beyond-ceiling": "The machine's peak was measured while it was busy: a call seems to do more than it can.",
    "test-subset": "Accuracy was measured on the first rows of the test set.",
    "wide-interval": "The interval is wider than asked for, by the row's own minutes.",
    "few-replicates": "Fewer than three processes timed this row.",
}
"""What each warning says, where nothing is known of what was done for the row; `hint` says what to do."""

LOST_BY_LAYERS = "accuracy-lost"
"""No warning that a row keeps: whether it is to be said turns on what else the study tried."""
INFORMATIVE = ("test-subset", "beyond-ceiling", LOST_BY_LAYERS)
"""These say what was asked for, or concern no speed-up; the others, that something is not as it should be."""


def hint(key: str, row: Values, asked: Values, details: Values) -> str:
    """What a warning means on this row and what to do next; a key of another version stays as it is.

    `row` holds the row's columns, `asked` is what its study asked for, `details` what is kept beside the row.
    """
    say = HINTS.get(key)
    return key if say is None else say(Done(row, asked, details))


def hints(row: Values, asked: Values, details: Values) -> list[tuple[str, str]]:
    """(key, hint) of each warning on the row, in their order, and last what may win back accuracy that was lost."""
    warned = row.get("warnings")
    keys = filter(None, warned.split(";")) if isinstance(warned, str) else ()
    found = [(key, hint(key, row, asked, details)) for key in keys]
    if layers_wanted.wanted(row, layers_wanted.asked_for(asked)):
        found.append((LOST_BY_LAYERS, layers_wanted.said(row)))
    return found


def of_study(
    rows: Iterable[Values], asked: Values, details: Callable[[int], Values]
) -> list[tuple[str, str, list[str]]]:
    """(key, hint, what it is said of), for all rows of a study; what is said of several rows is said once."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if isinstance(row.get("warnings"), str) or str(row.get("accuracy_verdict")) == "lost":
            for told in hints(row, asked, details(int(row["row_id"]))):
                found.setdefault(told, {})[f"{row['workload']}: {row['variant']}"] = None
    return [(key, text, list(of)) for (key, text), of in found.items()]


def of(
    row: Measured,
    took_effect: str | None,
    floor: float,
    replicates: object,
    wide: bool,
    disturbed: bool = False,
    ceiling_pct: object = None,
) -> list[str]:
    """Keys of HINTS that apply to the row; `wide` is whether its interval is wider than was asked for.

    `replicates` is how many timed it, `disturbed` whether the machine was so nearly all the time
    (`analysis.stillness`), and `ceiling_pct` the share of the machine's peak that it reaches.
    """
    found = []
    if took_effect == "no":
        found.append("no-effect")
    if took_effect == "partly":
        found.append("partly-effective")
    if row.samples is not None:
        if floor > NOISY_FLOOR:
            found.append("noisy")
        found += dict.fromkeys(key for seen in row.health for key in seen.warnings())
        if disturbed:
            found.append("disturbed")
        if wide:
            found.append("wide-interval")
        if isinstance(replicates, int) and replicates < FEW_REPLICATES:
            found.append("few-replicates")
        if isinstance(ceiling_pct, float) and ceiling_pct > 100:
            found.append("beyond-ceiling")
    if row.on_subset and row.predicted is not None:
        found.append("test-subset")
    return found
