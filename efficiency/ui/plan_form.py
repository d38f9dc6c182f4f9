"""The form of the page Run: a preset fills it, everything can be changed."""

from __future__ import annotations

from typing import cast

import streamlit as st

from efficiency import techniques, workloads
from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.condition import Device
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.study import Preset, Study
from efficiency.techniques.base import Stage
from efficiency.tolerance import TOLERANCE_PP
from efficiency.ui import plan

PRESETS: dict[Preset, str] = {
    "quick": "minutes: three small models, a part of the test data",
    "article": "an hour or so: five models, all test data",
    "full": "an hour, then half an hour: five models, several batch sizes and thread counts, all techniques",
}
STAGES = {
    Stage.WEIGHTS: "Weights",
    Stage.LAYOUT: "Memory layout",
    Stage.RUNTIME: "Runtime",
    Stage.CALL: "Around the call",
}


def _fill(preset: Preset) -> None:
    """Puts a preset's values into the widgets."""
    values, state = plan.defaults(preset, this_machine()), st.session_state
    state["plan-workloads"] = list(values.workloads)
    state["plan-combinations"] = list(values.combinations)
    state["plan-batch-sizes"] = list(values.batch_sizes)
    state["plan-threads"] = list(values.threads)
    for key in techniques.TECHNIQUES:
        state[f"plan-technique-{key}"] = key in values.techniques


def _refill() -> None:
    _fill(st.session_state["plan-preset"])


def show() -> Study | None:
    """The study that is asked for, or None where the form holds something that is none: said in place."""
    if "plan-workloads" not in st.session_state:
        _fill("quick")
    preset: Preset = st.segmented_control(
        "Preset",
        list(PRESETS),
        default="quick",
        required=True,
        key="plan-preset",
        on_change=_refill,
        persist_state="session",
    )
    st.caption(f"{preset}: {PRESETS[preset]}. It fills in what is below; change what you like.")
    names = _workloads()
    # The widgets further down decide what can be chosen further up.
    above, between = st.container(), st.container()
    device, own_file, advanced = _advanced()
    asked = [*names, own_file] if own_file else names
    try:
        with above:
            chosen_techniques, combinations = _techniques(asked, device)
        with between:
            datasets, batch_sizes, threads, budget_s = _conditions(asked)
        length, padding_pct, name, tolerance_pp = advanced
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
            tolerance_pp=tolerance_pp,
            length=length,
            padding_pct=padding_pct,
            own_file=own_file,
            name=name,
        )
        return plan.study_of(chosen, this_machine())
    except EfficiencyError as error:
        st.error(markdown_text(error), icon=":material/error:")
        return None


def _workloads() -> list[str]:
    known = workloads.WORKLOADS
    return st.pills(
        "Workloads",
        list(known),
        selection_mode="multi",
        format_func=lambda key: known[key].label,
        key="plan-workloads",
        persist_state="session",
        help="  \n".join(f"**{w.label}**: {w.summary}" for w in known.values()),
    )


def _advanced() -> tuple[Device, str, tuple[int | None, int, str, float]]:
    machine = this_machine()
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
            "Name of the study", key="plan-name", placeholder="quick on this machine", persist_state="session"
        )
        one, two, three, four = st.columns(4)
        device = one.segmented_control(
            "Device",
            ["cpu"] if machine.why_no_cuda else ["cpu", "cuda"],
            default="cpu",
            required=True,
            format_func=str.upper,
            key="plan-device",
            persist_state="session",
        )
        if reason := machine.why_no_cuda:
            one.caption(markdown_text(f"CUDA is not available: {reason}."))
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
    return cast(Device, device), own_file, (None if length is None else int(length), int(padding), name, tolerance_pp)


def _techniques(names: list[str], device: Device) -> tuple[list[str], list[str]]:
    """Toggles by stage; where a technique cannot be used on anything chosen, it is off and says why."""
    machine, chosen = this_machine(), []
    by_stage = {
        stage: [t for t in techniques.TECHNIQUES.values() if t.stage == stage]
        for stage in STAGES
        if any(t.stage == stage for t in techniques.TECHNIQUES.values())
    }
    st.markdown("Techniques")
    for column, (stage, members) in zip(st.columns(len(by_stage), gap="medium"), by_stage.items(), strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f"**{STAGES[stage]}**")
            for technique in members:
                available = plan.availability(technique.key, names, device, machine)
                note = f" Its API is deprecated: {technique.successor}." if technique.api_status == "deprecated" else ""
                if available.state == "none":
                    st.toggle(technique.label, False, disabled=True, key=f"plan-off-{technique.key}")
                elif st.toggle(
                    technique.label,
                    key=f"plan-technique-{technique.key}",
                    help=technique.summary + note,
                    persist_state="session",
                ):
                    chosen.append(technique.key)
                if available.note:
                    st.caption(markdown_text(available.note))
    combinations = st.multiselect(
        "Combinations",
        plan.combinations(),
        format_func=views.variant_label,
        key="plan-combinations",
        persist_state="session",
        wrap=True,
        placeholder="None",
        help="Each is one more variant, with all of its techniques together.",
    )
    return chosen, combinations


def _conditions(names: list[str]) -> tuple[list[str], list[str], list[int], float | None]:
    machine = this_machine()
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
    sizes = batch.multiselect(
        "Batch sizes", sorted({"1", "8", "32", "64", *st.session_state["plan-batch-sizes"]}, key=plan.as_number),
        key="plan-batch-sizes", accept_new_options=True, persist_state="session", wrap=True,
        help="Examples a call. Type any number to add it.",
    )  # fmt: skip
    counts = threads.pills(
        "Threads",
        list(range(1, machine.threads + 1)),
        selection_mode="multi",
        key="plan-threads",
        persist_state="session",
        help="Of the timed process; several give a row each.",
    )
    seconds = budget.number_input(
        "Time budget [s]",
        value=None,
        step=60.0,
        format="%.0f",
        key="plan-budget",
        persist_state="session",
        placeholder="none",
        help="Timing is shortened to fit; what cannot be shortened has to fit as it is.",
    )
    return datasets, sizes, counts, seconds
