"""The whole way in a real browser: plan, start, reload mid-run, finish, click a point, download, cancel."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import peaks
import psutil
import pytest

from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(700)]
Serve = Callable[[], Any]
END_MS = 500_000
"""No limit on how fast it is, but on a hang."""
BUDGET_S = 30
STUDY = ("Channels-last", "Inference mode")
OFF = ("Static INT8", "QAT INT8", "AMP BF16")


def plan_a_small_study(tab: Any, url: str) -> None:
    """Of the quick preset, the small CNN with two techniques that need no preparation."""
    tab.goto(f"{url}/run")
    tab.get_by_role("button", name="Start").wait_for()
    for workload in ("LSTM", "Transformer"):
        tab.get_by_test_id("stButtonGroup").get_by_role("button", name=workload, exact=True).click()
    for technique in OFF:
        toggle = tab.get_by_test_id("stCheckbox").filter(has_text=technique)
        toggle.locator("label").first.click()
        tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        tab.wait_for_timeout(500)
    budget = tab.get_by_role("spinbutton", name="Time budget [s]")
    budget.fill(str(BUDGET_S))
    budget.press("Enter")
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def measured_here(store: Store) -> str:
    """The one study that is not the shipped example."""
    studies = store.studies()
    (study_id,) = studies.loc[~studies["example"].astype(bool), "id"]
    return str(study_id)


def start(tab: Any) -> None:
    button = tab.get_by_role("button", name="Start")
    button.click()
    tab.get_by_role("button", name="Cancel").wait_for()


def test_a_study_from_the_page_to_the_csv(serve: Serve, home: Path, tab: Any) -> None:
    peaks.known()
    server = serve()
    plan_a_small_study(tab, server.url)
    start(tab)
    tab.get_by_text("Rows prepared").wait_for(timeout=60_000)

    tab.reload()  # A new session: it finds the study again by itself.
    tab.get_by_role("button", name="Cancel").wait_for()
    tab.get_by_text("Done.").wait_for(timeout=END_MS)
    assert not any("libtorch" in part.path for part in psutil.Process(server.process.pid).memory_maps())

    tab.get_by_role("link", name="See the results in Explore").click()
    point = tab.locator(".js-plotly-plot .scatterlayer .trace .point").first
    point.wait_for(state="attached")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="CSV of the").click()
    taken = pd.read_csv(io.BytesIO(Path(waiting.value.path()).read_bytes()))

    store = Store.open()
    kept = store.rows([measured_here(store)])
    assert list(taken.columns) == list(COLUMNS)
    assert list(taken["variant"]) == list(kept["variant"])
    assert set(taken["status"]) <= {"done", "not-applicable"}
    done = taken[taken["status"] == "done"].set_index("variant")
    assert {"baseline", "control", "channels-last", "inference-mode"} <= set(done.index)
    pd.testing.assert_series_equal(
        taken["speedup"], kept["speedup"].astype(float), rtol=1e-5, check_names=False, check_index=False
    )
    assert done.loc["baseline", "speedup"] == 1
    assert done.loc["channels-last", "accuracy_pct"] > 90
    assert done.loc["channels-last", "took_effect"] == "yes"
    card = tab.locator(".eff-card").inner_text()
    sure = done[(done["speed_verdict"] == "faster") & ~done.index.isin(["baseline", "control"])]
    told = re.search(r"(\d+\.\d+)x faster", card)
    if sure.empty:  # On a busy machine none may be told apart, and the card has to say so.
        assert "Leave it as it is" in card
        assert " tried, none is surely faster." in card
    elif told is None:
        assert set(sure["accuracy_verdict"]) == {"lost"}
        assert " tried, whatever is surely faster loses accuracy." in card
    else:
        places = len(told.group(1).partition(".")[2])
        assert told.group(1) in {f"{ratio:.{places}f}" for ratio in sure["speedup"]}


def test_cancel_keeps_what_is_done_and_leaves_no_process(serve: Serve, home: Path, tab: Any) -> None:
    peaks.known()
    server = serve()
    plan_a_small_study(tab, server.url)
    start(tab)
    # Whichever is at work when the page looks: one alone may be over between two looks.
    at_work = re.compile("Small CNN: (Channels-last|Inference mode)")
    tab.get_by_text(at_work).first.wait_for(timeout=END_MS)
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_role("button", name="End this study").click()
    tab.get_by_text("It was cancelled before anything was timed").first.wait_for(timeout=60_000)

    store = Store.open()
    study_id = measured_here(store)
    assert store.study(study_id).status == "cancelled"
    rows = store.rows([study_id])
    assert set(rows["status"]) <= {"done", "cancelled", "not-applicable"}
    assert (rows["status"] == "cancelled").any()
    # The study has ended by then; the process that ran it may still be on its way out.
    of_it = [p for p in psutil.process_iter(["cmdline"]) if study_id in " ".join(p.info["cmdline"] or [])]
    left = psutil.wait_procs(of_it, timeout=30)[1]
    assert not [p for p in left if p.status() != psutil.STATUS_ZOMBIE]
