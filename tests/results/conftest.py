"""A store on a real file, and a study in it with a full row and a row of unknowns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store

MACHINE = {"label": "Test CPU, 2 cores", "key": "abc", "torch_version": "2.13.0", "instruction_sets": ("avx2",)}
ASKED = {"preset": "quick", "workloads": ("vision-small-cnn", "lstm-classifier"), "seed": 0}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'folder' / 'e.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def full_row() -> dict[str, Any]:
    """Every column known, values unlike one another."""
    row: dict[str, Any] = {}
    for number, (name, kind) in enumerate(COLUMNS.items()):
        row[name] = {"text": f'{name}, "é"', "number": number + 1 / 3, "whole": number, "flag": True}[kind]
    del row["study"]
    for figure in ("speedup", "runtime_speedup", "latency_ms_p99"):
        row |= {f"{figure}_ci_low": row[figure] - 0.25, f"{figure}_ci_high": row[figure] + 0.25}
    row |= {"accuracy_ci_low_pct": row["accuracy_pct"] - 0.25, "accuracy_ci_high_pct": row["accuracy_pct"] + 0.25}
    return row | {"status": "done", "workload": "lstm-classifier"}


@dataclass
class Kept:
    """A study with two rows, the first of which has samples and answers."""

    id: str
    row_id: int
    samples: np.ndarray
    predicted: np.ndarray
    labels: np.ndarray


@pytest.fixture
def kept(store: Store, full_row: dict[str, Any]) -> Kept:
    random = np.random.default_rng(0)
    id = store.add_study(ASKED, name="mine", machine=MACHINE, command="run --preset quick")
    row_id = store.put_row(id, 0, full_row, {"evidence": ["3 of 4 layers"], "spent_s": {"probe": 1.5}})
    store.put_row(id, 1, {"status": "failed", "reason": "It\nbroke.", "workload": "vision-small-cnn"}, {})
    samples = np.stack([np.arange(90) // 30, np.arange(90) % 30, random.integers(1, 2**40, 90)], axis=1)
    predicted, labels = random.integers(0, 65_536, (2, 500)).astype(np.uint16)
    store.put_samples(row_id, samples)
    store.put_answers(row_id, predicted, labels)
    return Kept(id, row_id, samples, predicted, labels)
