"""What the article claims of distribution drift, asked of measurements of drift: a case for each shift of the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from efficiency import workloads
from efficiency.analysis import drift, views
from efficiency.analysis.drift import Interval
from efficiency.claims import asking
from efficiency.claims.base import Case, Claim, Figure
from efficiency.claims.dynamic import TRANSFORMER
from efficiency.claims.here import Here
from efficiency.drift import shifts
from efficiency.results.drifts import DriftRecord

DYNAMIC, STATIC = "dynamic-int8", "static-int8"
Read = Callable[[DriftRecord, str], Interval | None]
"""(a measurement, a shift's key) to a figure in pp; None where a variant of it was not measured."""


def _by_shift(here: Here, keys: tuple[str, ...], needed: tuple[str, ...], read: Read, said: str) -> list[Case]:
    """`needed` are the variants that `read` takes its figure from."""
    return [case for key in keys for case in _of_workload(here, key, needed, read, said)]


def _of_workload(here: Here, workload: str, needed: tuple[str, ...], read: Read, said: str) -> list[Case]:
    data = workloads.describe(workload).dataset(None)
    record = next((one for one in here.drifts if (one.workload, one.dataset) == (workload, data.key)), None)
    if record is None:
        why = "Missing: its accuracy under shifts of the data."
        return [Case(asking.label_of(workload), workload, "not-measured", why, needs_drift=True)]
    for variant, reason in drift.reasons(record).items():
        if variant in needed:
            failed = f"{views.variant_label(variant)} has no figures under drift: {reason}"
            return [Case(asking.label_of(workload), workload, "not-testable", failed)]
    return [_of_shift(workload, record, str(key), read, said) for key in record.asked["shifts"]]


def _of_shift(workload: str, record: DriftRecord, shift: str, read: Read, said: str) -> Case:
    label = asking.label_of(workload, shifts.get(shift).label)
    found = read(record, shift)
    if found is None:
        return Case(label, workload, "unresolved", "The measurement of drift does not hold it.", shift=shift)
    # So wide that those of all shifts hold at once: of many shifts, one would else pass by luck.
    value, low, high = drift.together(found, len(record.asked["shifts"]))
    figure = Figure(value, 0.0, "pp", low, high)
    verdict, because = asking.held(figure)
    why = f"{said.format(figure=figure.said())}, over five grades of {record.asked['test_rows']:,} rows. {because}"
    return Case(label, workload, verdict, why, figure, shift=shift)


CLAIMS = (
    Claim(
        "dynamic-drift",
        "Dynamic quantization copes better with data that drift, and so keeps more accuracy.",
        "Accuracy lost under a shift of the data: static less dynamic, on the same rows.",
        "above 0 pp",
        partial(
            _by_shift,
            keys=(TRANSFORMER,),
            needed=(DYNAMIC, STATIC),
            read=partial(drift.kept_more, ours=DYNAMIC, theirs=STATIC),
            said="Dynamic INT8 keeps {figure} more than static INT8",
        ),
    ),
    Claim(
        "static-recalibrate",
        "Static quantization may have to be calibrated again and again as data drift.",
        "Accuracy of static INT8 under a shift: calibrated anew on shifted rows without labels, less calibrated once.",
        "above 0 pp",
        partial(
            _by_shift,
            keys=("vision-small-cnn", TRANSFORMER),
            needed=(STATIC,),
            read=partial(drift.won_back, variant=STATIC),
            said="Calibrated anew, static INT8 gains {figure}",
        ),
        in_some=True,
    ),
)
