"""A real browser before a real server: deep links, details by a click, the CSV, themes and narrow screens."""

from __future__ import annotations

import contextlib
import io
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import synthetic
from serving import serving

from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.ui.frame import PAGES

pytestmark = pytest.mark.browser
Serve = Callable[[], Any]
NAVIGATION = [title for title, _ in PAGES.values()]


@dataclass(frozen=True)
class Filled:
    """A server over one made-up study."""

    url: str
    study_id: str
    database: str


@pytest.fixture(scope="module")
def filled(
    settle: Callable[[Path, pytest.MonkeyPatch], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """For all tests that only look: to start a server for each takes as long as they do. What is chosen and remembered
    belongs to the session of a tab."""
    with contextlib.ExitStack() as started:
        with pytest.MonkeyPatch.context() as patch:
            home = settle(tmp_path_factory.mktemp("filled") / "home", patch)
            with Store.open() as store:
                study_id = synthetic.fill(store)
            server = started.enter_context(serving(home))
        yield Filled(server.url, study_id, f"sqlite:///{home / 'efficiency.db'}")


def frame_of(tab: Any) -> list[str]:
    """The pages that the navigation at the top names."""
    tab.get_by_test_id("stTopNavLinkContainer").first.wait_for()
    return [text.strip().splitlines()[-1] for text in tab.get_by_test_id("stTopNavLinkContainer").all_inner_texts()]


def settled(tab: Any) -> None:
    """Until a script has run and nothing is redrawn; before the first run Streamlit calls itself idle, too."""
    tab.locator("[data-testid=stMainBlockContainer] h2").first.wait_for()
    for _ in range(2):
        tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        tab.wait_for_timeout(300)


@pytest.mark.parametrize("page", ["", "explore", "decide", "run", "studies"])
def test_deep_link_as_the_very_first_request(serve: Serve, store: Store, tab: Any, page: str) -> None:
    """The server has seen no `st.navigation` yet; the first click must count all the same."""
    synthetic.fill(store)
    server = serve()
    tab.goto(f"{server.url}/{page}")
    settled(tab)
    assert frame_of(tab) == NAVIGATION
    if page == "run":
        toggle = tab.get_by_test_id("stCheckbox").filter(has_text="AMP BF16")
        toggle.locator("label").first.click()
        settled(tab)
        assert not toggle.locator("input").is_checked()
    tab.get_by_role("link", name="Studies", exact=True).click()
    tab.get_by_role("heading", name="Studies").wait_for()
    tab.goto(f"{server.url}/{page}")
    settled(tab)
    assert frame_of(tab) == NAVIGATION, "The same once the navigation is known."


def test_details_by_a_click_on_a_line_and_on_a_point(filled: Filled, tab: Any) -> None:
    tab.goto(f"{filled.url}/explore")
    settled(tab)
    assert f"study={filled.study_id}" in tab.url, "What is shown is in the address from the start."
    table = tab.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.locator("canvas").first.bounding_box()
    # The box at the left of the second line: lines are 35 px high.
    tab.mouse.click(box["x"] + 18, box["y"] + 35 * 2.5)
    drawer = tab.get_by_role("dialog")
    drawer.get_by_text("Raw samples").wait_for()
    assert drawer.get_by_text("Static INT8 + Inference mode").count()
    assert "row=" in tab.url
    tab.reload()
    drawer.get_by_text("Raw samples").wait_for()
    tab.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    settled(tab)
    assert "row=" not in tab.url
    point = tab.get_by_test_id("stPlotlyChart").first.locator("g.points path.point").first
    point.scroll_into_view_if_needed()
    middle = point.bounding_box()
    tab.mouse.click(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    drawer.get_by_text("Raw samples").wait_for()


def test_the_first_page_is_one_screen_and_a_card_leads_to_its_answer(filled: Filled, tab: Any) -> None:
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.goto(filled.url)
    settled(tab)
    for heading in ("The best of each family", "What held of the article", "What to try next"):
        box = tab.get_by_role("heading", name=heading).bounding_box()
        assert box["y"] + box["height"] < 900
    box = tab.locator(".eff-article").bounding_box()
    assert box["y"] + box["height"] < 900
    card = tab.locator("a.eff-card").first
    name = card.locator(".what").inner_text()
    card.click()
    tab.get_by_role("heading", name="Which one do I ship?").wait_for()
    settled(tab)
    assert tab.locator(".eff-card .big").first.inner_text() == name
    assert "accuracy=0.5" in tab.url


def test_downloads_hold_what_the_table_shows(filled: Filled, tab: Any) -> None:
    with Store.open(filled.database) as store:
        kept = store.rows([filled.study_id])
    tab.goto(f"{filled.url}/explore?study={filled.study_id}")
    settled(tab)
    with tab.expect_download() as download:
        tab.get_by_role("button", name=f"CSV of the {len(kept)} rows shown").click()
    csv = pd.read_csv(io.StringIO(Path(download.value.path()).read_text()))
    assert list(csv.columns) == list(COLUMNS)
    assert list(csv["variant"]) == list(kept["variant"])
    assert csv["speedup"].tolist() == pytest.approx(kept["speedup"].tolist(), rel=1e-5, nan_ok=True)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="JSON of the study").click()
    document = json.loads(Path(download.value.path()).read_text())
    assert len(document["rows"]) == len(csv)
    assert document["rows"][0]["samples"]["ns"]
    tab.goto(f"{tab.url}&workload=LSTM&technique=AMP+BF16")
    settled(tab)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="CSV of the 3 rows shown").click()
    csv = pd.read_csv(io.StringIO(Path(download.value.path()).read_text()))
    assert list(csv["variant"]) == ["baseline", "control", "amp-bf16"]
    assert set(csv["workload"]) == {"lstm-classifier"}


def test_filter_is_in_the_address_and_survives_a_reload(filled: Filled, tab: Any) -> None:
    tab.goto(f"{filled.url}/explore?workload=LSTM")
    tab.get_by_test_id("stPlotlyChart").first.wait_for()
    settled(tab)
    assert tab.get_by_test_id("stPlotlyChart").count() == 1
    tab.get_by_test_id("stMultiSelect").filter(has_text="Technique").get_by_role("combobox").click()
    tab.get_by_role("option", name="AMP BF16").click()
    tab.wait_for_url("**technique=AMP*")
    tab.reload()
    settled(tab)
    tab.get_by_test_id("stMultiSelect").filter(has_text="Technique").get_by_text("AMP BF16").first.wait_for()


def test_choice_stays_with_its_study_when_another_arrives(serve: Serve, store: Store, tab: Any) -> None:
    synthetic.fill(store, name="Old")
    chosen = synthetic.fill(store, name="Chosen", seed=1)
    tab.goto(f"{serve().url}/studies")
    settled(tab)
    canvas = tab.get_by_test_id("stDataFrame").first.locator("canvas").first
    box = canvas.bounding_box()
    tab.mouse.click(box["x"] + 18, box["y"] + 35 * 1.5)
    tab.get_by_role("heading", name="Chosen").wait_for()
    assert f"study={chosen}" in tab.url
    synthetic.fill(store, name="Newer", seed=2)
    tab.get_by_label("Name", exact=True).fill("Chosen again")
    tab.get_by_role("button", name="Rename").click()
    tab.get_by_role("heading", name="Chosen again").wait_for()
    assert list(store.studies()["name"])[:3] == ["Newer", "Chosen again", "Old"]
    settled(tab)
    box = tab.get_by_test_id("stDataFrame").first.locator("canvas").first.bounding_box()
    tab.mouse.click(box["x"] + 18, box["y"] + 35 * 2.5)  # It stands in the second line now: not chosen any more.
    tab.get_by_role("heading", name="Chosen again").wait_for(state="detached")


@pytest.mark.parametrize("page", ["", *list(PAGES)[1:]])
def test_narrow_screen_has_nothing_beside_it(filled: Filled, tab: Any, page: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{filled.url}/{page}")
    settled(tab)
    wider = tab.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain], html, body')].filter(e => e.scrollWidth > 391).length"
    )
    assert wider == 0


def test_narrow_screen_has_a_list_in_place_of_the_table(filled: Filled, tab: Any) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{filled.url}/explore")
    settled(tab)
    listed = tab.locator(".eff-list a")
    assert tab.get_by_test_id("stDataFrame").first.is_hidden()
    assert listed.first.evaluate("line => line.scrollWidth <= line.clientWidth"), "Nothing is cut at the side."
    listed.filter(has_text="Static INT8").first.click()
    tab.get_by_role("dialog").get_by_text("Raw samples").wait_for()
    tab.keyboard.press("Escape")
    tab.set_viewport_size({"width": 1440, "height": 1000})
    tab.get_by_test_id("stDataFrame").first.wait_for()
    assert listed.first.is_hidden()


def test_unknown_study_is_a_sentence_and_no_traceback_is_shown(filled: Filled, tab: Any) -> None:
    tab.goto(f"{filled.url}/explore?study=%3Cscript%3E&row=%22")
    settled(tab)
    assert tab.get_by_text("There is no study").count() == 1
    assert tab.get_by_text("Traceback").count() == 0


def test_server_stays_small(serve: Serve, store: Store, tab: Any) -> None:
    """What must be reached is 400 MB; the figure itself is in the benchmarks."""
    synthetic.fill(store)
    server = serve()
    for page in ("", "explore", "run", "studies", "machine", ""):
        tab.goto(f"{server.url}/{page}")
        settled(tab)
    assert psutil.Process(server.process.pid).memory_info().rss < 400e6
    with urllib.request.urlopen(f"{server.url}/_stcore/health") as answer:
        assert answer.status == 200


def test_what_the_machine_can_do_is_measured_on_a_click(serve: Serve, store: Store, tab: Any) -> None:
    tab.goto(f"{serve().url}/machine")
    settled(tab)
    tab.get_by_text("good moment to measure").wait_for()
    tab.get_by_role("button", name="Measure what it can do").click()
    tab.get_by_text("It takes some seconds").wait_for()
    tab.get_by_role("button", name="Measure again").wait_for(timeout=90_000)
    tab.get_by_test_id("stPlotlyChart").get_by_text("FP32").wait_for()
    assert tab.get_by_text("could not be measured").count() == 0
    tab.reload()
    tab.get_by_test_id("stPlotlyChart").get_by_text("FP32").wait_for()


def test_limits_are_remembered_when_decide_is_left_by_the_menu(filled: Filled, tab: Any) -> None:
    tab.goto(f"{filled.url}/decide?size=6&percentile=p99")
    settled(tab)
    tab.get_by_role("link", name="Studies", exact=True).click()
    tab.get_by_role("heading", name="Studies").wait_for()
    tab.get_by_role("link", name="Decide", exact=True).click()
    tab.get_by_text("at most 6 MB of size").first.wait_for()
    assert "size=6" in tab.url
    assert "percentile=p99" in tab.url
