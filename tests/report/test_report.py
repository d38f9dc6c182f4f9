"""A study's report: what it says, that nothing in it can act, and that it works where there is no network."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic
from pyarrow import parquet

from efficiency.analysis.wording import html_text
from efficiency.engine.recording import NOT_TIMED
from efficiency.errors import UnknownName
from efficiency.machine import this_machine
from efficiency.report import content, html, markdown
from efficiency.results import documents
from efficiency.results.columns import COLUMNS
from efficiency.results.parquet import TYPES, to_parquet
from efficiency.results.store import Store
from efficiency.study import plan_preset

NASTY = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>|**bold**'


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


def nasty(store: Store) -> str:
    """A study whose every text tries to be more than text."""
    document = documents.to_json(store, synthetic.fill(store, name=NASTY))
    document["study"]["machine"]["label"] = document["study"]["command"] = NASTY
    for row in document["rows"]:
        row["columns"]["dataset"] = NASTY
        if row["columns"]["workload"] == "lstm-classifier":
            row["columns"]["workload"] += NASTY
        if row["columns"]["reason"]:
            row["columns"]["reason"] = NASTY
        if row["columns"]["variant"] not in ("baseline", "control"):
            row["columns"]["variant"] += NASTY
    return documents.from_json(store, document)


def test_the_report_says_what_the_study_found(store: Store) -> None:
    id = synthetic.fill(store, name="Mine")
    report = content.of(store, id)
    assert [title for title, _ in report.best] == ["Small CNN", "LSTM", "Transformer"]
    assert all("x faster ±" in found for _, found in report.best)
    (cnn,) = (panel.table.set_index("Variant") for panel in report.panels if panel.title == "Small CNN")
    kept = store.rows([id]).query("workload == 'vision-small-cnn'").set_index("variant")
    assert cnn.loc["AMP BF16", "Speed-up [95 %]"].startswith(f"{kept.loc['amp-bf16', 'speedup']:.2f}x [")
    assert cnn.loc["AMP BF16", "Verdict"] == kept.loc["amp-bf16", "speed_verdict"] == "slower"
    assert list(cnn.index[:2]) == ["Baseline", "Control"]
    assert "The process ran out of memory and was ended." in set(report.left_out["Reason"])
    assert "test subset" in {key for key, _, _ in report.warnings}
    text = markdown.written(report)
    assert text.startswith("## Mine\n")
    assert sum(line.startswith("| ---") for line in text.splitlines()) == 4, "Three panels and what was left out."
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_a_study_without_results_is_a_sentence(store: Store) -> None:
    id = store.add_study({}, name="", machine={}, command="", status="failed")
    report = content.of(store, id)
    text = html.written(report)
    assert "<p>Nothing was measured in this study.</p>" in text
    assert len(text) < 20_000, "What draws charts is left out where there is none."
    assert "\n\nNothing was measured in this study.\n\n" in markdown.written(report)
    document = documents.to_json(store, synthetic.fill(store))
    for row in document["rows"]:
        row["columns"] |= {"status": "failed", "reason": "It ran out of memory."}
    failed = content.of(store, documents.from_json(store, document))
    for written in (html.written(failed), markdown.written(failed)):
        assert "Nothing was measured in this study; why stands below." in written
        assert "It ran out of memory." in written


def test_a_study_of_the_baseline_alone_was_measured(store: Store) -> None:
    document = documents.to_json(store, synthetic.fill(store))
    document["rows"] = [row for row in document["rows"] if row["columns"]["variant"] == "baseline"]
    report = content.of(store, documents.from_json(store, document))
    assert len(report.panels) == 3
    assert "Nothing was measured" not in html.written(report) + markdown.written(report)


def test_of_a_study_that_still_runs_rows_wait_to_be_timed(store: Store) -> None:
    document = documents.to_json(store, synthetic.fill(store))
    for row in document["rows"]:
        if row["columns"]["status"] == "done":
            row["columns"] |= {"status": "cancelled", "reason": NOT_TIMED}
    id = documents.from_json(store, document)
    store.set_status(id, "running")
    assert "cancelled" not in " ".join(content.of(store, id).left_out.astype(str).to_numpy().ravel())


def test_a_training_study_tells_its_loss_and_every_report_its_star(store: Store) -> None:
    trained = content.of(store, synthetic.fill(store, plan_preset("quick", this_machine(), phase="training")))
    assert trained.panels[0].table.query("Variant != 'Control'")["Loss at the end"].ne("").all()
    for report in (trained, content.of(store, synthetic.fill(store))):
        for written in (markdown.written(report), html.written(report)):
            assert "Pareto front" in written
    assert ("intervals within", "± 2 %") in trained.asked


def test_a_training_studys_method_is_that_of_training(store: Store) -> None:
    steps = content.of(store, synthetic.fill(store, plan_preset("quick", this_machine(), phase="training")))
    text = html.written(steps)
    assert "What is timed is a training step" in text
    assert "Latency p50 is the median over all steps." in text
    assert "torch.no_grad" not in text
    assert dict(steps.verdicts)["lost"] == "Surely more than that is lost, and more than luck explains."
    calls = content.of(store, synthetic.fill(store))
    assert "run eagerly under torch.no_grad" in html.written(calls)
    assert "luck" not in dict(calls.verdicts)["lost"]


def test_markdown_shows_texts_as_they_are(store: Store) -> None:
    text = markdown.written(content.of(store, nasty(store)))
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", text), "A tag of its own."
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = {line.replace("\\|", "").count("|") for line in rows}
    assert cells == {6, 10}, "No text adds a cell to its table."


def test_html_shows_a_command_as_code_and_the_rest_as_it_is(store: Store) -> None:
    assert html_text("Run `a && b <c>`, <i>or</i> ``d``") == (
        "Run <code>a &amp;&amp; b &lt;c&gt;</code>, &lt;i&gt;or&lt;/i&gt; ``d``"
    )
    document = documents.to_json(store, synthetic.fill(store, name="`A name`"))
    for row in document["rows"]:
        row["columns"]["warnings"] = "wide-interval"
        if row["columns"]["reason"]:
            row["columns"]["reason"] = f"Run `pip install <x>`. {NASTY}"
    report = content.of(store, documents.from_json(store, document))
    text = html.written(report)
    assert "<td>Run <code>pip install &lt;x&gt;</code>. &lt;img" in text
    told = "".join(text for _, text, _ in report.warnings)
    assert text.count("<code>") >= told.count("`") // 2


def test_parquet_is_typed_and_unknown_is_null(store: Store) -> None:
    id = synthetic.fill(store)
    read = parquet.read_table(io.BytesIO(to_parquet(store, [id])))
    assert read.column_names == list(COLUMNS)
    assert [field.type for field in read.schema] == [TYPES[kind] for kind in COLUMNS.values()]
    kept = store.rows([id])
    assert read["speedup"].to_pylist() == [None if x != x else x for x in kept["speedup"]]
    assert read["on_pareto_front"].null_count == kept["on_pareto_front"].isna().sum() > 0
    assert read["latency_ms_p50"].null_count == (kept["status"] != "done").sum() > 0
    assert to_parquet(store, []), "No rows are a table, too."
    with pytest.raises(UnknownName):
        to_parquet(store, ["nothing"])


def soon(tab: Any, expression: str) -> bool:
    """Whether it comes true: Plotly draws anew a moment after the window or its colours have changed."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if tab.evaluate(expression):
            return True
        tab.wait_for_timeout(50)
    return False


@pytest.mark.browser
def test_one_file_works_without_a_network_and_texts_stay_texts(store: Store, tab: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(html.written(content.of(store, nasty(store))))
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on("request", lambda request: asked.append(request.url))
    tab.context.set_offline(True)
    tab.goto(file.as_uri())
    charts = tab.locator(".chart svg.main-svg:first-child")
    charts.nth(5).wait_for()
    assert charts.count() == 6, "A trade-off and the speed-ups, for each of three workloads."
    assert tab.locator("img").count() == 0
    assert tab.get_by_role("heading", level=1).inner_text() == NASTY
    assert tab.title() == NASTY
    tab.emulate_media(color_scheme="dark")
    ink = "getComputedStyle(document.querySelector('.chart .xtick text')).fill === 'rgb(230, 235, 236)'"
    assert soon(tab, ink), "The charts are drawn for a dark page, too."
    tab.set_viewport_size({"width": 390, "height": 844})
    assert soon(tab, "document.documentElement.scrollWidth <= 390"), (
        "The charts follow the window, and nothing is beside."
    )
    assert said == []
    assert asked == [file.as_uri()]
