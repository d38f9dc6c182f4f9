"""What the app costs: the server's memory, the first paint of Explore, a filter's redraw with 10,000 rows.

    python benchmarks/dashboard.py        needs Chromium (Debian: `apt-get install chromium`) and requirements-dev.txt

Must reach: server under 400 MB and without torch, first paint under 2 s, redraw within 0.5 s. Each time is
the median of several, seen by a real browser; the last line is one JSON document.
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
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]
ROWS, REPEATS = 10_000, 7
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CHART = ".js-plotly-plot .point, .js-plotly-plot .points path"


def _serve(home: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"EFFICIENCY_HOME": home, "EFFICIENCY_DB": ""}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return server, url
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("The app did not start.")


def _paint_s(browser: Any, url: str) -> float:
    """From asking for the page to the chart's points, in a fresh session with a warm browser cache."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(CHART, state="attached", timeout=60_000)
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def _redraw_s(page: Any) -> float:
    """From a click on a workload's filter to the table and the chart it leads to."""
    # The chart's title text changes with the workload: that is when the redraw is seen.
    before = page.evaluate("document.querySelector('.js-plotly-plot').parentElement.innerHTML.length")
    option = page.locator('[data-testid="stButtonGroup"] button[aria-checked="false"]').first
    started = time.perf_counter()
    option.click()
    page.wait_for_function(
        "before => document.querySelector('.js-plotly-plot')"
        " && document.querySelector('.js-plotly-plot').parentElement.innerHTML.length !== before"
        ' && !document.querySelector(\'[data-testid="stApp"][data-test-script-state="running"]\')',
        arg=before,
        polling=10,
        timeout=60_000,
    )
    return time.perf_counter() - started


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

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed; install it with `apt-get install chromium`.")
    with tempfile.TemporaryDirectory() as home:
        store = Store.open(f"sqlite:///{home}/efficiency.db")
        documents.ensure_example(store)
        server, url = _serve(home)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            paints = [_paint_s(browser, url) for _ in range(REPEATS + 1)]
            many = synthetic.many(store, ROWS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(f"{url}/?study={many}")
            page.wait_for_selector(CHART, state="attached", timeout=60_000)
            page.wait_for_timeout(3_000)
            redraws = [_redraw_s(page) for _ in range(REPEATS)]
            memory_mb, torch = _memory_mb(server), _holds_torch(server)
            browser.close()
        server.terminate()
        server.wait()
    report = {
        "benchmark": "dashboard",
        "server_memory_mb": round(memory_mb),
        "server_holds_torch": torch,
        "first_paint_of_a_fresh_server_s": round(paints[0], 2),
        "first_paint_s": round(statistics.median(paints[1:]), 2),
        "redraw_s": round(statistics.median(redraws), 2),
        "redraw_slowest_s": round(max(redraws), 2),
        "rows": ROWS,
        "must_reach": {"server_memory_mb": 400, "first_paint_s": 2.0, "redraw_s": 0.5},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
