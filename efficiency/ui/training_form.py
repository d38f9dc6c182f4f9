"""The form of the page Training: what serves training, on which models, at which batch size."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import techniques, workloads
from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.condition import Device
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.study import Preset, Study
from efficiency.techniques.base import Technique
from efficiency.ui import plan

PRESETS: dict[Preset, str] = {
    "quick": "minutes: three small models, a hundred steps or so",
    "article": "an hour or so: five models, hundreds of steps, all test data; with torch.compile",
    "full": "hours: five models, two batch sizes, every combination",
}


def _fill(preset: Preset) -> None:
    """Puts a preset's values into the widgets."""
    values, state = plan.defaults(preset, this_machine(), "training"), st.session_state
    state["training-workloads"] = list(values.workloads)
    state["training-combinations"] = list(values.combinations)
    state["training-batch-sizes"] = list(values.batch_sizes)
    state["training-threads"] = list(values.threads)
    for technique in _serving():
        state[f"training-technique-{technique.key}"] = technique.key in values.techniques


def _refill() -> None:
    _fill(st.session_state["training-preset"])


def _serving() -> list[Technique]:
    return [technique for technique in techniques.TECHNIQUES.values() if technique.training is not None]


def show() -> Study | None:
    """The study that is asked for, or None where the form holds something that is none: said in place."""
    if "training-workloads" not in st.session_state:
        _fill("quick")
    preset: Preset = st.segmented_control(
        "Preset",
        list(PRESETS),
        default="quick",
        required=True,
        key="training-preset",
        on_change=_refill,
        persist_state="session",
    )
    st.caption(f"{preset}: {PRESETS[preset]}. It fills in what is below; change what you like.")
    known = workloads.WORKLOADS
    names = st.pills(
        "Workloads",
        list(known),
        selection_mode="multi",
        format_func=lambda key: known[key].label,
        key="training-workloads",
        persist_state="session",
        help="  \n".join(f"**{w.label}**: {w.summary}" for w in known.values()),
    )
    techniques_at = st.container()
    device, sizes, threads = _conditions()
    with techniques_at:
        chosen, combinations = _techniques(names, device)
    try:
        return plan.study_of(
            plan.Chosen(
                preset=preset,
                workloads=tuple(names),
                techniques=tuple(chosen),
                combinations=tuple(combinations),
                device=device,
                batch_sizes=tuple(sizes),
                threads=tuple(threads),
                phase="training",
            ),
            this_machine(),
        )
    except EfficiencyError as error:
        st.error(markdown_text(error), icon=":material/error:")
        return None


def _techniques(names: list[str], device: Device) -> tuple[list[str], list[str]]:
    """A toggle each; where one cannot be used on anything chosen, it is off and says why."""
    machine, chosen, serving = this_machine(), [], _serving()
    st.markdown("Techniques")
    for column, technique in zip(st.columns(len(serving), gap="small"), serving, strict=True):
        available = plan.availability(technique.key, names, device, machine, "training")
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            if available.state == "none":
                st.toggle(technique.label, False, disabled=True, key=f"training-off-{technique.key}")
            elif st.toggle(
                technique.label,
                key=f"training-technique-{technique.key}",
                help=technique.summary,
                persist_state="session",
            ):
                chosen.append(technique.key)
            if available.note:
                st.caption(markdown_text(available.note))
    with st.expander("Not for training, and why", icon=":material/block:"):
        others = plan.for_inference_alone(machine)
        st.table(pd.DataFrame(others, columns=["Technique", "Why not"]), hide_index=True, border="horizontal")
    combinations = st.multiselect(
        "Combinations",
        plan.combinations("training"),
        format_func=views.variant_label,
        key="training-combinations",
        persist_state="session",
        wrap=True,
        placeholder="None",
        help="Each is one more variant, with all of its techniques together.",
    )
    return chosen, combinations


def _conditions() -> tuple[Device, list[str], list[int]]:
    machine = this_machine()
    one, two, three = st.columns([1, 2, 2])
    device: Device = one.segmented_control(
        "Device",
        ["cpu"] if machine.why_no_cuda else ["cpu", "cuda"],
        default="cpu",
        required=True,
        format_func=str.upper,
        key="training-device",
        persist_state="session",
    )
    sizes = two.multiselect(
        "Batch sizes",
        sorted({"16", "32", "64", "128", *st.session_state["training-batch-sizes"]}, key=plan.as_number),
        key="training-batch-sizes",
        accept_new_options=True,
        persist_state="session",
        wrap=True,
        help="Examples a step. Type any number to add it.",
    )
    threads = three.pills(
        "Threads",
        list(range(1, machine.threads + 1)),
        selection_mode="multi",
        key="training-threads",
        persist_state="session",
        help="Of the timed process; several give a row each.",
    )
    return device, sizes, threads
