"""Writes rows as they become known: once when probed, again when the heat has been timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficiency import workloads
from efficiency.analysis import accuracy, derive, roofline, speed, stillness, training
from efficiency.analysis.derive import Measured
from efficiency.ceiling import Ceiling
from efficiency.check import Checked
from efficiency.condition import Condition
from efficiency.engine import arrays
from efficiency.health import Health
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.study import Entry, Variant
from efficiency.techniques import compose

NOT_TIMED = "Prepared, but not timed."


def _joined(before: NDArray[np.int64] | None, more: NDArray[np.int64]) -> NDArray[np.int64]:
    return more if before is None else np.concatenate([before, more])


def _same_runtime_in_fp32(variant: Variant) -> str | None:
    keys = compose.same_runtime_in_fp32(variant.techniques)
    return None if keys is None else Variant.of(keys).key


@dataclass
class _Row:
    position: int
    entry: Entry
    measured: Measured
    identity: dict[str, object]
    details: dict[str, Any] = field(default_factory=dict)
    padding_pct: float | None = None
    code_digest: str | None = None
    """Of a user's own code (`reference_content.code`); None for a built-in workload."""
    training_loss: float | None = None
    """Of the last steps (`training.loss_at_end`); None in inference."""
    work: dict[str, float] | None = None
    """Of the FP32 reference (`measure.work.Work`): the baseline's row has it."""


class StoreRecorder:
    """Keeps every row of a study in the store, derived columns and raw material both."""

    def __init__(
        self,
        store: Store,
        study_id: str,
        checked: Checked,
        machine: Machine,
        ceiling: Ceiling | None = None,
        handoffs_ns: Mapping[int, float] | None = None,
    ) -> None:
        """`handoffs_ns`: what a handoff between so many threads takes undisturbed, as far as it is known already."""
        self._store, self._study_id, self._checked, self._machine = store, study_id, checked, machine
        self._ceiling, self._handoffs_ns = ceiling, handoffs_ns or {}
        self._rows = {entry: self._new(position, entry) for position, entry in enumerate(checked.entries)}

    def _new(self, position: int, entry: Entry) -> _Row:
        workload = workloads.describe(entry.workload)
        condition, effort = entry.condition, self._checked.study.effort
        identity: dict[str, object] = {
            "machine": self._machine.label,
            "device": condition.device,
            "workload": workload.key,
            "family": workload.family,
            "model": workload.model,
            "dataset": self._checked.study.dataset_of(workload).key,
            "variant": entry.variant.key,
            "techniques": "+".join(entry.variant.techniques) or None,
            "batch_size": condition.batch_size,
            "threads": condition.threads,
            "torch_version": self._machine.torch_version,
            "length": (condition.length or workload.length) if workload.length else None,
            "phase": condition.phase,
        }
        measured = Measured(
            variant=entry.variant.key,
            control=entry.variant.control,
            batch_size=condition.batch_size,
            status="cancelled",
            reason=NOT_TIMED,
            on_subset=effort.test_rows is not None,
            fp32_variant=_same_runtime_in_fp32(entry.variant),
        )
        return _Row(position, entry, measured, identity)

    def settle(self, entry: Entry, status: str, reason: str) -> None:
        row = self._rows[entry]
        row.measured.status, row.measured.reason = status, reason
        # Beside its heat, since its figures are relative to the baseline's; with what was taken of it so far.
        self._write(self._heat_of(entry), only=row, material=True)

    def probed(self, entry: Entry, probe: dict[str, Any], cold: dict[str, Any]) -> None:
        row = self._rows[entry]
        measured = row.measured
        measured.predicted = arrays.from_text(probe["predicted"])
        measured.labels = arrays.from_text(probe["labels"])
        measured.on_subset &= len(measured.labels) < probe["test_rows_at_hand"]
        measured.size_bytes = probe["size_bytes"]
        measured.prepare_s = probe["prepare_s"]
        measured.evidence = probe["evidence"]
        measured.logits_snr_db = (probe["logits"] or {}).get("snr_db")
        measured.load_s = cold["load_s"]
        measured.first_call_ms = cold["first_call_ms"]
        measured.peak_memory_mb = cold["peak_memory_mb"]
        measured.energy_mj, measured.energy_source = cold["energy"]["mj"], cold["energy"]["source"]
        row.padding_pct, row.code_digest = probe["padding_pct"], probe["code_digest"]
        row.work = probe.get("work")
        trained = probe.get("training") or {}
        row.training_loss = training.loss_at_end(trained.get("losses"))
        if again := trained.get("reordered"):
            measured.luck_pp = abs(again["accuracy_pct"] - accuracy.share(measured.predicted, measured.labels).pct)
            trained["beats_guessing"] = accuracy.beats_guessing(measured.predicted, measured.labels)
        row.details = {
            "evidence": probe["evidence"],
            "logits": probe["logits"],
            "kernels": probe.get("kernels"),
            "prepared": probe.get("prepared"),
            "learn_s": probe.get("learn_s"),
            "size_of": probe.get("size_of"),
            "answers_of": probe.get("answers_of"),
            "test_rows": len(measured.labels),
            "energy": cold["energy"],
            "test_rows_at_hand": probe["test_rows_at_hand"],
            "evaluate_s": round(probe["evaluate_s"], 3),
            "probe_s": round(probe["wall_s"], 3),
            "cold_s": round(cold["wall_s"], 3),
        } | ({"training": trained} if trained else {})
        self._write(self._heat_of(entry), only=row, material=True)

    def timed(self, entries: Sequence[Entry], replicate: int, taken: dict[str, Any], health: Health) -> None:
        baseline = self._rows[entries[0]]
        handoff_ns = arrays.from_text(taken["handoff_ns"])
        felt = np.column_stack([np.full(len(handoff_ns), replicate), np.arange(len(handoff_ns)), handoff_ns])
        baseline.measured.felt = _joined(baseline.measured.felt, felt.astype(np.int64))
        baseline.details.setdefault("replicate_seconds", []).append(taken["seconds"])
        for entry in entries:
            row = self._rows[entry]
            pairs = arrays.from_text(taken["samples"][entry.variant.key])
            numbered = np.column_stack([np.full(len(pairs), replicate, dtype=np.int64), pairs])
            row.measured.samples = _joined(row.measured.samples, numbered)
            row.measured.health.append(health)
            row.details["health"] = [seen.as_dict() for seen in row.measured.health]

    def disturbed(self, entries: Sequence[Entry]) -> bool:
        samples = self._rows[entries[-1]].measured.samples  # of this group alone, where the heat has several
        if samples is None:
            return False
        return stillness.during(self._rows[entries[0]].measured.felt, samples, self._best_ns(entries[0]))

    def still_ns(self, entry: Entry) -> float | None:
        best_ns = self._best_ns(entry)
        return stillness.SLOWER * best_ns if best_ns else None

    def precise(self, entries: Sequence[Entry], within: float) -> bool:
        baseline, *others = (self._rows[entry].measured.samples for entry in entries)
        # One after the other: asked after every replicate, and the first that is not ends it.
        return all(
            baseline is not None
            and samples is not None
            and (ratio := speed.speed_up(baseline, samples)) is not None
            and ratio.precision <= within
            for samples in others
        )

    def _best_ns(self, entry: Entry) -> float | None:
        """What a handoff between as many threads takes undisturbed, by all heats of the study and those before it."""
        condition = entry.condition
        found = [
            stillness.undisturbed_ns(row.measured.felt)
            for row in self._rows.values()
            if row.measured.felt is not None
            and (row.entry.condition.device, row.entry.condition.threads) == (condition.device, condition.threads)
        ]
        if condition.device == "cpu" and condition.threads in self._handoffs_ns:
            found.append(self._handoffs_ns[condition.threads])
        return min(found, default=None)

    def close_heat(self, entries: list[Entry]) -> None:
        rows = self._heat_of(entries[0])
        for row in rows:
            if row.measured.samples is not None and row.measured.reason == NOT_TIMED:
                row.measured.status, row.measured.reason = "done", ""
        self._write(rows, material=True)

    def close_study(self) -> None:
        heats: dict[tuple[str, Condition], list[_Row]] = {}
        for row in self._rows.values():
            heats.setdefault((row.entry.workload, row.entry.condition), []).append(row)
        threshold = derive.threshold([[row.measured for row in rows] for rows in heats.values()])
        for rows in heats.values():
            self._write(rows, threshold=threshold)

    def _heat_of(self, entry: Entry) -> list[_Row]:
        """The rows that share workload and condition, the baseline first, as the plan lists them."""
        return [
            row
            for row in self._rows.values()
            if (row.entry.workload, row.entry.condition) == (entry.workload, entry.condition)
        ]

    def _attainable(self, rows: list[_Row]) -> None:
        """What each timed row could reach at most, from the work of the heat's baseline."""
        work, reference_bytes = rows[0].work, rows[0].measured.size_bytes
        if work is None or self._ceiling is None:
            return
        for row in rows:
            if row.measured.samples is None:
                continue
            own_bytes, condition = row.measured.size_bytes, row.entry.condition
            found = roofline.attainable(
                work,
                self._ceiling,
                condition.device,
                condition.threads,
                condition.batch_size,
                compose.arithmetic(row.entry.variant.techniques),
                own_bytes / reference_bytes if own_bytes and reference_bytes else 1.0,
            )
            if found is not None:
                row.measured.attainable_ms = found.ms
                row.details["work"] = {"device": condition.device, **found.as_dict()}

    def _write(
        self,
        rows: list[_Row],
        *,
        only: _Row | None = None,
        material: bool = False,
        threshold: float = speed.FALSE_DISCOVERIES,
    ) -> None:
        self._attainable(rows)
        measured = [row.measured for row in rows]
        study, baseline = self._checked.study, measured[0]
        baseline.best_ns = self._best_ns(rows[0].entry)
        derived = derive.heat(measured, study.effort.precision, threshold, study.tolerance_pp, study.equivalence_pct)
        if baseline.felt is not None:
            rows[0].details["pulse"] = stillness.as_details(baseline.felt, baseline.best_ns)
        # The model and its timed input are the heat's: rows that were never probed, such as the control, share them.
        shared = {
            name: next((value for row in rows if (value := getattr(row, name)) is not None), None)
            for name in ("padding_pct", "code_digest")
        }
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for row, columns in zip(rows, derived, strict=True):
            if only is not None and row is not only:
                continue
            about = {**row.identity, **shared, "training_loss": row.training_loss}
            columns = {"recorded_at": now, **about, **columns}
            row_id = self._store.put_row(self._study_id, row.position, columns, row.details)
            if material and row.measured.samples is not None:
                self._store.put_samples(row_id, row.measured.samples)
            if material and row.measured.predicted is not None and row.measured.labels is not None:
                self._store.put_answers(row_id, row.measured.predicted, row.measured.labels)
