"""Explore: what each technique costs and gives, as a chart, a table and the details of a point."""

import streamlit as st

from efficiency.ui import asked, comparison, data, details, filters, frame, headline, hero, trade_off

frame.ensure()
store = data.store()
with frame.sentences():
    hero.show(store)
with frame.sentences():
    studies = data.studies(store)
    if studies.empty:
        hero.nothing_yet()
        st.stop()
    chosen = asked.choose(studies)
    headline.where_from(store, chosen)
    rows = data.rows(store, chosen)
    if rows.empty:
        headline.no_rows(store, chosen)
        st.stop()
    shown = filters.choose(rows)
    headline.cards(shown)
    trade_off.show(shown, chosen)
    comparison.show(shown)
    comparison.downloads(store, chosen)
    details.open_asked(store, rows)
