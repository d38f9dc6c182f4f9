"""Explore: what each technique costs and gives, as a chart, a table and the details of a point."""

import streamlit as st

from efficiency.results.store import Store
from efficiency.ui import asked, comparison, data, details, filters, frame, headline, hero, trade_off


def explore() -> None:
    """The studies that are chosen, and what they found."""
    store = data.store()
    st.markdown("## What does each technique give, and what does it cost?")
    studies = data.studies(store)
    if studies.empty:
        return hero.nothing_yet()
    chosen = asked.choose(studies)
    headline.where_from(store, chosen)
    st.fragment(_found)(store, chosen)


def _found(store: Store, chosen: list[str]) -> None:
    """What a filter, an axis or a click changes: run again by itself, so that the rest of the page stands."""
    with frame.sentences():
        now = data.version(store)  # asked before the rows, so that what is kept of them is never kept for too long
        rows = data.rows(store, chosen)
        if rows.empty:
            return headline.no_rows(store, chosen)
        shown = filters.choose(rows)
        headline.cards(shown)
        trade_off.show(shown, chosen, data.bands_pct(store, chosen), now)
        comparison.show(shown)
        comparison.downloads(store, chosen, shown)
        details.open_asked(store, rows)


frame.show(explore)
