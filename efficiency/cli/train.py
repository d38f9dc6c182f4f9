"""`train`: make a workload's reference model anew."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from efficiency import console, workloads
from efficiency.cli.app import Json, app
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.machine import this_machine


@app.command()
def train(
    workload: Annotated[str, typer.Argument(help="A workload's key, or path/to/file.py:make.")],
    dataset: Annotated[str | None, typer.Option(help="Another data set than the workload's own.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and the order of rows.")] = 0,
    json: Json = None,
) -> None:
    """Train a workload's reference model anew; it is used from then on."""
    from efficiency import paths
    from efficiency.engine import conductor, reference
    from efficiency.engine.child import Child
    from efficiency.errors import VariantFailed

    declared = workloads.describe(workload)
    if declared.trained:
        raise BadRequest(f"{workload} brings its own trained model; there is nothing to train.")
    asked = {
        "workload": workload,
        "dataset": declared.dataset(dataset).key,
        "threads": this_machine().threads,
        "seed": seed,
        "anew": True,
        "samples": [],
    }
    card: dict[str, Any] = {}
    log = paths.home() / "jobs" / "train.log"
    try:
        with console.Bar() as bar, Child(reference.run, asked, log=log) as child:
            for message in child.messages(conductor.READING_S):
                if "progress" in message:
                    bar.share(message["progress"], message["share"])
                card = message.get("card", card)
    except VariantFailed as failure:
        raise EfficiencyError(str(failure)) from failure
    except KeyboardInterrupt:
        raise EfficiencyError("Training was stopped; the checkpoint is as it was before.") from None
    console.say(f"Trained {declared.key}: {card['accuracy_pct']:.2f} % on the test set.")
    if json:
        console.write_json(json, card)
