"""The frame around every page: title, navigation, style, and errors as sentences.

Streamlit takes a `pages/` folder for its old kind of multipage app until a session has called
`st.navigation`. Until then a deep link runs the page's file alone, without `app.py`. So each page hands its
body to `show`, which draws the frame where `app.py` has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from efficiency.analysis.wording import markdown_text, without_options
from efficiency.errors import EfficiencyError
from efficiency.paths import PROJECT

TITLE = "Efficiency"
_HERE = Path(__file__).parent
_drawn = ContextVar("the frame is drawn by app.py", default=False)


PAGES = {
    "overview": ("Overview", ":material/home:"),
    "explore": ("Explore", ":material/scatter_plot:"),
    "decide": ("Decide", ":material/rule:"),
    "claims": ("Claims", ":material/fact_check:"),
    "drift": ("Drift", ":material/trending_down:"),
    "run": ("Run", ":material/play_circle:"),
    "training": ("Training", ":material/model_training:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "studies": ("Studies", ":material/folder_open:"),
    "machine": ("Machine", ":material/memory:"),
}
"""Title and icon of each page by the name of its file in `pages/`, in the order of the navigation.
The app opens on the first."""


def page(name: str) -> Page:
    """The page of that name in `PAGES`."""
    title, icon = PAGES[name]
    file = PROJECT / "pages" / f"{name}.py"
    if name == next(iter(PAGES)):
        return st.Page(file, title=title, icon=icon, default=True)
    return st.Page(file, title=title, icon=icon, url_path=name)


def _draw() -> Page:
    st.set_page_config(page_title=TITLE, page_icon=_HERE / "icon.svg", layout="wide")
    st.logo(_HERE / "logo.svg", size="large")
    st.html(_HERE / "style.css")
    return st.navigation([page(name) for name in PAGES], position="top")


def run() -> None:
    """Draws the frame and the page that the address names."""
    chosen = _draw()
    token = _drawn.set(True)
    try:
        chosen.run()
    finally:
        _drawn.reset(token)


def show(body: Callable[[], None]) -> None:
    """A page's last line: draws its body, with the frame around it where `app.py` has not drawn one.

    Without `app.py` the page's file is run once more, from within the frame: so it is the same page to
    Streamlit either way, and the first click on it counts.
    """
    if _drawn.get():
        with sentences():
            body()
    else:
        run()


@contextmanager
def sentences() -> Iterator[None]:
    """What a user can cause is said in a sentence, in place, and the rest of the page stands."""
    try:
        yield
    except EfficiencyError as error:
        st.error(markdown_text(without_options(error)), icon=":material/error:")
