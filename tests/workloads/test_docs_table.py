"""The documents on workloads say what the declarations say."""

import re
from pathlib import Path

from efficiency.workloads import WORKLOADS
from efficiency.workloads.datasets import ag_news, fashion_mnist, glyphs, source_code

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = Path(__file__).with_name("user_workload_example.py")


def _training_rows(dataset: str) -> int:
    if dataset == "source-code":
        return len(source_code.load("train"))
    # The published sizes of the whole data sets, which need not be on this machine.
    return {
        "glyphs": glyphs.ROWS["train"],
        "fashion-mnist": 60_000 - fashion_mnist.CALIBRATION_ROWS,
        "ag-news": 120_000 - ag_news.CALIBRATION_ROWS,
    }[dataset]


def _table() -> list[dict[str, str]]:
    lines = [line for line in (DOCS / "workloads.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_table_agrees_with_the_declarations() -> None:
    declared = []
    for workload in WORKLOADS.values():
        for dataset in workload.datasets:
            row = {"workload": workload.key, "data set": dataset.key, "classes": str(len(dataset.classes))}
            row["training rows"] = f"{_training_rows(dataset.key):,}"
            for column in ("image size", "channels", "width", "layers", "vocabulary", "length"):
                row[column] = str(workload.shape.get(column.replace(" ", "_"), "–"))
            declared.append(row)
    assert _table() == declared


def test_the_example_in_the_document_is_the_file_that_is_tested() -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (DOCS / "adding-a-workload.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert EXAMPLE.read_text(encoding="utf-8") in blocks
