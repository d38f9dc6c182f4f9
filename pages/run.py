"""Run: plan a study, see what it will take, follow it while it runs."""

import streamlit as st

from efficiency.ui import data, following, frame, plan_form, plan_preview

frame.ensure()
store = data.store()
with frame.sentences():
    following.show(store)
with frame.sentences():
    st.markdown("## Plan a study")
    study = plan_form.show()
    plan_preview.show(store, study)
