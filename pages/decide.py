"""Decide: which variant to ship, given what may be lost and spent."""

import streamlit as st

from efficiency.ui import asked, data, decide, decide_limits, frame, headline, hero


def page() -> None:
    """The study, then its answer, the limits and the chart, which a slider redraws by themselves."""
    store = data.store()
    studies = data.studies(store)
    if studies.empty:
        return hero.nothing_yet()
    st.markdown("## Which one do I ship?")
    chosen = asked.choose_one(studies)
    with frame.sentences():
        headline.where_from(store, [chosen])
    decide_limits.recall()
    st.fragment(decide.show)(store, chosen)


frame.show(page)
