"""The columns of a row, in the order of the CSV. Other programs rely on them."""

from typing import Literal

Kind = Literal["text", "number", "whole", "flag"]

COLUMNS: dict[str, Kind] = {
    "study": "text",
    "recorded_at": "text",
    "machine": "text",
    "device": "text",
    "workload": "text",
    "family": "text",
    "model": "text",
    "dataset": "text",
    "variant": "text",
    "techniques": "text",
    "batch_size": "whole",
    "threads": "whole",
    "status": "text",
    "reason": "text",
    "accuracy_pct": "number",
    "accuracy_ci_low_pct": "number",
    "accuracy_ci_high_pct": "number",
    "accuracy_delta_pp": "number",
    "accuracy_delta_ci_low_pp": "number",
    "accuracy_delta_ci_high_pp": "number",
    "accuracy_verdict": "text",
    "agreement_pct": "number",
    "size_mb": "number",
    "size_ratio": "number",
    "latency_ms_p50": "number",
    "latency_ms_p90": "number",
    "latency_ms_p99": "number",
    "throughput_per_s": "number",
    "speedup": "number",
    "speedup_ci_low": "number",
    "speedup_ci_high": "number",
    "speed_verdict": "text",
    "peak_memory_mb": "number",
    "prepare_s": "number",
    "load_s": "number",
    "first_call_ms": "number",
    "break_even_calls": "whole",
    "energy_mj": "number",
    "energy_source": "text",
    "took_effect": "text",
    "warnings": "text",
    "on_pareto_front": "flag",
    "replicates": "whole",
    "torch_version": "text",
    "length": "whole",
    "padding_pct": "number",
    "phase": "text",
}

STATUSES = ("done", "failed", "not-applicable", "cancelled")
"""All but `done` fill `reason`."""
