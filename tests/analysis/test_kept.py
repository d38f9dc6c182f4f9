"""Details may hold any JSON: whatever stands where something was expected, pages say less, and none of them breaks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from efficiency import artefact, layers_chart
from efficiency.analysis import (
    answers,
    kernels,
    layers,
    notes,
    preparation,
    roofline,
    runtime_gain,
    stillness,
    tables,
    training,
    why,
    wording,
)
from efficiency.analysis.case import Case
from efficiency.analysis.kept import number_of
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE

DETAILS: dict[str, Any] = {
    "evidence": {
        "mixed-int8": {
            "took_effect": "partly", "reason": "Half of it.", "figures": {"int8_mac_share": 0.5, "conversions": 2.0},
            "layers": [{"name": "0", "kind": "Conv2d", "gain": 0.5, "in_fp32": True}],
        }
    },
    "logits": {"snr_db": 40.0, "why_not": None},
    "kernels": {
        "ran": [["convolution", "avx512_core_vnni", 8], ["reorder", "", 4]], "onednn_limit": "AVX2",
        "cpu_capability": "AVX512", "quantized_engine": "onednn",
    },
    "prepared": {"at": "2026-01-05T10:00:00+00:00", "from_cache": True, "key": "abc"},
    "size_of": "state",
    "answers_of": "batch 1",
    "test_rows": 2_000,
    "test_rows_at_hand": 7_000,
    "work": {"arithmetic": "int8", "bytes": 1e6, "ms": 0.1, "limited_by": "memory", "device": "cpu"},
    "energy": {
        "mj": 1.0, "low_mj": 0.9, "high_mj": 1.1, "windows": 3, "with_idle_mj": 2.0, "idle_w": 5.0, "source": "RAPL",
        "reason": None,
    },
    "health": [{"others_cores": 2.0, "stolen_share": 0.5, "swapped_mb": 9.0, "busiest": [["chrome", 1.5]]}],
    "pulse": {"replicate": [0, 0], "round": [0, 1], "handoff_ns": [1_000, 2_000], "best_ns": 1_000.0},
    "training": {
        "steps": 32, "rows": 512, "losses": [2.0, 1.0], "beats_guessing": False,
        "reordered": {"losses": [2.1, 1.1], "accuracy_pct": 83.0},
    },
}  # fmt: skip
NONSENSE: tuple[Any, ...] = (None, "x", "", [], {}, [1, "x", None, {}], {"x": 1}, True, -1, 10**400, 1e300)
ROW = {
    "row_id": 0, "study_id": "s", "variant": BASELINE, "variant_label": "Mixed INT8", "workload": "lstm-classifier",
    "dataset": "d", "condition": "c", "status": "done", "speed_verdict": "unresolved", "speedup": 1.005,
    "speedup_ci_low": 0.98, "speedup_ci_high": 1.03, "accuracy_pct": 90.0, "accuracy_verdict": "kept",
    "latency_ms_p50": 2.0, "ceiling_pct": 40.0, "prepare_s": 1.0, "peak_memory_mb": 300.0, "throughput_per_s": 1.0,
    "energy_mj": 1.0, "device": "cpu", "batch_size": 1, "threads": 2, "replicates": 2, "reason": "",
    "warnings": ";".join(notes.MEANINGS),
}  # fmt: skip
GAIN = ROW | {
    "variant": "mixed-int8+optimize-for-inference", "runtime_speedup": 1.5, "runtime_speedup_ci_low": 1.4,
    "runtime_speedup_ci_high": 1.6,
}  # fmt: skip
STUDY = StudyRecord("s", "", "2026-01-05", "done", "", {}, {}, "2.13", "1", "", False)


def places(kept: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in it."""
    if path:
        yield path
    inside = kept.items() if isinstance(kept, dict) else enumerate(kept) if isinstance(kept, list) else ()
    for name, value in inside:
        yield from places(value, (*path, name))


def replaced(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The details with something else in that place; without it where `value` is Ellipsis."""
    found = copy.deepcopy(DETAILS)
    *way, last = path
    inside: Any = found
    for name in way:
        inside = inside[name]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return found


def said(kept: dict[str, Any]) -> str:
    """All that pages and commands say of a row with such details."""
    panel, of_row = pd.DataFrame([ROW]), {0: kept}
    found = layers.of(kept)
    told: list[object] = [
        training.curves(panel, of_row), training.luck(panel, of_row), training.outcome(panel, of_row),
        preparation.said(kept, 1.0), preparation.size_said(kept), preparation.answers_said(kept), kernels.said(kept),
        roofline.sentence(40.0, kept["work"]) if isinstance(kept.get("work"), dict) else "",
        answers.logits_said(kept.get("logits")), wording.energy(kept.get("energy")), tables.evidence(kept),
        notes.hints(ROW, {}, kept), stillness.of_heat(kept), runtime_gain.said(GAIN, kept),
        artefact.why_not(ROW, STUDY, kept),
    ]  # fmt: skip
    if len(found):
        told += [layers.table(found), layers.said(found), layers_chart.bars(found)]
    for variant in ("mixed-int8", "channels-last"):
        told += why.reasons(Case(ROW | {"variant": variant}, kept, {}, (ROW,), kept))
    return " ".join(map(str, told))


def test_what_is_as_it_should_be_is_said() -> None:
    text = said(DETAILS)
    for part in (
        "After 32 steps over 512 rows", "Prepared on 5 Jan 2026, taken from the cache", "1 layers, in FP32: 0;",
        "8 × convolution in AVX512-VNNI", "40 dB", "An example takes 1.00 mJ", "for batch 1", "50% of the multiply-acc",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize("path", list(places(DETAILS)), ids=lambda path: ".".join(map(str, path)))
def test_whatever_stands_in_a_place_nothing_breaks(path: tuple[Any, ...]) -> None:
    for value in (..., *NONSENSE):
        kept = replaced(path, value)
        said(json.loads(json.dumps(kept)))


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (None, None), (float("nan"), None), (10**400, None), ([], None)],
)
def test_only_a_finite_number_is_a_number(value: object, number: float | None) -> None:
    assert number_of(value) == number
