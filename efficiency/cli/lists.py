"""`list`: the workloads and the techniques."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from efficiency import console, workloads
from efficiency.cli.app import Json, app
from efficiency.condition import Condition, Device, Phase
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.techniques import compose, matrix


@app.command(name="list")
def list_(
    what: Annotated[str, typer.Argument(help="workloads or techniques")] = "",
    phase: Annotated[Phase, typer.Option(help="Of techniques: for answers, or for training steps.")] = "inference",
    device: Annotated[Device, typer.Option(help="Of techniques: where they would run.")] = "cpu",
    json: Json = None,
) -> None:
    """The workloads, or every technique on every workload: yes, or why not."""
    lists: dict[str, Callable[[str | None], None]] = {
        "workloads": _list_workloads,
        "techniques": partial(_list_techniques, Condition(device, phase=phase)),
    }
    if what not in lists:
        instead = f", not '{what}'" if what else ""
        raise BadRequest(f"list: choose workloads or techniques{instead}.")
    lists[what](json)


def _list_workloads(json: str | None) -> None:
    rows = [
        {
            "key": w.key,
            "model": w.model,
            "summary": w.summary,
            "datasets": ", ".join(d.key + (" (not here)" if d.why_not() else "") for d in w.datasets),
        }
        for w in workloads.WORKLOADS.values()
    ]
    if json:
        console.write_json(json, {"workloads": rows})
    else:
        console.table("Workloads", rows[0], (row.values() for row in rows))


def _list_techniques(condition: Condition, json: str | None) -> None:
    here = this_machine()
    found = matrix.of(condition, here)
    if not json:
        console.matrix(found)
        if condition.device == "cuda" and (reason := here.why_no_cuda):
            console.say(f"\nNothing of this can run here, where CUDA is not available: {reason}.")
        return
    rows = [
        {
            "key": row.technique.key,
            "label": row.technique.label,
            "summary": row.technique.summary_in(condition.phase),
            "stage": row.technique.stage.value,
            "api_status": row.technique.api_status,
            "successor": row.technique.successor,
            "phases": ["inference", "training"] if row.technique.training else ["inference"],
            "conflicts": compose.conflicts(row.technique.key, condition.phase),
            "workloads": {key: reason or "yes" for key, reason in row.why_not.items()},
        }
        for row in found.rows
    ]
    console.write_json(json, {"techniques": rows})
