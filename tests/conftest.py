"""What several folders of tests share: a home of their own, and a browser before a real server."""

from __future__ import annotations

import contextlib
import getpass
import multiprocessing.util
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import once
import pytest
from serving import Server, serving

from efficiency import paths

# Two test processes share the cores: threads of one that spin while they wait take them from the other. Set before
# anything loads PyTorch; what a study asks for is set by the study.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOW_TO_GET_IT = (
    "BROWSER TESTS ARE SKIPPED: no Chromium was found. Install it with `sudo apt-get install chromium` "
    "(Debian, Ubuntu), or set CHROMIUM to the path of one."
)


CACHE = paths.home() / "cache"
INDUCTOR = f"torchinductor_{getpass.getuser()}"
HEADERS = Path(tempfile.gettempdir()) / INDUCTOR / "precompiled_headers"
"""Where Inductor keeps PyTorch's headers, compiled: a process that does not find them takes 20 s to make its own."""

SLOW_FILES = (
    "test_every_technique.py", "test_training_recipes.py", "test_browser.py", "test_recipes.py", "test_cli.py",
    "test_study_in_browser.py", "test_preparing.py", "test_conductor.py", "test_real_data.py", "test_training_study.py",
    "test_cards.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take a minute or more come first: of two processes, none then waits for the other's last file."""
    places = {name: place for place, name in enumerate(SLOW_FILES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session", autouse=True)
def shared_by_processes(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where `once.py` keeps what it makes: of several test processes each has a folder in that of the run."""
    own = tmp_path_factory.getbasetemp()
    os.environ[once.FOLDER] = str(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Under a short path: the names of sockets there may have 107 characters in all."""
    # Both settle their folder at first use, and this one goes before they do.
    tmp_path_factory.getbasetemp()
    multiprocessing.util.get_temp_dir()
    with tempfile.TemporaryDirectory(prefix="eff-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def temporary_folder(scratch: Path) -> Path:
    """For a test's own temporary files; compiled headers alone are shared, as they are among a user's processes."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    HEADERS.mkdir(parents=True, exist_ok=True)
    (folder / INDUCTOR).mkdir()
    (folder / INDUCTOR / HEADERS.name).symlink_to(HEADERS)
    return folder


@pytest.fixture(autouse=True)
def isolated(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home, a database and a turn at the machine of the test's own; data sets that were made once are shared."""
    home, temporary = Path(tempfile.mkdtemp(dir=scratch)), temporary_folder(scratch)
    CACHE.mkdir(parents=True, exist_ok=True)
    (home / "cache").symlink_to(CACHE)
    monkeypatch.setenv("EFFICIENCY_HOME", str(home))
    monkeypatch.delenv("EFFICIENCY_DB", raising=False)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))


@pytest.fixture(scope="session")
def settle(scratch: Path) -> Callable[[Path, pytest.MonkeyPatch], Path]:
    """Makes a folder and the home of it, until the patch is undone: an empty home, database and folder for temporary
    files, here and in child processes; no example."""

    def make(folder: Path, patch: pytest.MonkeyPatch) -> Path:
        temporary = temporary_folder(scratch)
        folder.mkdir()
        patch.setenv("EFFICIENCY_HOME", str(folder))
        patch.setenv("EFFICIENCY_DB", f"sqlite:///{folder / 'efficiency.db'}")
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        patch.setattr(paths, "EXAMPLE", folder / "no-example.json.gz")
        return folder

    return make


@pytest.fixture
def home(tmp_path: Path, settle: Callable[[Path, pytest.MonkeyPatch], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, as `settle` makes it, for this test."""
    return settle(tmp_path / "home", monkeypatch)


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[[], Server]]:
    """Starts the app in the test's home; ended when the test is."""
    with contextlib.ExitStack() as started:
        yield lambda: started.enter_context(serving(home))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser for all tests; where there is none, they are skipped loudly, and on CI they fail."""
    found = next((path for path in (os.environ.get("CHROMIUM", ""), *CHROMIUM) if path and Path(path).is_file()), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(HOW_TO_GET_IT.replace("ARE SKIPPED", "CANNOT RUN"))
        warnings.warn(HOW_TO_GET_IT, stacklevel=1)
        pytest.skip(HOW_TO_GET_IT)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A fresh tab, 1440 wide, that waits up to 30 s for what a test expects."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says it again at the very end, where it is read."""
    if any(HOW_TO_GET_IT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_sep("!", HOW_TO_GET_IT, red=True, bold=True)
