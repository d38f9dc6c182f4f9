"""`compare A B --fail-if-slower PERCENT`: what fails, what was not compared, and what no ratio of speed-ups shows.

Two things fail: a variant that surely takes over PERCENT longer, and one that A measured, that B was to measure and did
not. What B did not ask for, or what does not apply where B ran, is named and fails nothing. Where the machine was
disturbed, a variant that looks that much slower can't be judged: that does not pass, and has an exit code of its own.

Where a baseline itself got slower, its variants' speed-ups may stay as they were. That is said and fails nothing
either, since two studies do not hold what it would be judged by: their intervals know how the processes of one run
differ, and on one machine the LSTM's baseline wanders between 6.5 and 7.6 ms (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from efficiency.analysis import compare_words, views, wording
from efficiency.analysis.compare import Compared, longer_by, one_machine
from efficiency.condition import of_row
from efficiency.errors import BadRequest
from efficiency.study import BASELINE, Study

if TYPE_CHECKING:
    from efficiency.results.store import StudyRecord

_NAMED = ["workload", "condition", "variant", "why"]
UNMEASURED = ("failed", "cancelled")
"""Of a row of B that was to be measured."""
FAILED, NOT_JUDGED = 1, 3
"""Exit codes."""
NO_INTERVAL = "timed too little for an interval"


@dataclass(frozen=True)
class Gate:
    """What is judged, by frames of `Compared`."""

    percent: float
    compared: Compared
    slower: pd.DataFrame
    not_judged: pd.DataFrame
    """Those that look that much slower, timed while the machine was disturbed."""
    unmeasured: pd.DataFrame
    """A measured it, and B was to and did not; with `why`."""
    not_compared: pd.DataFrame
    """What else A measured and nothing is said of; with `why`."""
    baselines: pd.DataFrame
    """Those that themselves take over `percent` longer, beyond both noise floors and what the processes show."""
    same_machine: bool
    """Whether both are known to have run on one."""

    @property
    def fails(self) -> bool:
        """Whether something surely got slower, or is missing."""
        return bool(len(self.slower) or len(self.unmeasured))

    @property
    def exit_code(self) -> int:
        """Of the command."""
        if self.fails:
            return FAILED
        return NOT_JUDGED if len(self.not_judged) or (self.disturbed and self.undisturbed.empty) else 0

    @property
    def undisturbed(self) -> pd.DataFrame:
        """What was compared and timed on an undisturbed machine in both studies."""
        found = self.compared.judged
        return found[~(found["disturbed_a"] | found["disturbed_b"])]

    @property
    def disturbed(self) -> int:
        """Variants that were timed on a disturbed machine, in either study."""
        return len(self.compared.judged) - len(self.undisturbed)


def judged(found: Compared, a: StudyRecord, b: StudyRecord, percent: float) -> Gate:
    """Study `b` held against study `a`, which it was compared with."""
    rows, alone = found.rows, found.only_a
    was_to = alone["status"].isin(UNMEASURED) | _never_reached(alone, b)
    uncertain = rows[rows["ratio"].isna() & (rows["variant"] != BASELINE)]
    baselines = rows[rows["variant"] == BASELINE]
    line = longer_by(percent)
    return Gate(
        percent,
        found,
        found.slower_by_more_than(percent),
        found.seemingly_slower_by_more_than(percent),
        alone[was_to],
        pd.concat([alone.loc[~was_to, _NAMED], uncertain.assign(why=NO_INTERVAL)[_NAMED]]),
        baselines[baselines["latency_ratio_high"] * baselines["floor"] < line],
        one_machine(a, b),
    )


def _never_reached(alone: pd.DataFrame, b: StudyRecord) -> pd.Series:
    """For each line whether B asked for it and ended before it came to it, as a study does that is killed."""
    nothing = pd.Series(False, index=alone.index)
    if b.status == "done":
        return nothing
    try:
        asked = Study.from_dict(b.asked)
    except BadRequest:
        return nothing
    variants = {BASELINE, *(variant.key for variant in asked.variants)}
    reached = [
        row["status"] == ""
        and row["workload"] in asked.workloads
        and row["variant"] in variants
        and of_row(asked.conditions, row) is not None
        for row in views.records(alone)
    ]
    return pd.Series(reached, index=alone.index, dtype=bool)


def told(gate: Gate) -> list[str]:
    """What is to be known beside the outcome, then what fails, a sentence each; the outcome is the last."""
    found = [
        f"Not compared: {workload}, {condition}: {', '.join(rows['variant'])} ({str(why).rstrip('. ')})."
        for (workload, condition, why), rows in gate.not_compared.groupby(["workload", "condition", "why"], sort=False)
    ]
    found += [_baseline(row) for row in views.records(gate.baselines)]
    found += [
        f"Measured in A and not in B: {_where(row)}: {str(row['why']).rstrip('.: ')}."
        for row in views.records(gate.unmeasured)
    ]
    found += [
        f"Slower by more than {gate.percent:g} %: {_where(row)}: {compare_words.moved(row)}."
        for row in views.records(gate.slower)
    ]
    found += [
        f"Can't tell, the machine was disturbed: {_where(row)}: {compare_words.moved(row)}."
        for row in views.records(gate.not_judged)
    ]
    return [*found, _outcome(gate)]


def _outcome(gate: Gate) -> str:
    """`Passed: of 12 variants none is surely slower by more than 5 %; 2 are unresolved.`"""
    what = f"slower by more than {gate.percent:g} %"
    again = f"measure again at a better moment (exit code {NOT_JUDGED})."
    if gate.fails:
        parts = [f"{len(gate.slower)} {what}"] if len(gate.slower) else []
        parts += [f"{len(gate.unmeasured)} not measured"] if len(gate.unmeasured) else []
        return f"Failed: {wording.listed(parts)}."
    if count := len(gate.not_judged):
        looks = "looks" if count == 1 else "look"
        return f"Not passed: {count} {looks} {what}, timed while the machine was disturbed: {again}"
    if gate.exit_code == NOT_JUDGED:
        return f"Not passed: every variant was timed while the machine was disturbed, so none is judged: {again}"
    count, unresolved = len(gate.compared.judged), list(gate.undisturbed["verdict"]).count("unresolved")
    parts = [f"{unresolved} of them unresolved" if count > 1 else "it is unresolved"] if unresolved else []
    parts += [f"{gate.disturbed} not judged, since the machine was disturbed"] if gate.disturbed else []
    of = f"of {count} variants none is" if count != 1 else "the one variant is not"
    parts += [] if gate.same_machine else ["by speed-ups alone, since the two are not known to have run on one machine"]
    return f"Passed: {of} surely {what}{''.join(f'; {part}' for part in parts)}."


def failed(gate: Gate) -> list[dict[str, Any]]:
    """What fails and why, ready for JSON: empty where the exit code is not 1."""
    rows = [*views.records(gate.slower.assign(why="slower")), *views.records(gate.unmeasured)]
    return [{name: row[name] for name in _NAMED} for row in rows]


def not_judged(gate: Gate) -> list[dict[str, Any]]:
    """What looks too slow and cannot be judged, ready for JSON."""
    return [{name: row[name] for name in _NAMED} for row in views.records(gate.not_judged.assign(why="disturbed"))]


def _where(row: Mapping[str, Any]) -> str:
    return f"{row['workload']}, {row['condition']}, {row['variant']}"


def _baseline(row: Mapping[str, Any]) -> str:
    low, high = (100 * (1 / row[f"latency_ratio_{end}"] - 1) for end in ("high", "low"))
    return (
        f"The baseline itself takes {100 * (1 / row['latency_ratio'] - 1):.0f} % longer in B: {row['workload']}, "
        f"{row['condition']}: {row['latency_ms_p50_b']:.3g} ms in place of {row['latency_ms_p50_a']:.3g} ms "
        f"({wording.interval(low, high, '%', 0)}). Speed-ups do not show that, and it fails nothing: {_why(row)}"
    )


def _why(row: Mapping[str, Any]) -> str:
    if row["disturbed_b"]:
        return "the machine was disturbed while B was timed. Run B again at a better moment."
    return "two runs on one machine may differ by as much. Run both again to be sure."
