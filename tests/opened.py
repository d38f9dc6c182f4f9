"""The app in the test's own process."""

from __future__ import annotations

from functools import cache

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from efficiency import paths


def app() -> AppTest:
    """Before its first run, as on a server that is up."""
    at = AppTest.from_file(str(paths.PROJECT / "app.py"), default_timeout=60)
    at._bidi_component_manager = _components()
    return at


@cache
def _components() -> BidiComponentManager:
    """What custom components are installed. By itself every `AppTest` looks through all packages for them, once more,
    which takes a quarter of the time that it takes to open a page; a server looks when it starts."""
    found = BidiComponentManager()
    found.discover_and_register_components(start_file_watching=False)
    return found


def page(name: str, **parameters: str | list[str]) -> AppTest:
    """A page by its address, with query parameters, as the first of a session; an exception on it fails the test.

    Overview is not drawn before it, which takes as long again: a page is the same either way, as `test_frame.py` shows.
    """
    at = app()
    if name != "overview":
        at.switch_page(f"pages/{name}.py")
    for parameter, value in parameters.items():
        at.query_params[parameter] = value
    at.run()
    assert not at.exception, at.exception[0].value
    return at
