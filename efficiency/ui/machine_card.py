"""The machine in plain words, and every fact behind them."""

from __future__ import annotations

from html import escape

import streamlit as st

from efficiency import ceiling
from efficiency.analysis import machine_words, tables
from efficiency.analysis.wording import markdown_text
from efficiency.machine import Machine, memory_free_mb
from efficiency.ui import frame


def show(machine: Machine) -> None:
    """A heading, a card a fact, and the table of all."""
    st.markdown("## Machine")
    st.caption(markdown_text(f"{machine.cpu_model} · {machine.system} · PyTorch {machine.torch_version}"))
    cards = [
        f'<div><div class="where">{escape(what)}</div><div class="big">{escape(answer)}</div>'
        f'<div class="where">{escape(meaning)}</div></div>'
        for what, answer, meaning in machine_words.facts(machine, memory_free_mb())
    ]
    st.html(f'<div class="eff-cards eff-facts">{"".join(cards)}</div>')
    with st.expander("All facts", icon=":material/table_rows:"):
        st.dataframe(tables.machine_facts(machine.as_dict()), hide_index=True, alt="All that is known of the machine")


def compact(machine: Machine) -> None:
    """The machine in a few lines, and the way to all of it."""
    with st.container(key="your-machine", border=True, height="stretch"):
        lines = "".join(
            f"<dt>{escape(what)}</dt><dd>{escape(answer)}</dd>"
            for what, answer in machine_words.summary(machine, ceiling.known(machine.key))
        )
        st.html(f'<div class="eff-machine"><b>{escape(machine.cpu_model)}</b><dl>{lines}</dl></div>')
        st.page_link(frame.page("machine"), label="What it can do at most", icon=":material/memory:")
