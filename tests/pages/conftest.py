"""The app in the test's own process, over a database that is filled without measuring."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import opened
import psutil
import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from efficiency.results.store import Store


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as kept:
        yield kept


@pytest.fixture(autouse=True)
def as_on_a_fresh_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page was visited yet: Streamlit keeps that in a class variable."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def visit(store: Store) -> Callable[..., AppTest]:
    """Opens a page, as `opened.page` does. Unless told, it is the page on which most stands: Explore."""

    def open_page(name: str = "explore", **parameters: str | list[str]) -> AppTest:
        return opened.page(name, **parameters)

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
