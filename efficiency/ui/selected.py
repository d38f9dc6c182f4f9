"""The row whose details are open: in the address as `?row=`, set by a click on a point or on a line."""

from __future__ import annotations

import streamlit as st

PARAMETER = "row"


def key_of(name: str) -> str:
    """A widget's key for as long as its selection stands; closing the details clears every selection."""
    return f"{name}-{st.session_state.get('selections-cleared', 0)}"


def from_chart(key: str) -> None:
    """A point was clicked: its row's id is in `customdata`."""
    for point in st.session_state[key].selection.points:
        if point.get("customdata"):
            data = point["customdata"]
            # A list in today's Streamlit; older ones gave a mapping of positions.
            st.query_params[PARAMETER] = str(data["0"] if isinstance(data, dict) else data[0])


def from_table(key: str, row_ids: list[int]) -> None:
    """A line of the table was chosen."""
    for place in st.session_state[key].selection.rows:
        if place < len(row_ids):
            st.query_params[PARAMETER] = str(row_ids[place])


def asked() -> str | None:
    """What `?row=` says, if anything."""
    return st.query_params.get(PARAMETER)


def close() -> None:
    """Nothing is chosen any more."""
    st.query_params.pop(PARAMETER, None)
    st.session_state["selections-cleared"] = st.session_state.get("selections-cleared", 0) + 1
