"""Explore: what each technique costs and gives, as a chart, a table and the details of a point."""

from efficiency.ui import asked, comparison, data, details, filters, frame, headline, hero, trade_off


def explore() -> None:
    """The first screen: what this is, the studies that are chosen, and what they found."""
    store = data.store()
    with frame.sentences():
        hero.show(store)
    studies = data.studies(store)
    if studies.empty:
        return hero.nothing_yet()
    chosen = asked.choose(studies)
    headline.where_from(store, chosen)
    rows = data.rows(store, chosen)
    if rows.empty:
        return headline.no_rows(store, chosen)
    shown = filters.choose(rows)
    headline.cards(shown)
    trade_off.show(shown, chosen)
    comparison.show(shown)
    comparison.downloads(store, chosen)
    details.open_asked(store, rows)


frame.show(explore)
