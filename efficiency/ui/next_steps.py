"""What to try next, below the best findings: the first screen says what this is, what was found, and how to go on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency.ui import frame


def show(studies: pd.DataFrame) -> None:
    """Links in the order in which a newcomer needs them; what there is nothing for is left out."""
    filled = studies[studies["rows"] > 0]
    with st.container(key="next-steps", horizontal=True, vertical_alignment="center"):
        st.caption("Next:", width="content")
        st.page_link(
            frame.page("run"), label="Measure models and techniques of your choice", icon=":material/play_circle:"
        )
        if len(filled):
            st.page_link(
                frame.page("decide"), label="Which one do I ship?", icon=":material/rule:",
                help="The fastest variant within your limits, with what ties with it and what it costs.",
            )  # fmt: skip
        st.page_link(frame.page("claims"), label="Was the article right, here?", icon=":material/fact_check:")
        if len(filled) > 1:
            st.page_link(
                frame.page("compare"), label="Compare two studies", icon=":material/compare_arrows:",
                help="Which variant moved between them, and whether that is more than noise.",
            )  # fmt: skip
        st.page_link(frame.page("machine"), label="What this machine can do at most", icon=":material/memory:")
        st.page_link(frame.page("studies"), label="Reports and exports", icon=":material/article:")
