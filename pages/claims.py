"""Claims: what the article says, held against what was measured on this machine."""

import streamlit as st

from efficiency.machine import this_machine
from efficiency.ui import claims, claims_run, data, frame


def show() -> None:
    """The sentence over all, what is missing, the claims, and the three kinds of quantization."""
    store, machine = data.store(), this_machine()
    with frame.sentences():
        here, found = claims.judged(store, machine)
        claims.headline(found, machine)
        claims_run.show(store, found, machine)
        st.fragment(claims.cards)(found, machine)
        claims.three_kinds(here)


frame.show(show)
