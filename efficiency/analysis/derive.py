"""From what was measured of a heat to the columns of its rows.

Everything here can be derived again from raw samples and answers; nothing is measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from efficiency.analysis import accuracy, notes, pareto, speed, stillness
from efficiency.analysis.kept import number_of
from efficiency.effort import PRECISION_PCT
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.health import Health
from efficiency.tolerance import TOLERANCE_PP


@dataclass
class Measured:
    """What is known of one variant under one condition; None where it is not known."""

    variant: str
    control: bool
    batch_size: int
    status: str
    reason: str = ""
    predicted: NDArray[np.integer] | None = None
    labels: NDArray[np.integer] | None = None
    logits_snr_db: float | None = None
    size_bytes: int | None = None
    prepare_s: float | None = None
    load_s: float | None = None
    first_call_ms: float | None = None
    peak_memory_mb: float | None = None
    energy_mj: float | None = None
    energy_source: str | None = None
    samples: NDArray[np.int64] | None = None
    felt: stillness.Felt | None = None
    """The machine's pulse while the heat was timed; kept with its baseline."""
    best_ns: float | None = None
    """What a handoff takes undisturbed, as far as the whole study knows; kept with the baseline, too."""
    attainable_ms: float | None = None
    """The least time of a call on this hardware (`roofline.attainable`)."""
    health: list[Health] = field(default_factory=list)
    """Of the machine, during each replicate."""
    evidence: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    on_subset: bool = False
    luck_pp: float | None = None
    """How far the accuracy of the same training lies from this one's when its batches come in another order, in
    percentage points; kept with the baseline of a training study."""
    fp32_variant: str | None = None
    """The variant of the same runtime in FP32 (`compose.same_runtime_in_fp32`), which may or may not be in the heat."""


@dataclass(frozen=True)
class Judge:
    """What a heat's speed-ups and its accuracies are judged by."""

    floor: float
    precision: float
    threshold: float
    tolerance_pp: float
    equivalence_pct: float
    has_control: bool
    """Without one the floor is 1 for want of anything better, which is not a finding."""


Columns = dict[str, object]


def took_effect(measured: Measured) -> str | None:
    """One word for all techniques of the variant; None for the baseline, which claims none."""
    words = {str(shown["took_effect"]) for shown in measured.evidence.values()}
    if not words:
        return None
    return words.pop() if len(words) == 1 else "partly"


def threshold(heats: list[list[Measured]]) -> float:
    """The p value up to which speed-ups of a study count as differences (`speed.discovery_threshold`).

    Each heat has its baseline first. The control asks whether the machine is quiet, not whether a technique works.
    """
    p_values = []
    for baseline, *others in heats:
        rows = [row for row in others if row.status != "failed" and not row.control]
        ratios = [_speed_up(baseline, row) for row in rows]
        p_values += [ratio.p_value for ratio in ratios if ratio is not None]
    return speed.discovery_threshold(p_values)


def heat(
    rows: list[Measured],
    precision: float = PRECISION_PCT / 100,
    threshold: float = speed.FALSE_DISCOVERIES,
    tolerance_pp: float = TOLERANCE_PP,
    equivalence_pct: float = EQUIVALENCE_PCT,
) -> list[Columns]:
    """The outcome columns of rows that share workload and condition, in the same order.

    The first row is the baseline; a row whose variant is the control sets the noise floor. A speed-up that is
    known less well than to within `precision` of itself has a warning. The rest is the study's own.
    """
    # A variant that was dropped while it was timed keeps its samples, but no figure rests on them.
    rows = [replace(row, samples=None) if row.status == "failed" else row for row in rows]
    baseline = rows[0]
    ratios = [_speed_up(baseline, row) for row in rows[1:]]
    of_control = next((ratio for row, ratio in zip(rows[1:], ratios, strict=True) if row.control), None)
    judge = Judge(
        speed.noise_floor(of_control),
        precision,
        threshold,
        tolerance_pp,
        equivalence_pct,
        of_control is not None,
    )
    derived = [_columns(row, baseline, ratio, judge) for row, ratio in zip(rows, [None, *ratios], strict=True)]
    for row, columns in zip(rows, derived, strict=True):
        columns.update(_runtime_columns(row, columns, rows, derived))
    _mark_front(rows, derived)
    return derived


def _speed_up(reference: Measured, row: Measured, unlike: float = 0.0) -> speed.SpeedUp | None:
    """Of a row against another of its heat; `unlike` as in `speed.speed_up`."""
    if reference.samples is None or row.samples is None:
        return None
    return speed.speed_up(reference.samples, row.samples, unlike)


def _columns(row: Measured, baseline: Measured, ratio: speed.SpeedUp | None, judge: Judge) -> Columns:
    columns: Columns = {
        "status": row.status,
        "reason": row.reason or None,
        "prepare_s": row.prepare_s,
        "load_s": row.load_s,
        "first_call_ms": row.first_call_ms,
        "peak_memory_mb": row.peak_memory_mb,
        "logits_snr_db": row.logits_snr_db,
        "energy_mj": row.energy_mj,
        "energy_source": row.energy_source,
        "took_effect": took_effect(row),
        **_accuracy_columns(row, baseline, judge),
        **_size_columns(row, baseline),
        **_speed_columns(row, baseline, ratio, judge),
    }
    wide = ratio is not None and ratio.precision > judge.precision
    disturbed = row.samples is not None and stillness.during(baseline.felt, row.samples, baseline.best_ns)
    replicates, ceiling_pct = columns.get("replicates"), columns.get("ceiling_pct")
    warnings = notes.of(row, took_effect(row), judge.floor, replicates, wide, disturbed, ceiling_pct)
    columns["warnings"] = ";".join(warnings) or None
    return columns


def _accuracy_columns(row: Measured, baseline: Measured, judge: Judge) -> Columns:
    if row.predicted is None or row.labels is None:
        return {}
    own = accuracy.share(row.predicted, row.labels)
    columns: Columns = {
        "accuracy_pct": own.pct,
        "accuracy_ci_low_pct": own.low_pct,
        "accuracy_ci_high_pct": own.high_pct,
    }
    if baseline.predicted is None:
        return columns
    if row is baseline:
        return columns | {
            "accuracy_delta_pp": 0.0,
            "accuracy_delta_ci_low_pp": 0.0,
            "accuracy_delta_ci_high_pp": 0.0,
            "accuracy_verdict": "kept",
            "agreement_pct": 100.0,
        }
    change = accuracy.difference(row.predicted, baseline.predicted, row.labels)
    return columns | {
        "accuracy_delta_pp": change.delta_pp,
        "accuracy_delta_ci_low_pp": change.low_pp,
        "accuracy_delta_ci_high_pp": change.high_pp,
        "accuracy_verdict": accuracy.verdict(change, judge.tolerance_pp, _luck_pp(baseline, row.labels)),
        "agreement_pct": change.agreement_pct,
    }


def _luck_pp(baseline: Measured, labels: NDArray[np.integer]) -> float:
    """As `accuracy.verdict` takes it; 0 where nothing is trained."""
    if baseline.luck_pp is None:
        return 0.0
    learned = baseline.predicted is not None and accuracy.beats_guessing(baseline.predicted, labels)
    return baseline.luck_pp if learned else math.inf


def _size_columns(row: Measured, baseline: Measured) -> Columns:
    if row.size_bytes is None:
        return {}
    columns: Columns = {"size_mb": row.size_bytes / 1e6}
    if baseline.size_bytes:
        columns["size_ratio"] = baseline.size_bytes / row.size_bytes
    return columns


def _speed_columns(row: Measured, baseline: Measured, ratio: speed.SpeedUp | None, judge: Judge) -> Columns:
    if row.samples is None or not len(row.samples):
        return {}
    times = speed.latency(row.samples)
    columns: Columns = {
        "latency_ms_p50": times.p50_ms,
        "latency_ms_p90": times.p90_ms,
        "latency_ms_p99": times.p99_ms,
        "latency_ms_p99_ci_low": times.p99_low_ms,
        "latency_ms_p99_ci_high": times.p99_high_ms,
        "throughput_per_s": 1e3 * row.batch_size / times.p50_ms,
        "replicates": ratio.replicates if ratio else len(np.unique(row.samples[:, 0])),
        "ceiling_pct": None if row.attainable_ms is None else 100 * row.attainable_ms / times.p50_ms,
        "noise_floor_pct": 100 * (judge.floor - 1) if judge.has_control else None,
    }
    if row is baseline:
        return columns | {
            "speedup": 1.0,
            "speedup_ci_low": 1.0,
            "speedup_ci_high": 1.0,
            "speedup_precision_pct": 0.0,
            "speed_verdict": "same",
        }
    if ratio is None:
        return columns
    # The control is judged by the band alone: it is what the floor is made of.
    floor, threshold = (1.0, speed.FALSE_DISCOVERIES) if row.control else (judge.floor, judge.threshold)
    verdict = speed.verdict(ratio, floor, threshold, judge.equivalence_pct)
    columns |= {
        "speedup": ratio.estimate,
        "speedup_ci_low": ratio.low,
        "speedup_ci_high": ratio.high,
        "speedup_precision_pct": 100 * ratio.precision,
        "speed_verdict": verdict,
    }
    if verdict == "faster" and row.prepare_s is not None and baseline.samples is not None:
        saved_ms = speed.latency(baseline.samples).p50_ms * (1 - 1 / ratio.estimate)
        columns["break_even_calls"] = math.ceil(1e3 * (row.prepare_s + _extra_load_s(row, baseline)) / saved_ms)
    return columns


def _runtime_columns(row: Measured, own: Columns, rows: Sequence[Measured], derived: Sequence[Columns]) -> Columns:
    """The speed-up over the same runtime in FP32, by the same rounds; `own` and `derived` are known so far."""
    place = next((place for place, other in enumerate(rows) if other.variant == row.fp32_variant), None)
    if place is None:
        return {}
    speed_ups = [number_of(columns.get("speedup")) or 0.0 for columns in (own, derived[place])]
    ratio = _speed_up(rows[place], row, speed.how_unlike(*speed_ups))
    if ratio is None:
        return {}
    return {
        "runtime_speedup": ratio.estimate,
        "runtime_speedup_ci_low": ratio.low,
        "runtime_speedup_ci_high": ratio.high,
    }


def _extra_load_s(row: Measured, baseline: Measured) -> float:
    """How much longer the variant takes to load; loading sooner pays for no preparation, which came before."""
    if row.load_s is None or baseline.load_s is None:
        return 0.0
    return max(0.0, row.load_s - baseline.load_s)


def _mark_front(rows: list[Measured], derived: list[Columns]) -> None:
    """Set `on_pareto_front` of the finished rows; the control is never on it."""
    candidates: list[tuple[Columns, pareto.Point]] = []
    for row, columns in zip(rows, derived, strict=True):
        if row.status != "done":
            continue
        columns["on_pareto_front"] = False
        point = pareto.point(columns)
        if point is not None and not row.control:
            candidates.append((columns, point))
    for (columns, _), flag in zip(candidates, pareto.front([p for _, p in candidates]), strict=True):
        columns["on_pareto_front"] = flag
