"""Claims as a JSON document: every verdict with its figure, its reason and the rows behind it; the three kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from efficiency.claims import kinds, plan
from efficiency.claims.base import WORDS, Case, Judged, summary
from efficiency.claims.here import Here
from efficiency.machine import Machine


def of(found: Sequence[Judged], here: Here) -> dict[str, Any]:
    """Ready for `json.dumps`; what is unknown is null. `found` is what was judged by `here`."""
    machine = here.machine
    return {
        "machine": machine.as_dict(),
        "summary": summary(found),
        "claims": [
            {
                "key": one.claim.key,
                "says": one.claim.says,
                "compares": one.claim.compares,
                "line": one.claim.line,
                "verdict": one.verdict,
                "words": WORDS[one.verdict],
                **_missing([one], machine),
                "cases": [_case(case) for case in one.cases],
            }
            for one in found
        ],
        "kinds": kinds.figures(here),
        **_missing(found, machine),
    }


def _missing(found: Sequence[Judged], machine: Machine) -> dict[str, float]:
    """Seconds that measuring what they miss takes as planned, and at most; 0 for nothing."""
    asked = plan.studies(plan.missing(found), machine)
    return {
        "missing_s": round(plan.seconds(asked, machine), 1),
        "missing_most_s": round(plan.most_seconds(asked, machine), 1),
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "label": case.label,
        "workload": case.workload or None,
        "verdict": case.verdict,
        "why": case.why,
        "figure": None if case.figure is None else asdict(case.figure),
        "rows": [asdict(row) for row in case.behind],
        "shift": case.shift or None,
        "of_peaks": case.of_peaks,
    }
