"""`train`: make a workload's reference model anew."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console, progress_line, workloads
from efficiency.cli.app import Json, app
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine


@app.command()
def train(
    workload: Annotated[str, typer.Argument(help="A workload's key, or path/to/file.py:make.")],
    dataset: Annotated[str | None, typer.Option(help="Another data set than the workload's own.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and the order of rows.")] = 0,
    json: Json = None,
) -> None:
    """Train a workload's reference model anew; it is used from then on."""
    from efficiency.engine import train_job

    console.writable("--json", json)
    try:
        with progress_line.Bar() as bar:
            card = train_job.train(workload, this_machine(), dataset=dataset, seed=seed, tell=bar.share)
    except KeyboardInterrupt:
        raise EfficiencyError("Training was stopped; the checkpoint is as it was before.") from None
    console.say(f"Trained {workloads.describe(workload).key}: {card['accuracy_pct']:.2f} % on the test set.")
    if json:
        console.write_json(json, card)
