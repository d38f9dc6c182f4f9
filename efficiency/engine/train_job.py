"""Trains a workload's reference model anew, in a child process and alone on the machine. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from efficiency import paths, workloads
from efficiency.analysis import wording
from efficiency.engine import reference, turn
from efficiency.engine.child import Child
from efficiency.engine.conductor import READING_S
from efficiency.errors import BadRequest, EfficiencyError, VariantFailed
from efficiency.machine import Machine

Tell = Callable[[str, float], None]
"""Hears what is being done and the share that is over."""


def train(
    workload: str,
    machine: Machine,
    *,
    dataset: str | None = None,
    seed: int = 0,
    tell: Tell = lambda what, share: None,
) -> dict[str, Any]:
    """Train, keep the checkpoint, and return its accuracy and the seconds that took.

    Waits until no study has the machine: one that runs would time beside it, and would go on with other weights than
    it began with. Raises `BadRequest` for a model that brings its weights along, and `EfficiencyError`.
    """
    declared = workloads.describe(workload)
    if declared.trained:
        raise BadRequest(f"{workload} brings its own trained model; there is nothing to train.")
    asked = {
        "workload": workload,
        "dataset": declared.dataset(dataset).key,
        "threads": machine.threads,
        "seed": seed,
        "anew": True,
        "samples": [],
    }

    def waiting(holder: str | None) -> None:
        tell(f"Waiting for {wording.at_work(holder)}", 0.0)

    card: dict[str, Any] = {}
    log = paths.home() / "jobs" / "train.log"
    try:
        with turn.taken(f"training of {declared.label}", waiting), Child(reference.run, asked, log=log) as child:
            for message in child.messages(READING_S):
                if "progress" in message:
                    tell(message["progress"], message["share"])
                card = message.get("card", card)
    except VariantFailed as failure:
        raise EfficiencyError(str(failure)) from failure
    return card
