"""What else the machine does now, and whether it is a good moment to measure."""

from __future__ import annotations

import streamlit as st

from efficiency import health
from efficiency.analysis import machine_words, wording
from efficiency.analysis.wording import markdown_text, number
from efficiency.engine import jobs, turn
from efficiency.health import Health
from efficiency.results.store import Store
from efficiency.ui import frame

EVERY_S = 3.0
_BEFORE, _SEEN = "health-before", "health-seen"


def show(store: Store) -> None:
    """Looks again every few seconds, for as long as the page is open."""
    st.markdown("## Is it quiet?")
    st.fragment(_now, run_every=EVERY_S)(store)


def _now(store: Store) -> None:
    """What happened since the last look; the first one has nothing to compare with.

    While something is measured nothing is looked at: that would be work beside what is timed.
    """
    with frame.sentences():
        others = turn.at_work()
        if jobs.live(store) or others:
            at_work = "a study" if jobs.live(store) else wording.at_work(others)
            st.session_state.pop(_BEFORE, None)
            st.warning(markdown_text(machine_words.not_now(at_work)), icon=":material/warning:")
            return
        now, before = health.read(), st.session_state.get(_BEFORE)
        # A look right after another, as when the page is run again by a click, says too little.
        if before is None or now.at_s - before.at_s > EVERY_S / 2:
            st.session_state[_BEFORE] = now
            if before is not None:
                st.session_state[_SEEN] = health.between(before, now)
        seen: Health | None = st.session_state.get(_SEEN)
        if seen is None:
            st.info("Looking at what else is running …", icon=":material/hourglass_empty:")
            return
        good, sentence = machine_words.moment(seen)
        say, icon = (st.success, ":material/check_circle:") if good else (st.warning, ":material/warning:")
        say(markdown_text(sentence), icon=icon)
        _figures(seen)


def _figures(seen: Health) -> None:
    shown = (
        ("Other programs", f"{seen.others_cores:.2f}", "cores busy"),
        ("Load", f"{seen.load:.2f}", "average of a minute"),
        ("Stolen", f"{100 * seen.stolen_share:.1f} %", "by other virtual machines"),
        ("Held back", f"{100 * seen.throttled_share:.1f} %", "by the container’s quota"),
        ("Swapped", number(seen.swapped_mb, "MB") if seen.swapped_mb else "0 MB", "since the last look"),
    )
    cards = [
        f'<div><div class="where">{what}</div><div class="big">{answer}</div><div class="where">{rest}</div></div>'
        for what, answer, rest in shown
    ]
    st.html(f'<div class="eff-cards eff-facts">{"".join(cards)}</div>')
    if seen.busiest:
        busiest = ", ".join(f"**{markdown_text(name)}** {cores:.2f} cores" for name, cores in seen.busiest)
        st.markdown(f"Busiest now: {busiest}")
