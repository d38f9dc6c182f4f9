"""What the app costs: the server's memory, the first paint of Overview and Explore, a redraw with 10,000 rows.

    python benchmarks/dashboard.py        needs Chromium (Debian: `apt-get install chromium`) and requirements-dev.txt

Must reach: server under 400 MB and without torch, first paint under 2 s, a filter's redraw on Explore within 0.5 s, a
slider's on Decide within 0.3 s. Each time is the median of several, seen by a real browser; the last line is one JSON
document.

First paint is from asking for the page: of Overview, on which the app opens, to the hero, to the cards of the best, to
what held of the article and what to try next; of Explore to the headline cards and to the points of every chart. With a
cold cache the browser has never seen the app, with a warm one it was closed in between. A redraw is from the choice
of a workload to the drawn charts of that workload alone and a script that is done. A slider's redraw is from the key
that moves it by one stop to the answer with the new limit above the drawn chart.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]
ROWS, STUDIES, VISITS, REDRAWS = 10_000, 250, 7, 10
WORKLOAD = "LSTM"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SCREEN = {"width": 1440, "height": 1000}

IDLE = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
DRAWN = """(() => {
  const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
  return charts.length > 0 && charts.every(chart => chart.querySelector('.points path'));
})()"""
PAINTED = {
    "": {
        "hero": "document.querySelector('.st-key-hero h2') !== null",
        "cards": "document.querySelector('.eff-card') !== null",
        "article": "document.querySelector('.eff-article') !== null",
        "next": "document.querySelector('.st-key-next-steps a') !== null",
    },
    "explore": {
        "cards": "document.querySelector('.eff-card') !== null",
        "charts": DRAWN,
    },
}
"""By the page's address: what is waited for, in the order in which it comes."""
CLICKED = "addEventListener('pointerdown', () => { window.clicked = performance.now(); }, true)"
# A chart's name begins with its workload. Gives the milliseconds from the click, once all is drawn and the script ends.
REDRAWN = f"""workload => {DRAWN} && {IDLE}
  && [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
    .every(chart => chart.getAttribute('aria-label').startsWith(workload))
  && document.querySelector('[data-stale=true]') === null
  && performance.now() - window.clicked"""

PRESSED = "addEventListener('keydown', () => { window.pressed = performance.now(); }, true)"
# What is asked stands above the answer. Gives the milliseconds from the key, once it differs and all is drawn.
ANSWERED = f"""before => {DRAWN} && {IDLE}
  && document.querySelector('.eff-card .where').innerText !== before
  && document.querySelector('[data-stale=true]') === null
  && performance.now() - window.pressed"""


@contextmanager
def _serving(home: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The app on a free port, ended whatever happens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"EFFICIENCY_HOME": home, "EFFICIENCY_DB": ""}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stcore/health")
        yield server, url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The app did not start.")


def _paints_s(context: Any, url: str, path: str) -> dict[str, float]:
    """From asking for the page to each of its `PAINTED`, in a tab of its own."""
    page = context.new_page()
    seconds, started = {}, time.perf_counter()
    page.goto(f"{url}/{path}", wait_until="commit")
    for name, there in PAINTED[path].items():
        page.wait_for_function(there, polling="raf", timeout=60_000)
        seconds[name] = time.perf_counter() - started
    page.close()
    return seconds


def _first_paints(
    chromium: Any, executable: str, url: str, path: str, profiles: str, visits: int = VISITS
) -> dict[str, dict[str, float]]:
    """Medians with a cold browser cache (a new profile each time) and with a warm one (one profile, many visits)."""

    def visit(profile: str) -> dict[str, float]:
        with chromium.launch_persistent_context(profile, executable_path=executable, args=FLAGS, viewport=SCREEN) as c:
            return _paints_s(c, url, path)

    cold = [visit(f"{profiles}-{number}") for number in range(visits)]
    warm = [visit(f"{profiles}-0") for _ in range(visits)]
    return {"cold": _medians(cold), "warm": _medians(warm)}


def _medians(visits: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(visit[name] for visit in visits), 2) for name in visits[0]}


def _redraws_s(browser: Any, url: str) -> list[float]:
    """Times from choosing a workload in its filter to the charts it leads to; it is cleared between them."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(url)
    page.wait_for_function(f"{DRAWN} && {IDLE}", timeout=60_000)
    page.evaluate(CLICKED)
    page.wait_for_timeout(2_000)
    field = page.get_by_test_id("stMultiSelect").filter(has_text="Workload").first
    seconds = []
    for _ in range(REDRAWS):
        field.get_by_role("combobox").click()
        option = page.get_by_role("option", name=WORKLOAD, exact=True)
        option.wait_for()
        page.wait_for_timeout(300)
        option.click()
        done = page.wait_for_function(REDRAWN, arg=WORKLOAD, polling="raf", timeout=60_000)
        seconds.append(done.json_value() / 1e3)
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
        field.get_by_role("button", name="Clear all").click()
        page.wait_for_function(REDRAWN, arg="", polling="raf", timeout=60_000)
        page.wait_for_timeout(700)
    page.close()
    return seconds


def _slider_redraws_s(browser: Any, url: str) -> list[float]:
    """Times from moving the slider of latency by a stop to the answer and the chart that it leads to."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(url)
    page.wait_for_function(f"{DRAWN} && {IDLE}", timeout=60_000)
    page.evaluate(PRESSED)
    page.wait_for_timeout(2_000)
    slider = page.get_by_test_id("stSlider").filter(has_text="Latency").get_by_role("slider")
    seconds = []
    for _ in range(REDRAWS):
        before = page.locator(".eff-card .where").first.inner_text()
        slider.press("ArrowLeft")
        done = page.wait_for_function(ANSWERED, arg=before, polling="raf", timeout=60_000)
        seconds.append(done.json_value() / 1e3)
        page.wait_for_timeout(700)
    page.close()
    return seconds


def _memory_mb(server: subprocess.Popen[bytes]) -> float:
    return float(psutil.Process(server.pid).memory_info().rss / 1e6)


def _holds_torch(server: subprocess.Popen[bytes]) -> bool:
    """Whether the server has torch's library mapped."""
    return any("libtorch" in part.path for part in psutil.Process(server.pid).memory_maps())


def main() -> None:
    import synthetic
    from playwright.sync_api import sync_playwright

    from efficiency.results import documents
    from efficiency.results.store import Store

    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise SystemExit("Chromium is needed; install it with `apt-get install chromium`.")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        sync_playwright() as playwright,
        Store.open(f"sqlite:///{home}/efficiency.db") as store,
        _serving(home) as (server, url),
    ):
        documents.ensure_example(store)
        cold_start = _first_paints(playwright.chromium, executable, url, "", f"{home}/first", visits=1)["cold"]
        paints = {
            page or "overview": _first_paints(playwright.chromium, executable, url, page, f"{home}/{page}-then")
            for page in PAINTED
        }
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            usual = synthetic.many(store, ROWS, studies=STUDIES)[0]
            redraws = {"a_study_of_usual_size": _redraws_s(browser, f"{url}/explore?study={usual}")}
            for id in store.studies()["id"]:
                store.delete(id)
            (large,) = synthetic.many(store, ROWS)
            redraws["one_study_of_all_rows"] = _redraws_s(browser, f"{url}/explore?study={large}")
            redraws["decide"] = _slider_redraws_s(browser, f"{url}/decide?study={large}")
        finally:
            browser.close()
        memory_mb, torch = _memory_mb(server), _holds_torch(server)
    report = {
        "benchmark": "dashboard",
        "server_memory_mb": round(memory_mb),
        "server_holds_torch": torch,
        "first_paint_of_a_fresh_server_s": cold_start,
        "first_paint_s": paints,
        "redraw_s": {case: round(statistics.median(seconds), 2) for case, seconds in redraws.items()},
        "redraw_slowest_s": {case: round(max(seconds), 2) for case, seconds in redraws.items()},
        "rows": ROWS,
        "studies": STUDIES,
        "must_reach": {"server_memory_mb": 400, "first_paint_s": 2.0, "redraw_s": 0.5, "redraw_s_decide": 0.3},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
