"""Compare: two studies side by side, which variant moved, and whether that is more than noise."""

import streamlit as st

from efficiency.ui import data, frame, side_by_side


def compare() -> None:
    """The choice of A and B, what differs between them, and what moved."""
    store = data.store()
    st.markdown("## Compare two studies")
    chosen = side_by_side.choose(store, data.studies(store))
    if chosen is None:
        return
    with frame.sentences():
        side_by_side.show(store, *chosen)


frame.show(compare)
