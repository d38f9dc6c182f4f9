"""The frame around every page: title, navigation, style, and errors as sentences.

Streamlit takes a `pages/` folder for its old kind of multipage app until a session has called
`st.navigation`. Until then a deep link runs the page's file alone, without `app.py`. So each page calls
`ensure` first: it draws the frame where `app.py` has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from efficiency.errors import EfficiencyError
from efficiency.paths import PROJECT

TITLE = "Efficiency"
_HERE = Path(__file__).parent
_drawn = ContextVar("the frame is drawn by app.py", default=False)


def page(name: str) -> Page:
    """The page of that name: `explore`, `run` or `studies`."""
    title, icon = {
        "explore": ("Explore", ":material/scatter_plot:"),
        "run": ("Run", ":material/play_circle:"),
        "studies": ("Studies", ":material/folder_open:"),
    }[name]
    file = PROJECT / "pages" / f"{name}.py"
    if name == "explore":
        return st.Page(file, title=title, icon=icon, default=True)
    return st.Page(file, title=title, icon=icon, url_path=name)


def _draw() -> Page:
    st.set_page_config(page_title=TITLE, page_icon=_HERE / "icon.svg", layout="wide")
    st.logo(_HERE / "logo.svg", size="large")
    st.html(_HERE / "style.css")
    return st.navigation([page(name) for name in ("explore", "run", "studies")], position="top")


def run() -> None:
    """Draws the frame and the page that the address names."""
    chosen = _draw()
    token = _drawn.set(True)
    try:
        chosen.run()
    finally:
        _drawn.reset(token)


def ensure() -> None:
    """Draws the frame, if this page was reached without `app.py`."""
    if not _drawn.get():
        _draw()


@contextmanager
def sentences() -> Iterator[None]:
    """What a user can cause is said in a sentence, in place, and the rest of the page stands."""
    try:
        yield
    except EfficiencyError as error:
        st.error(str(error), icon=":material/error:")
