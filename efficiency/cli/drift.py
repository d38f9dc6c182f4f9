"""`drift`: what shifts of the data do to a workload's variants."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console, progress_line
from efficiency.cli.app import Json, app
from efficiency.machine import this_machine


@app.command()
def drift(
    workload: Annotated[str, typer.Argument(help="A workload's key, or path/to/file.py:make.")],
    dataset: Annotated[str | None, typer.Option(help="Another data set than the workload's own.")] = None,
    rows: Annotated[int | None, typer.Option(help="Test rows; 1,000 unless told.", min=100)] = None,
    seed: Annotated[int, typer.Option(help="Of the shifts, calibration and fine-tuning.")] = 0,
    json: Json = None,
) -> None:
    """Accuracy under growing shifts of the data, in FP32 and each kind of INT8; what calibrating anew wins back."""
    from efficiency.analysis import drift as analysis
    from efficiency.analysis import drift_words
    from efficiency.drift import shifts
    from efficiency.engine import drift_job
    from efficiency.results import drifts
    from efficiency.results.store import Store

    console.writable("--json", json)
    store = Store.open()
    with progress_line.Bar() as bar:
        number = drift_job.measure(
            store,
            workload,
            this_machine(),
            dataset=dataset,
            test_rows=rows or drift_job.TEST_ROWS,
            seed=seed,
            tell=bar.share,
        )
    record = drifts.get(store, number)
    found = analysis.table(record)
    console.table(f"Drift of {workload}", *drift_words.summary(found))
    for variant, reason in analysis.reasons(record).items():
        console.say(f"{variant}: {reason}")
    worst = drift_words.worst_of_all(found)
    label = "" if worst is None else shifts.get(str(worst["shift"])).label
    overall = drift_words.overall(found, worst, label)
    own = found if worst is None else found[found["shift"] == worst["shift"]]
    for sentence in (overall, *(() if worst is None else drift_words.anew(own, label))):
        console.say(sentence)
    if found["excess_pp"].notna().any():
        console.say(drift_words.INTERVALS)
    if json:
        document = {"workload": record.workload, "dataset": record.dataset, "overall": overall}
        rows_said = found.astype(object).where(found.notna(), None).to_dict("records")
        console.write_json(json, document | {"rows": rows_said})
