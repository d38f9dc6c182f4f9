"""Which studies a page shows: the address says it, so that a view can be shared and survives a reload."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import streamlit as st

from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.ui import frame, selected

PARAMETER = "study"


def in_address() -> list[str]:
    """The ids that `?study=A,B` or `?study=A&study=B` names."""
    values = st.query_params.get_all(PARAMETER)
    return list(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))


def known(studies: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The ids in the address, split into those that exist and those that do not."""
    ids = set(studies["id"])
    asked = in_address()
    return [id for id in asked if id in ids], [id for id in asked if id not in ids]


def say_unknown(unknown: list[str]) -> None:
    """A sentence for a study that is not here; nothing else on the page is lost."""
    for id in unknown[:3]:
        st.warning(
            f"There is no study “{markdown_text(id[:80])}” in this database; choose another one, "
            "or import it on the page Studies.",
            icon=":material/link_off:",
        )


def say_unlisted(what: str, parameter: str, values: Collection[str]) -> None:
    """A sentence for what an address asks for and a widget that is bound to it does not list; it then shows the usual.

    Before the widget is made, which takes it out of the address.
    """
    for asked in st.query_params.get_all(parameter)[:3]:
        if asked and asked not in values:
            st.caption(f"The address asks for {what} “{markdown_text(asked[:80])}”, which is not here.")


def pass_on() -> None:
    """An address of the first page that names a study or a row is of the time when the app opened on Explore."""
    named = {name: st.query_params.get_all(name) for name in st.query_params}
    if PARAMETER in named or selected.PARAMETER in named:
        st.switch_page(frame.page("explore"), query_params=named)


def _own_questions(studies: pd.DataFrame) -> pd.DataFrame:
    """Those that hold rows and are no confirmation, which belongs to another study."""
    return studies[(studies["rows"] > 0) & (studies["confirms"] == "")]


def _keep() -> None:
    st.query_params[PARAMETER] = st.session_state["studies-shown"] or ""


def choose(studies: pd.DataFrame) -> list[str]:
    """A selector over all studies; by default the newest that holds rows, else the example.

    `?study=` with nothing behind it is a choice, too: none of them.
    """
    found, unknown = known(studies)
    say_unknown(unknown)
    emptied = PARAMETER in st.query_params and not in_address()
    if not (found or emptied):
        filled = _own_questions(studies)
        own = filled[~filled["example"].astype(bool)]
        found = list((own if len(own) else filled)["id"].head(1)) or list(studies["id"].head(1))
    if found and not in_address():
        # The address names what is shown from the start: what is copied from it shows the same later.
        st.query_params[PARAMETER] = found
    names = views.study_labels(studies)
    st.session_state["studies-shown"] = found
    chosen: list[str] = st.multiselect(
        "Studies",
        list(names),
        format_func=lambda id: names.get(id, id),
        key="studies-shown",
        on_change=_keep,
        placeholder="Choose one or more studies",
        help="Several studies are drawn together, with a symbol each.",
    )
    return chosen


def choose_one(studies: pd.DataFrame) -> str:
    """The same for a page that asks what to ship: the first in the address, else the newest of inference with rows."""
    found, unknown = known(studies)
    say_unknown(unknown)
    filled = _own_questions(studies)
    filled = filled[filled["phase"] != "training"]
    own = filled[~filled["example"].astype(bool)]
    found = found or list((own if len(own) else filled)["id"].head(1)) or list(studies["id"].head(1))
    st.query_params[PARAMETER] = found[0]
    names = views.study_labels(studies)
    st.session_state["study-shown"] = found[0]
    chosen: str = st.selectbox(
        "Study",
        list(names),
        format_func=lambda id: names.get(id, id),
        key="study-shown",
        on_change=lambda: st.query_params.update({PARAMETER: st.session_state["study-shown"]}),
    )
    return chosen
