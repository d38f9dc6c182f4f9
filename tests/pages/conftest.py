"""The app in the test's own process, over a database that is filled without measuring."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from efficiency import paths
from efficiency.results.store import Store


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


@pytest.fixture(autouse=True)
def as_on_a_fresh_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page was visited yet: Streamlit keeps that in a class variable."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def visit(store: Store) -> Callable[..., AppTest]:
    """Opens a page by its address, with query parameters, as the first of a session; an exception on it fails the test.
    Unless told, it is the page on which most stands: Explore.

    Overview is not drawn before it, which takes as long again: a page is the same either way, as `test_frame.py` shows.
    """

    def open_page(page: str = "explore", **parameters: str | list[str]) -> AppTest:
        at = AppTest.from_file(str(paths.PROJECT / "app.py"), default_timeout=60)
        if page != "overview":
            at.switch_page(f"pages/{page}.py")
        for name, value in parameters.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception, at.exception[0].value
        return at

    return open_page


@pytest.fixture
def working(home: Path) -> Iterator[Callable[..., None]]:
    """Makes a study look as if a process were at it: a process that sleeps, and its progress file."""
    started: list[subprocess.Popen[bytes]] = []

    def start(study_id: str, **told: object) -> None:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        started.append(process)
        document = {
            "study_id": study_id,
            "state": "running",
            "now": "LSTM: Dynamic INT8",
            "done": 3,
            "total": 22,
            "prepared": 22,
        }
        document |= {"elapsed_s": 61.0, "left_s": 95.0, "waiting_for": None, **told}
        document |= {"pid": process.pid, "pid_started": psutil.Process(process.pid).create_time()}
        folder = home / "jobs"
        folder.mkdir(exist_ok=True)
        (folder / f"{study_id}.json").write_text(json.dumps(document))

    yield start
    for process in started:
        process.kill()
        process.wait()
