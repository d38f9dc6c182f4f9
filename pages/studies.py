"""Studies: everything that was measured or imported; rename, delete, import, export."""

import streamlit as st

from efficiency.ui import asked, data, frame, history, importing

frame.ensure()
store = data.store()
with frame.sentences():
    st.markdown("## Studies")
    importing.show(store)
    studies = data.studies(store)
    asked.say_unknown(asked.known(studies)[1])
    history.show(store, studies)
