"""The form of the page Run: a preset fills it, everything can be changed."""

from __future__ import annotations

from typing import TypedDict

import streamlit as st

from efficiency import techniques
from efficiency.analysis.wording import markdown_text, without_options
from efficiency.condition import Device
from efficiency.effort import CALLS_FOR_P99, PRECISION_PCT
from efficiency.equivalence import EQUIVALENCE_PCT
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.study import PRESETS, Study
from efficiency.techniques.base import Stage
from efficiency.tolerance import TOLERANCE_PP
from efficiency.ui import plan
from efficiency.ui.form import Form

FORM = Form(
    prefix="plan",
    phase="inference",
    presets={
        "quick": "minutes: three small models, a part of the test data",
        "article": "an hour or so: five models, all test data",
        "full": "an hour the first time, half an hour once all is prepared: five models, several batch sizes and "
        "thread counts, all techniques, a part of the test data",
    },
    techniques=tuple(techniques.TECHNIQUES.values()),
    usual_batch_sizes=(1, 8, 32, 64),
    batch_help="Examples a call.",
)
LIMITS = ", ".join(
    f"{preset} {f'{effort.budget_s:,.0f} s' if effort.budget_s else 'none'}" for preset, (_, effort) in PRESETS.items()
)
STAGES = {
    Stage.WEIGHTS: "Weights",
    Stage.LAYOUT: "Memory layout",
    Stage.RUNTIME: "Runtime",
    Stage.CALL: "Around the call",
}


def show() -> Study | None:
    """The study that is asked for, or None where the form holds something that is none: said in place."""
    preset, names = FORM.preset(), FORM.workloads()
    # The widgets further down decide what can be chosen further up.
    above, between = st.container(), st.container()
    device, own_file, advanced = _advanced()
    asked = [*names, own_file] if own_file else names
    try:
        with above:
            chosen_techniques, combinations = _techniques(asked, device)
        with between:
            datasets, batch_sizes, threads, budget_s = _conditions(asked)
        chosen = plan.Chosen(
            preset=preset,
            workloads=tuple(names),
            techniques=tuple(chosen_techniques),
            combinations=tuple(combinations),
            device=device,
            batch_sizes=tuple(batch_sizes),
            threads=tuple(threads),
            datasets=tuple(datasets),
            budget_s=budget_s,
            own_file=own_file,
            **advanced,
        )
        return plan.study_of(chosen, this_machine())
    except EfficiencyError as error:
        st.error(markdown_text(without_options(error)), icon=":material/error:")
        return None


class _Advanced(TypedDict):
    """What `plan.Chosen` has of it, but for what other widgets ask for, too."""

    length: int | None
    padding_pct: int
    name: str
    tolerance_pp: float
    equivalence_pct: float
    precision_pct: float
    p99: bool


def _advanced() -> tuple[Device, str, _Advanced]:
    """The device, a user's own file, and the rest."""
    with st.expander("Advanced", icon=":material/tune:"):
        left, right = st.columns(2)
        own_file = left.text_input(
            "Your own Python file",
            key="plan-own-file",
            placeholder="path/to/file.py:make",
            persist_state="session",
            help="A file of yours whose function returns a Workload. It is run on this machine as it is.",
        ).strip()
        name = right.text_input(
            "Name of the study", key="plan-name", placeholder="LSTM (quick) on this machine", persist_state="session"
        )
        one, two, three = st.columns(3)
        four, five, six = st.columns(3)
        device = FORM.device(one)
        length = two.number_input(
            "Length [tokens]", value=None, min_value=1, step=1, key="plan-length", placeholder="as the workload has it",
            persist_state="session",
        )  # fmt: skip
        padding = three.slider("Padding [%]", 0, 95, 0, key="plan-padding", persist_state="session")
        tolerance_pp = four.number_input(
            "Tolerated loss [pp]", value=TOLERANCE_PP, step=0.1, format="%.2f", key="plan-tolerance",
            persist_state="session",
            help="Percentage points of accuracy that may be lost and still count as kept. The less is tolerated, "
            "the more test rows it takes to tell.",
        )  # fmt: skip
        equivalence_pct = five.number_input(
            "Same speed within ± [%]", value=EQUIVALENCE_PCT, step=0.5, format="%g", key="plan-equivalence",
            persist_state="session",
            help="Speeds that differ by no more are the same for all practical purposes: such a variant is called "
            "neither faster nor slower.",
        )  # fmt: skip
        precision_pct = six.number_input(
            "Intervals within ± [%]", value=PRECISION_PCT, step=0.5, format="%g", key="plan-precision",
            persist_state="session",
            help="Processes are added until every speed-up is known so well by the study's own minutes, or the budget "
            "or the preset's number of processes is used up. Half the width takes four times as many. Intervals are "
            "shown wider: they allow for other hours, too, which no setting narrows.",
        )  # fmt: skip
        p99 = st.toggle(
            "A p99 of every variant", key="plan-p99", persist_state="session",
            help=f"Slow ones, too, are timed {CALLS_FOR_P99} times or more, which may take much longer.",
        )  # fmt: skip
    return (
        device,
        own_file,
        {
            "length": None if length is None else int(length),
            "padding_pct": int(padding),
            "name": name,
            "tolerance_pp": tolerance_pp,
            "equivalence_pct": equivalence_pct,
            "precision_pct": precision_pct,
            "p99": p99,
        },
    )


def _techniques(names: list[str], device: Device) -> tuple[list[str], list[str]]:
    """Toggles by stage, and combinations."""
    by_stage = {stage: [one for one in FORM.techniques if one.stage == stage] for stage in STAGES}
    by_stage = {stage: members for stage, members in by_stage.items() if members}
    chosen: list[str] = []
    st.markdown("Techniques")
    for column, (stage, members) in zip(st.columns(len(by_stage), gap="medium"), by_stage.items(), strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f"**{STAGES[stage]}**")
            chosen += FORM.toggled(members, names, device)
    return chosen, FORM.combinations()


def _conditions(names: list[str]) -> tuple[list[str], list[str], list[int], float | None]:
    data, batch, threads, budget = st.columns([2, 2, 2, 1])
    labels = plan.datasets(names)
    # What no chosen workload takes any more is not asked for.
    st.session_state["plan-datasets"] = [key for key in st.session_state.get("plan-datasets", []) if key in labels]
    datasets = data.multiselect(
        "Data sets",
        list(labels),
        format_func=lambda key: labels[key],
        key="plan-datasets",
        persist_state="session",
        wrap=True,
        placeholder="Each workload's own",
        help="One for each kind of data: every workload takes the first that it knows. "
        "A data set that is not here is downloaded first.",
    )
    sizes, counts = FORM.batch_sizes(batch), FORM.threads(threads)
    seconds = budget.number_input(
        "Time budget [s]",
        value=None,
        step=60.0,
        format="%.0f",
        key="plan-budget",
        persist_state="session",
        placeholder="the preset's",
        help=f"Empty: the preset's own limit ({LIMITS}), after which no process is added. A budget that is typed here "
        "holds for the whole study: timing is shortened to fit, and what cannot be shortened has to fit as it is.",
    )
    return datasets, sizes, counts, seconds
