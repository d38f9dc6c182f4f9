"""What INT8 gives on the LSTM and on ResNet-18 at one thread, on the whole test set.

    python benchmarks/int8.py

Must reach: 2x on the LSTM and 2.5x on ResNet-18 (64×64), at a 3.5 times smaller size or better, with at
most one point of accuracy lost. The last line is one JSON document; ratios are baseline / variant.
"""

from __future__ import annotations

import json
from typing import Any

import measured

ASKED = {
    "lstm-classifier": ("dynamic-int8", 2.0),
    "vision-resnet18": ("static-int8", 2.5),
}
SIZE_RATIO, LOST_PP = 3.5, 1.0


def main() -> None:
    report: dict[str, Any] = {"benchmark": "int8", "workloads": {}}
    for workload, (technique, limit) in ASKED.items():
        document, _ = measured.study("--preset", "article", "--workload", workload, "--technique", technique)
        row = next(row for row in measured.columns(document) if row["variant"] == technique)
        control = next(row for row in measured.columns(document) if row["variant"] == "control")
        report["machine"] = document["study"]["machine"]["label"]
        report["workloads"][workload] = {
            "variant": technique,
            "speedup": round(row["speedup"], 2),
            "speedup_interval": [round(row["speedup_ci_low"], 2), round(row["speedup_ci_high"], 2)],
            "control_interval": [round(control["speedup_ci_low"], 3), round(control["speedup_ci_high"], 3)],
            "size_ratio": round(row["size_ratio"], 2),
            "accuracy_delta_pp": round(row["accuracy_delta_pp"], 2),
            "accuracy_delta_interval_pp": [
                round(row["accuracy_delta_ci_low_pp"], 2),
                round(row["accuracy_delta_ci_high_pp"], 2),
            ],
            "must_reach": limit,
            "reached": row["speedup"] >= limit
            and row["size_ratio"] >= SIZE_RATIO
            and row["accuracy_delta_pp"] >= -LOST_PP,
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
