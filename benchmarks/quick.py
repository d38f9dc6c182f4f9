"""How long `run --preset quick` takes with an empty cache, and where the time goes.

    python benchmarks/quick.py

Must reach: 180 s on 2 cores. The last line is one JSON document; all times are seconds.
"""

from __future__ import annotations

import json

import measured

LIMIT_S = 180


def main() -> None:
    document, wall_s = measured.study("--preset", "quick")
    spent = {"evaluate_s": 0.0, "probe_rest_s": 0.0, "cold_start_s": 0.0, "timed_calls_s": 0.0}
    by_workload: dict[str, float] = {}
    for row in document["rows"]:
        details, columns = row["details"], row["columns"]
        if "probe_s" in details:
            spent["evaluate_s"] += details["evaluate_s"]
            spent["probe_rest_s"] += details["probe_s"] - details["evaluate_s"]
            spent["cold_start_s"] += details["cold_s"]
            name = columns["workload"]
            by_workload[name] = by_workload.get(name, 0.0) + details["probe_s"] + details["cold_s"]
        if row["samples"]:
            spent["timed_calls_s"] += sum(row["samples"]["ns"]) / 1e9
    spent["prepare_s"] = measured.prepared_s(document)
    spent["probe_rest_s"] -= spent["prepare_s"]
    spent["replicates_and_the_rest_s"] = wall_s - sum(spent.values())
    report = {
        "benchmark": "quick",
        "wall_s": round(wall_s, 1),
        "limit_s": LIMIT_S,
        "reached": wall_s <= LIMIT_S,
        "spent": {name: round(seconds, 1) for name, seconds in spent.items()},
        "probes_by_workload_s": {name: round(seconds, 1) for name, seconds in by_workload.items()},
        "machine": document["study"]["machine"]["label"],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
