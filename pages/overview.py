"""Overview: your machine, the best of each family of models, what held of the article, what to try next."""

import streamlit as st

from efficiency.machine import Machine, this_machine
from efficiency.ui import article, asked, best, data, frame, hero, machine_card, next_steps


def overview() -> None:
    """The whole story in one screen."""
    asked.pass_on()
    with st.container(key="overview", gap="xsmall"):
        _story(this_machine())


def _story(machine: Machine) -> None:
    """What needs no database first, so that the page says what it is whatever becomes of the rest."""
    introduction, beside = st.columns([2.3, 1], gap="medium")
    with introduction:
        place = hero.show()
    with beside:
        machine_card.compact(machine)
    store = data.store()
    with frame.sentences():
        hero.measure(place, store, machine)
    with frame.sentences():
        best.show(store, machine)
    held, next_up = st.columns([2.3, 1], gap="medium")
    with held, frame.sentences():
        article.show(store, machine)
    with next_up, frame.sentences():
        next_steps.show(store, machine)


frame.show(overview)
