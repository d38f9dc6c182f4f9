"""A zip that a click makes, and then, in the same place, the button that downloads it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from efficiency.analysis.wording import markdown_text
from efficiency.errors import EfficiencyError


def offer(
    name: str, of: tuple[str, int], label: str, make: Callable[[], bytes], file_name: str, *, icon: str, help: str
) -> None:
    """Made ahead of the download, so that an `EfficiencyError` is shown: Streamlit says of its own that it failed.

    `of` is the study's id and the row's, which another study's row may have once this one is deleted. The session
    keeps the last one of this name, `(of, bytes)`, which may hold a hundred megabytes.
    """
    place = st.empty()
    made = st.session_state.get(name)
    if made is None or made[0] != of:
        if not place.button(label, icon=icon, help=help, key=f"make-{name}"):
            return
        try:
            with st.spinner("Making the zip"):
                made = st.session_state[name] = (of, make())
        except EfficiencyError as error:
            st.error(markdown_text(error), icon=":material/error:")
            return
    place.download_button(
        f"{label}, {len(made[1]) / 1e6:.1f} MB",
        made[1],
        file_name,
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
    )
