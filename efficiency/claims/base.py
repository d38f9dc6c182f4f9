"""What a claim of the article is: a question over stored results, asked case by case. No torch here.

A claim holds no verdict. Its `judge` is given what was measured on this machine and answers with a case for
every workload, and where it matters for every condition, that the claim speaks of. Every figure is turned such that
the claim holds above its line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from efficiency.analysis.wording import number
from efficiency.condition import Condition
from efficiency.study import Variant

if TYPE_CHECKING:
    from efficiency.claims.here import Here

Verdict = Literal["holds", "in-part", "does-not-hold", "unresolved", "not-measured", "not-testable"]
WORDS: dict[Verdict, str] = {
    "holds": "holds here",
    "in-part": "holds in part",
    "does-not-hold": "does not hold here",
    "unresolved": "unresolved",
    "not-measured": "not measured yet",
    "not-testable": "not testable here",
}
"""`in-part` is said of a claim alone, never of a case."""


@dataclass(frozen=True)
class Figure:
    """What was measured and the line that it is held against; the claim holds above it."""

    value: float
    line: float
    unit: Literal["x", "pp"] = "x"
    low: float | None = None
    """The 95 % interval; None where a figure was measured once."""
    high: float | None = None

    def said(self) -> str:
        """`2.86x [2.81, 2.90]`, `+0.15 pp [-0.10, +0.40]`, `3.6x`."""
        if self.unit == "pp":
            text = f"{self.value + 0.0:+.2f} pp"
            return text if self.low is None else f"{text} [{self.low:+.2f}, {self.high:+.2f}]"
        text = number(self.value, "x")
        return text if self.low is None else f"{self.value:.2f}x [{self.low:.2f}, {self.high:.2f}]"

    def line_said(self) -> str:
        """`2x`, `0 pp`."""
        return f"{self.line:g}{' pp' if self.unit == 'pp' else 'x'}"


@dataclass(frozen=True)
class Need:
    """Rows that a question rests on: these variants of a workload, timed together with the baseline."""

    workload: str
    condition: Condition = field(default_factory=Condition)
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Behind:
    """A row that a verdict rests on, and where it is found."""

    label: str
    study_id: str
    row_id: int


@dataclass(frozen=True)
class Case:
    """The verdict on a claim for one workload under one condition."""

    label: str
    workload: str
    verdict: Verdict
    why: str
    figure: Figure | None = None
    behind: tuple[Behind, ...] = ()
    """What the claim is about first."""
    needs: tuple[Need, ...] = ()
    """What would have to be measured to judge it, where that is missing."""
    needs_ceiling: bool = False
    """Whether what the machine can do at most is missing."""
    needs_drift: bool = False
    """Whether a measurement of drift of its workload is missing."""
    shift: str = ""
    """The shift of the data that it is about, where it rests on a measurement of drift in place of rows."""
    of_peaks: bool = False
    """Whether it rests on what the machine can do at most, which the page Machine shows, in place of rows."""


@dataclass(frozen=True)
class Claim:
    """One thing that the article says, restated so that a machine can decide it."""

    key: str
    says: str
    compares: str
    line: str
    """Where the verdict turns, in words."""
    judge: Callable[[Here], list[Case]]
    in_some: bool = False
    """Whether it is said of some cases only, so that one in which it holds is enough."""


@dataclass(frozen=True)
class Judged:
    """A claim with its cases on this machine, and one word for all of them."""

    claim: Claim
    cases: tuple[Case, ...]
    verdict: Verdict

    @property
    def needs(self) -> list[Need]:
        """What is missing, each once."""
        return list(dict.fromkeys(need for case in self.cases for need in case.needs))

    @property
    def needs_ceiling(self) -> bool:
        return any(case.needs_ceiling for case in self.cases)

    @property
    def needs_drift(self) -> list[str]:
        """Workloads of which a measurement of drift is missing, each once."""
        return list(dict.fromkeys(case.workload for case in self.cases if case.needs_drift))


def overall(verdicts: Iterable[Verdict], in_some: bool = False) -> Verdict:
    """One word for a claim. Cases that cannot be tested, or are not measured yet, have no say where others have.

    A claim about some cases holds where it does in one, and does not where all are measured and none holds.
    """
    found = set(verdicts)
    judged = found - {"not-testable", "not-measured"}
    if not judged:
        return "not-measured" if "not-measured" in found else "not-testable"
    if in_some:
        if "holds" in judged:
            return "holds"
        if "not-measured" in found:
            return "not-measured"
        return "unresolved" if "unresolved" in judged else "does-not-hold"
    if len(judged) == 1:
        return judged.pop()
    return "in-part" if {"holds", "does-not-hold"} <= judged else "unresolved"


def judged(claim: Claim, here: Here) -> Judged:
    """Ask this machine's results."""
    cases = claim.judge(here)
    return Judged(claim, tuple(cases), overall((case.verdict for case in cases), claim.in_some))


def summary(found: Sequence[Judged]) -> str:
    """`Of 19 claims 7 hold here, 2 do not hold here, ...`."""
    plural: dict[Verdict, str] = {"holds": "hold here", "in-part": "hold in part", "does-not-hold": "do not hold here"}
    told = []
    for verdict, word in WORDS.items():
        if count := sum(one.verdict == verdict for one in found):
            one, many = (word, plural[verdict]) if verdict in plural else (f"is {word}", f"are {word}")
            told.append(f"{count} {one if count == 1 else many}")
    return f"Of {len(found)} claims {', '.join(told[:-1])}{' and ' if len(told) > 1 else ''}{told[-1]}."
