"""What the article claims of distribution drift, which no study of this version measures."""

from __future__ import annotations

from functools import partial

from efficiency.claims import asking
from efficiency.claims.base import Case, Claim
from efficiency.claims.dynamic import TRANSFORMER
from efficiency.claims.here import Here
from efficiency.results.columns import COLUMNS


def why_not() -> str:
    """A result that said how far its data had drifted would have a column for it."""
    named = [name for name in COLUMNS if "drift" in name]
    if named:
        return f"Results have {', '.join(named)}, of which this claim asks nothing; update the program."
    return "Accuracy under drift is not measured in this version: no result says how far its data have drifted."


def _drifted(here: Here, workloads_of: tuple[str, ...]) -> list[Case]:
    return [Case(asking.label_of(workload), workload, "not-testable", why_not()) for workload in workloads_of]


CLAIMS = (
    Claim(
        "dynamic-drift",
        "Dynamic quantization copes better with data that drift, and so keeps more accuracy.",
        "Accuracy lost beyond what FP32 loses at the same grade of drift: static less dynamic.",
        "above 0 pp",
        partial(_drifted, workloads_of=(TRANSFORMER,)),
    ),
    Claim(
        "static-recalibrate",
        "Static quantization may have to be calibrated again and again as data drift.",
        "Accuracy under drift: calibrated once against calibrated again on drifted rows without labels.",
        "calibrating again wins back accuracy beyond what FP32 lost",
        partial(_drifted, workloads_of=("vision-small-cnn", TRANSFORMER)),
    ),
)
