"""The shipped example as a table in Markdown: a line a variant, a column a workload."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from efficiency import paths
from efficiency.analysis import views
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import BASELINE, CONTROL

NOTHING = "–"
"""Where a variant does not apply, or was not measured."""


def markdown() -> str:
    """Where it was measured, and what each variant is against the baseline of its workload."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'example.db'}")
        try:
            study = store.study(documents.from_json(store, documents.read_file(paths.EXAMPLE)))
            everything = views.prepared(store.rows([study.id]))
        finally:
            store.close()
    rows = views.measured(everything)
    told = {(row["variant"], row["workload"]): _said(row) for row in views.records(rows)}
    columns = dict(zip(rows["workload"], rows["workload_label"], strict=True))
    # In the order in which they were asked for, which those that apply to one workload alone would break.
    labels = dict(zip(everything["variant"], everything["variant_label"], strict=True))
    labels = {key: labels[key] for key in labels if key in set(rows["variant"]) - {BASELINE}}
    lines = [
        ["", *columns.values()],
        ["---"] * (1 + len(columns)),
        *([label, *(told.get((key, name), NOTHING) for name in columns)] for key, label in labels.items()),
    ]
    machine, first = study.machine, rows.iloc[0]
    sets = ", ".join(name.upper() for name in machine["instruction_sets"])
    where = (
        f"{machine['label']} ({sets}), PyTorch {study.torch_version}; {first['condition']}; "
        f"{study.asked['effort']['test_rows']:,} test rows."
    )
    return "\n".join([where, "", *(f"| {' | '.join(line)} |" for line in lines)])


def _said(row: dict[str, Any]) -> str:
    """What it is against the baseline; of the control how far apart two runs of the same model are."""
    noise = f", noise ±{row['noise_pct']:.1f} %" if row["variant"] == CONTROL else ""
    return f"{row['relative']}{noise}"
