"""What held of the article, in one card: how many claims hold, and those that surprise most."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from efficiency.claims import ARTICLE_HELD, WORDS, Case, Judged, Verdict
from efficiency.claims.surprise import surprising
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.ui import claims, frame

SURPRISES = 3


def show(store: Store, machine: Machine) -> None:
    """A count a verdict, which filters the page Claims, and what of the article does not hold here."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("### What held of the article", width="content")
        st.page_link(frame.page("claims"), label="Every claim, with its figures", icon=":material/fact_check:")
    _, found = claims.judged(store, machine)
    claims.style()
    counts = "".join(
        _count(verdict, number) for verdict in WORDS if (number := sum(one.verdict == verdict for one in found))
    )
    surprises = "".join(_surprise(*pair) for pair in surprising(found)[:SURPRISES])
    if not surprises:
        judged = sum(one.verdict not in ("not-measured", "not-testable") for one in found)
        surprises = f"<p>{_without(judged)}</p>"
    st.html(f'<section class="eff-claim eff-article"><div class="counts">{counts}</div>{surprises}</section>')
    st.caption(ARTICLE_HELD)


def _without(judged: int) -> str:
    return (
        "Nothing that was judged here speaks against the article."
        if judged
        else "None of its claims is judged yet: they ask for rows that were measured on this machine."
    )


def _count(verdict: Verdict, number: int) -> str:
    address = f"./{frame.page('claims').url_path}?{urlencode({'verdict': WORDS[verdict]})}"
    return (
        f'<a href="{escape(address)}" target="_self"><b>{number}</b>'
        f'<span class="verdict {verdict}"><i></i>{WORDS[verdict]}</span></a>'
    )


def _surprise(one: Judged, case: Case) -> str:
    figure = f": {case.figure.said()}, line {case.figure.line_said()}" if case.figure else ""
    word = "Does not hold here" if one.verdict == "does-not-hold" else "Holds in part"
    return f'<p class="surprise"><b>{escape(one.claim.says)}</b> {word}; {escape(case.label)}{escape(figure)}.</p>'
