"""Warnings on a row: one closed list, each with what it means and what to do about it.

What to do depends on what was done already, as in hyperfine: who has used up the longest preset is not told to choose a
longer one, and who shares the machine is told with which programs. So a hint is a function of the row, of what the
study asked for and of what its row keeps in its details. Pages, reports and the command line all show it, so it speaks
of presets and budgets and names no option and no button.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from efficiency import health
from efficiency.analysis import layers_wanted
from efficiency.analysis.kept import mapping_of, number_of, sequence_of
from efficiency.effort import Effort
from efficiency.study import PRESETS, TRAINING_EFFORTS, Preset
from efficiency.tolerance import tolerance_of

if TYPE_CHECKING:
    from efficiency.analysis.derive import Measured

NOISY_FLOOR = 1.05
FEW_REPLICATES = 3
HARDLY_WIDER = 1.2
"""An interval up to so many times as wide as was asked for decides nothing that a narrower one would not."""

Values = Mapping[Any, Any]


@dataclass(frozen=True)
class Done:
    """What was done for a row. Any of it may be missing: a document of another origin holds what it holds."""

    row: Values
    asked: Values
    details: Values

    @property
    def replicates(self) -> int:
        """Processes that timed it, those included that were set aside since the machine was disturbed."""
        return max(int(number_of(self.row.get("replicates")) or 0), len(self._health))

    @property
    def most_replicates(self) -> int:
        """Processes that would have timed it at most."""
        return int(max(self.effort(name) or 0 for name in ("replicates", "most_replicates")))

    @property
    def preset(self) -> str:
        """The preset that the study started from."""
        return str(self.asked.get("preset") or "")

    @property
    def budget_s(self) -> float | None:
        """What limited the study's time: the user's budget, or else the preset's own."""
        own_s = number_of(self.asked.get("budget_s"))
        return own_s if own_s is not None else self.effort("budget_s")

    def effort(self, name: str) -> float | None:
        """A number of the study's `Effort`; None where it has none."""
        return number_of(mapping_of(self.asked.get("effort")).get(name))

    def worst(self, name: str) -> float:
        """The highest of a figure of `Health` over the replicates; 0 where none is kept."""
        return max((number_of(seen.get(name)) or 0.0 for seen in self._health), default=0.0)

    @property
    def programs(self) -> str:
        """Names of the programs that kept the processor busy, where they are known: `chrome, python`."""
        names = [_name(program) for seen in self._health for program in sequence_of(seen.get("busiest"))]
        return ", ".join(dict.fromkeys(filter(None, names)))

    @property
    def effects(self) -> list[tuple[str, str]]:
        """(technique key, yes/no/partly) of each technique of the variant."""
        shown = mapping_of(self.details.get("evidence")).items()
        return [(str(key), str(one.get("took_effect"))) for key, one in shown if isinstance(one, Mapping)]

    @property
    def _health(self) -> list[Values]:
        return [seen for seen in sequence_of(self.details.get("health")) if isinstance(seen, Mapping)]


def _name(program: object) -> str:
    """Of a program as its name, as a mapping with a `name`, or as a sequence that begins with it."""
    if isinstance(program, Mapping):
        program = program.get("name")
    if isinstance(program, list | tuple) and program:
        program = program[0]
    return program if isinstance(program, str) else ""


def _no_effect(done: Done) -> str:
    return "The technique changed nothing that could be seen: its figures are the baseline's."


def _partly_effective(done: Done) -> str:
    idle = ", ".join(key for key, effect in done.effects if effect == "no")
    if idle:
        return f"Of this combination, {idle} changed nothing that could be seen; the others did the work."
    return "The technique reached only a part of the model; the evidence says which."


def _disturbed(done: Done) -> str:
    """What disturbed the timing, and the mend; empty where nothing was seen."""
    for figure, limit, text in (
        ("others_cores", health.BUSY_CORES, _busy_machine),
        ("stolen_share", health.STEAL_SHARE, _cpu_stolen),
        ("throttled_share", health.THROTTLED_SHARE, _cpu_throttled),
        ("swapped_mb", health.SWAPPED_MB, _swapping),
    ):
        if done.worst(figure) > limit:
            return text(done)
    return ""


def _noisy(done: Done) -> str:
    text = "The control, a second baseline, may differ from it by over 5 %. "
    seen = _disturbed(done)
    if seen:
        return text + seen
    text += "No other program was seen to disturb, so it is the machine (its clock, power saving, heat) or a few "
    # What was precise enough was not ended by want of time.
    wide = "wide-interval" in str(done.row.get("warnings") or "")
    return text + f"unlike processes. {_more_time(done) if wide else 'Measure again at another hour.'}"


def _busy_machine(done: Done) -> str:
    whom = f"Other programs ({done.programs})" if done.programs else "Other programs"
    cores = f"up to {done.worst('others_cores'):.1f} cores" if done.worst("others_cores") else "the processor"
    return f"{whom} kept {cores} busy while this was timed: end them and measure again."


def _cpu_stolen(done: Done) -> str:
    share = f"up to {done.worst('stolen_share'):.0%} of the" if done.worst("stolen_share") else "some"
    return f"Other virtual machines took {share} processor time while this was timed: measure at a quieter hour."


def _cpu_throttled(done: Done) -> str:
    share = f" for {done.worst('throttled_share'):.0%} of the time" if done.worst("throttled_share") else ""
    threads = int(number_of(done.row.get("threads")) or 1)
    fewer = f", or use fewer than {threads} threads" if threads > 1 else ""
    return f"The container's quota held the processor back{share}: raise the quota{fewer}."


def _swapping(done: Done) -> str:
    text = "Memory was swapped while this was timed: end other programs, or choose fewer variants at once"
    batch = int(number_of(done.row.get("batch_size")) or 1)
    return text + (f", or a smaller batch than {batch}." if batch > 1 else ".")


def _too_hot(done: Done) -> str:
    return "The processor was slowed down for its heat while this was timed: cool it, and measure again."


def _hardly_still(done: Done) -> str:
    text = (
        "Nearly all the time that this was timed, handing work from core to core took longer than it does undisturbed: "
        "the figures are of a disturbed machine. "
    )
    return text + (_disturbed(done) or "Nothing was seen to run beside it, so it was the host: measure again later.")


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
    if verdict in ("kept", "lost") and done.row.get("variant") != "baseline":
        band = f"{'within' if verdict == 'kept' else 'by more than'} the study's {tolerance_of(done.asked):g} pp"
        return (
            f"Accuracy was measured on {rows}, enough to tell that it is {verdict} ({band}); the preset article uses "
            "all."
        )
    return f"Accuracy was measured on {rows}; the preset article uses all."


def _wide_interval(done: Done) -> str:
    precision = done.effort("precision") or 0.02
    low, high = (number_of(done.row.get(f"speedup_ci_{end}")) or 0.0 for end in ("low", "high"))
    half = math.sqrt(high / low) - 1 if 0 < low < high else None
    own = "wider" if half is None else f"±{100 * half:.3g} %, wider"
    text = f"The interval is {own} than the ±{100 * precision:g} % asked for. "
    seen = _disturbed(done)
    if half is not None and half < HARDLY_WIDER * precision and not seen:
        return f"{text}That is hardly worth more time."
    return text + " ".join(filter(None, (seen, _more_time(done))))


def _few_replicates(done: Done) -> str:
    text = f"Fewer than {FEW_REPLICATES} processes timed this row, so its interval is wide or missing. "
    planned = int(done.effort("replicates") or 0)
    if 0 < planned < FEW_REPLICATES:
        return text + f"The study asked for {planned} only: ask for more, or take a preset as it is."
    return text + _more_time(done)


def _more_time(done: Done) -> str:
    """What ended the timing, and how it can go on for longer."""
    used, most, budget_s = done.replicates, done.most_replicates, done.budget_s
    if not used or not most:
        return "Measure again, with a larger budget."
    planned = int(done.effort("replicates") or 0)
    if used < planned:  # which no budget cuts short
        return f"The study ended before all {planned} planned processes had timed it: run it again."
    if used < most and budget_s is not None:
        own = number_of(done.asked.get("budget_s")) is not None
        whose = "The budget" if own else f"The preset {done.preset}'s limit"
        more = "raise it, such as to" if own else "give a budget of more, such as"
        return (
            f"{whose} of {budget_s:,.0f} s ended it after {used} of at most {most} processes: "
            f"{more} {_twice(budget_s):,} s."
        )
    if used < most:
        return f"It ended after {used} of at most {most} processes: run the study again."
    usual = next((effort.precision for preset, effort in _efforts(done).items() if preset == done.preset), None)
    if usual is not None and (done.effort("precision") or usual) < usual:
        return (
            f"All {most} processes that so narrow an interval should take were used: this machine takes more. Ask for "
            "a wider one, or measure when it is quieter."
        )
    for preset, effort in _efforts(done).items():
        if preset != done.preset and effort.most_replicates > most:
            return (
                f"All {most} processes that the study allows were used: raise their number with the preset {preset}, "
                f"which allows {effort.most_replicates}."
            )
    return (
        f"All {most} processes were used, as many as the longest preset has: more time is unlikely to help. Hold the "
        "clock steady (no power saving, no boost), or take another machine; else this is as well as it is known here."
    )


def _efforts(done: Done) -> dict[Preset, Effort]:
    """Of the presets of the row's phase, the shortest first."""
    if done.row.get("phase") == "training":
        return TRAINING_EFFORTS
    return {preset: effort for preset, (_, effort) in PRESETS.items()}


def _twice(seconds: float) -> int:
    return max(60, 30 * math.ceil(2 * seconds / 30))


HINTS: dict[str, Callable[[Done], str]] = {
    "no-effect": _no_effect,
    "partly-effective": _partly_effective,
    "noisy": _noisy,
    "busy-machine": _busy_machine,
    "cpu-stolen": _cpu_stolen,
    "cpu-throttled": _cpu_throttled,
    "swapping": _swapping,
    "too-hot": _too_hot,
    "disturbed": _hardly_still,
    "beyond-ceiling": _beyond_ceiling,
    "test-subset": _test_subset,
    "wide-interval": _wide_interval,
    "few-replicates": _few_replicates,
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
    "disturbed": "Hardly a round was undisturbed: others had the cores, or the host kept them far apart.",
    "beyond-ceiling": "The machine's peak was measured while it was busy: a call seems to do more than it can.",
    "test-subset": "Accuracy was measured on the first rows of the test set.",
    "wide-interval": "The interval is wider than asked for.",
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

    `replicates` is how many count, `disturbed` whether too few of them were undisturbed (`analysis.stillness`), and
    `ceiling_pct` the share of the machine's peak that it reaches.
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
