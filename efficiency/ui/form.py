"""What the forms of the pages Run and Training share: the widgets that a preset fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from efficiency import workloads
from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.condition import Device, Phase
from efficiency.machine import this_machine
from efficiency.study import Preset, Variant
from efficiency.techniques import compose
from efficiency.techniques.base import Technique
from efficiency.ui import api_status, plan


@dataclass(frozen=True)
class Form:
    """One page's widgets, which keep their values for the session."""

    prefix: str
    """Of the widgets' keys."""
    phase: Phase
    presets: dict[Preset, str]
    """What each stands for, in words."""
    techniques: tuple[Technique, ...]
    """Those that there is a toggle for."""
    usual_batch_sizes: tuple[int, ...]
    batch_help: str

    def _key(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def _fill(self, preset: Preset) -> None:
        """Puts a preset's values into the widgets."""
        values, state = plan.defaults(preset, this_machine(), self.phase), st.session_state
        state[self._key("workloads")] = list(values.workloads)
        state[self._key("combinations")] = list(values.combinations)
        state[self._key("batch-sizes")] = list(values.batch_sizes)
        state[self._key("threads")] = list(values.threads)
        for technique in self.techniques:
            state[self._key(f"technique-{technique.key}")] = technique.key in values.techniques

    def preset(self) -> Preset:
        """The first widget: what it says fills the others, the first time and whenever it changes."""
        if self._key("workloads") not in st.session_state:
            self._fill("quick")
        preset: Preset = st.segmented_control(
            "Preset",
            list(self.presets),
            default="quick",
            required=True,
            key=self._key("preset"),
            on_change=lambda: self._fill(st.session_state[self._key("preset")]),
            persist_state="session",
        )
        st.caption(f"{preset}: {self.presets[preset]}. It fills in what is below; change what you like.")
        return preset

    def workloads(self) -> list[str]:
        known = workloads.WORKLOADS
        return st.pills(
            "Workloads",
            list(known),
            selection_mode="multi",
            format_func=lambda key: known[key].label,
            key=self._key("workloads"),
            persist_state="session",
            help="  \n".join(f"**{w.label}**: {w.summary}" for w in known.values()),
        )

    def toggled(self, shown: Iterable[Technique], names: list[str], device: Device) -> list[str]:
        """A toggle each; where a technique cannot be used on anything chosen, it is off and says why."""
        chosen = []
        for technique in shown:
            available = plan.availability(technique.key, names, device, this_machine(), self.phase)
            label = f"{technique.label} {api_status.tag(technique)}"
            about = f"{technique.summary_in(self.phase)} {markdown_text(api_status.said(technique))}"
            if available.state == "none":
                st.toggle(label, False, disabled=True, key=self._key(f"off-{technique.key}"), help=about)
            elif st.toggle(label, key=self._key(f"technique-{technique.key}"), help=about, persist_state="session"):
                chosen.append(technique.key)
            if available.note:
                st.caption(markdown_text(available.note))
        return chosen

    def combinations(self) -> list[str]:
        known = [*plan.combinations(self.phase), *st.session_state[self._key("combinations")]]
        chosen = st.multiselect(
            "Combinations",
            list(dict.fromkeys(known)),
            format_func=_named,
            key=self._key("combinations"),
            persist_state="session",
            wrap=True,
            placeholder="None",
            help="Each is one more variant, with all of its techniques together.",
        )
        self._own_combination()
        return chosen

    def _own_combination(self) -> None:
        """Any techniques that can stand together, to be added to the combinations."""
        picking, adding = st.columns([5, 1], vertical_alignment="bottom")
        picked = picking.multiselect(
            "Combine",
            [technique.key for technique in self.techniques],
            format_func=_named,
            key=self._key("combine"),
            persist_state="session",
            select_all=False,
            wrap=True,
            placeholder="Two techniques or more, by name or key",
            help="Techniques that become one variant together; Add puts it among the combinations above.",
        )
        clash = compose.clash(tuple(picked), self.phase)
        adding.button(
            "Add",
            key=self._key("combine-add"),
            icon=":material/add:",
            width="stretch",
            disabled=len(picked) < 2 or clash is not None,
            on_click=self._add_combination,
        )
        if clash:
            st.warning(markdown_text(clash), icon=":material/report:")

    def _add_combination(self) -> None:
        state, chosen, picked = st.session_state, self._key("combinations"), self._key("combine")
        state[chosen] = list(dict.fromkeys([*state[chosen], Variant.of(state[picked]).key]))
        state[picked] = []

    def device(self, place: DeltaGenerator) -> Device:
        machine = this_machine()
        device: Device = place.segmented_control(
            "Device",
            ["cpu"] if machine.why_no_cuda else ["cpu", "cuda"],
            default="cpu",
            required=True,
            format_func=str.upper,
            key=self._key("device"),
            persist_state="session",
        )
        if reason := machine.why_no_cuda:
            place.caption(markdown_text(f"CUDA is not available: {reason}."))
        return device

    def batch_sizes(self, place: DeltaGenerator) -> list[str]:
        known = {*map(str, self.usual_batch_sizes), *st.session_state[self._key("batch-sizes")]}
        return place.multiselect(
            "Batch sizes",
            sorted(known, key=plan.as_number),
            key=self._key("batch-sizes"),
            accept_new_options=True,
            persist_state="session",
            wrap=True,
            help=f"{self.batch_help} Type any number to add it.",
        )

    def threads(self, place: DeltaGenerator) -> list[int]:
        return place.pills(
            "Threads",
            list(range(1, this_machine().threads + 1)),
            selection_mode="multi",
            key=self._key("threads"),
            persist_state="session",
            help="Of the timed process; several give a row each.",
        )


def _named(keys: str) -> str:
    """A variant by its label and its keys, so that typing either finds it."""
    return f"{views.variant_label(keys)} · {keys}"
