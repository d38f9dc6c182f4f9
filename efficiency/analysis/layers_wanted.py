"""Where it is worth finding out which layers cost the accuracy: INT8 with calibrated ranges lost some, and mixed INT8,
which finds those layers and leaves them in FP32, was not tried. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from efficiency import techniques, workloads
from efficiency.analysis.kept import mapping_of, sequence_of
from efficiency.condition import Condition
from efficiency.machine import this_machine

MIXED, STATIC = "mixed-int8", "static-int8"
Values = Mapping[Any, Any]


def wanted(row: Values, tried: Iterable[str]) -> bool:
    """Whether this row is such a case; `tried` are the keys of the variants that were tried on its workload."""
    return (
        str(row.get("accuracy_verdict")) == "lost"
        and _calibrated(row)
        and not any(MIXED in variant.split("+") for variant in tried)
        and _applies(row)
    )


def asked_for(asked: Values) -> list[str]:
    """Keys of the variants that a study asked for; a document of another origin may hold anything."""
    variants = (mapping_of(one) for one in sequence_of(asked.get("variants")))
    return ["+".join(map(str, sequence_of(one.get("techniques")))) for one in variants]


def said(row: Values) -> str:
    """What to try, for a row that is such a case."""
    label = " + ".join(techniques.get(key).label for key in _keys(row))
    return (
        f"{label} loses accuracy. Mixed INT8, which this study did not try, finds the layers that cost it, shows what "
        "each costs, and leaves as few of them in FP32 as keep the accuracy: plan a study with it."
    )


def _keys(row: Values) -> list[str]:
    return [key for key in str(row.get("variant")).split("+") if key in techniques.TECHNIQUES]


def _calibrated(row: Values) -> bool:
    """Whether its ranges were calibrated: by PyTorch, PT2E, ONNX Runtime or OpenVINO."""
    chosen = (techniques.get(key) for key in _keys(row))
    return any(one.arithmetic == "int8" and one.learns_from == "calibration" for one in chosen)


def _applies(row: Values) -> bool:
    """Whether mixed INT8 applies here. A user's own file is not run to tell: it does where static INT8 did."""
    declared = workloads.WORKLOADS.get(str(row.get("workload")))
    if declared is None:
        return STATIC in _keys(row)
    condition = Condition(
        "cpu" if row.get("device") == "cpu" else "cuda",
        phase="training" if row.get("phase") == "training" else "inference",
    )
    return techniques.get(MIXED).why_not(declared, condition, this_machine()) is None
