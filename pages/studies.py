"""Studies: everything that was measured or imported; rename, delete, import, export."""

import streamlit as st

from efficiency.ui import asked, data, frame, history, importing


def studies() -> None:
    """The import, then the list."""
    store = data.store()
    st.markdown("## Studies")
    importing.show(store)
    kept = data.studies(store)
    asked.say_unknown(asked.known(kept)[1])
    history.show(store, kept)


frame.show(studies)
