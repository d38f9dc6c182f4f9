"""Run: plan a study, see what it will take, follow it while it runs."""

import streamlit as st

from efficiency.ui import data, following, frame, plan_form, plan_link, plan_preview


def run() -> None:
    """What runs first, then the form for the next study."""
    plan_link.fill()
    store = data.store()
    with frame.sentences():
        following.show(store)
    st.markdown("## Plan a study")
    study = plan_form.show()
    plan_preview.show(store, study)


frame.show(run)
