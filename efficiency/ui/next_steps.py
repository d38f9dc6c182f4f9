"""What to try next: only what is open on this machine, in the order in which it helps most."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from efficiency import best, ceiling, workloads
from efficiency.analysis import confirmations, views
from efficiency.analysis.wording import markdown_text
from efficiency.best import Best
from efficiency.engine import drift_job, jobs
from efficiency.machine import Machine
from efficiency.results import drifts
from efficiency.results.store import Store
from efficiency.ui import best as best_cards
from efficiency.ui import claims, data, frame, layers_plan

STEPS = 6
"""More than these nobody reads; what is done makes room for the next."""
NAMED = 2
"""More workloads than these are counted: a label has one line."""


@dataclass(frozen=True)
class Step:
    """One thing to do, and the page where it is done."""

    page: str
    says: str
    help: str = ""
    asks: dict[str, str] = field(default_factory=dict)
    """Parameters of the page's address."""


def show(store: Store, machine: Machine) -> None:
    """A link a step."""
    st.markdown("### What to try next")
    with st.container(key="next-steps", gap="small"):
        for step in steps(store, machine)[:STEPS]:
            page = frame.page(step.page)
            st.page_link(
                page, label=markdown_text(step.says), icon=page.icon, help=step.help or None, query_params=step.asks
            )


def steps(store: Store, machine: Machine) -> list[Step]:
    """What is open, first what waits for the user."""
    found, studies = best_cards.found(store, machine), data.studies(store)
    filled = studies[studies["rows"] > 0]
    own = filled[(filled["machine_key"] == machine.key) & ~filled["example"]]
    # Before anything is measured here, only what comes first is worth saying.
    begun = (
        [*_confirm(found), *_layers(store, machine), *_unmeasured(found), *_claims(store, machine)] if len(own) else []
    )
    return [
        *_running(store),
        *([] if begun else [Step("run", "Plan a study of your choice", "Models, techniques, batch sizes, threads.")]),
        *([Step("explore", "Explore the shipped example")] if len(filled) and not begun else []),
        *begun,
        *_peaks(machine),
        *_drift(store, machine),
        *([] if (own["phase"] == "training").any() else [Step("training", "Measure training, too")]),
        *_own_model(found),
        *_compare(filled),
        Step("studies", "Import a study" if studies.empty else "Reports, exports and imports"),
    ]


def _running(store: Store) -> list[Step]:
    return [
        Step("run", "Follow what is being measured", asks={"study": told.study_id}) for told in jobs.live(store)[:1]
    ]


def _confirm(found: list[Best]) -> list[Step]:
    """The winner that gains most of those that were not timed again, else of those that were at no good moment."""
    here = [one for one in found if one.origin == "here" and confirmations.worth_timing_again(one.answer)]
    top = best.leading([one for one in here if not one.answer.confirmed]) or best.leading(here)
    if top is None or top.answer.last.winner is None:
        return []
    label, name = top.answer.last.winner["variant_label"], top.case.first.rows["workload_label"].iloc[0]
    if top.answer.confirmed:
        says, why = f"Time {label} on {name} again", "Two confirmations of it differ."
        if confirmations.disturbed(top.answer):
            why = "The machine was disturbed when it was confirmed."
    else:
        says = f"Confirm {label} on {name}"
        why = "The fastest of many is partly so by luck; fresh processes say whether it stays in front."
    return [Step("decide", says, why, best_cards.address(top))]


def _layers(store: Store, machine: Machine) -> list[Step]:
    """Where INT8 with calibrated ranges lost most, and nobody looked at which layers cost it."""
    row = layers_plan.worst(claims.judged(store, machine)[0].heats)
    if row is None:
        return []
    variant, workload = views.variant_label(row["variant"]), views.workload_label(row["workload"])
    why = "Mixed INT8 finds them and leaves as few of them in FP32 as keep the accuracy."
    asks = layers_plan.address(row["workload"], row["dataset"])
    return [Step("run", f"Find the layers that cost {variant} its accuracy on {workload}", why, asks)]


def _unmeasured(found: list[Best]) -> list[Step]:
    here = {one.workload for one in found if one.origin == "here"}
    left = [declared.label for key, declared in workloads.WORKLOADS.items() if key not in here]
    if len(left) > NAMED:
        return [Step("run", f"Measure {len(left)} workloads", f"Not yet on this machine: {', '.join(left)}.")]
    return [Step("run", f"Measure {' and '.join(left)}", "Not measured on this machine yet.")] if left else []


def _claims(store: Store, machine: Machine) -> list[Step]:
    left = sum(one.verdict == "not-measured" for one in claims.judged(store, machine)[1])
    said = f"Judge {left} more {'claim' if left == 1 else 'claims'} of the article"
    why = "That page says what is missing, and measures it or leads to where it is measured."
    return [Step("claims", said, why)] if left else []


def _peaks(machine: Machine) -> list[Step]:
    if ceiling.known(machine.key) is not None:
        return []
    return [Step("machine", "Measure what this machine can do at most", "Takes some seconds.")]


def _drift(store: Store, machine: Machine) -> list[Step]:
    measured = {record.workload for record in drifts.known(store, machine_key=machine.key)}
    left = [key for key, one in workloads.WORKLOADS.items() if drift_job.why_not(one) is None and key not in measured]
    if measured or not left:
        return []
    return [Step("drift", "See whether INT8 holds when data shift")]


def _own_model(found: list[Best]) -> list[Step]:
    if any(one.family == best.OWN for one in found):
        return []
    return [Step("run", "Measure your own model", "A Python file that builds it: docs/adding-a-workload.md.")]


def _compare(filled: pd.DataFrame) -> list[Step]:
    if len(filled) < 2:
        return []
    return [Step("compare", "Compare two studies", "Which variant moved, and whether that is more than noise.")]
