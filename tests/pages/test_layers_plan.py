"""From a row of INT8 that lost accuracy to a study of its layers: the links, and the form that they fill."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import synthetic
from said import links, said
from streamlit.testing.v1 import AppTest

from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study, Variant, plan_preset

Visit = Callable[..., AppTest]
STEP, LINK = "Find the layers that cost ", "Plan a study with Mixed INT8"
ASKED = {
    "plan": "vision-small-cnn", "dataset": "glyphs", "variants": "static-int8,mixed-int8", "batch": "1", "threads": "1",
}  # fmt: skip


@pytest.fixture(autouse=True)
def fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Static INT8 loses 6 points, and nothing else does."""
    monkeypatch.setitem(synthetic.EFFECTS, "static-int8", (2.9, 0.06, 3.8))


def fill(store: Store, *keys: str, workload: str = "vision-small-cnn", seed: int = 0) -> str:
    asked = replace(
        plan_preset("quick", this_machine()),
        workloads=(workload,),
        variants=tuple(Variant.of(key.split("+")) for key in keys),
    )
    return synthetic.fill(store, asked, name=" ".join(keys), fail=(), seed=seed)


def open_row(visit: Visit, store: Store, id: str, variant: str) -> AppTest:
    rows = store.rows([id])
    return visit("explore", study=id, row=str(rows.loc[rows["variant"] == variant, "row_id"].iloc[0]))


def test_overview_leads_to_a_plan_with_mixed_int8(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted: list[Study] = []

    def submit(store: Store, study: Study, *, name: str = "", command: str = "") -> str:
        submitted.append(study)
        return fill(store, "mixed-int8")

    monkeypatch.setattr(jobs, "submit", submit)
    fill(store, "static-int8", "dynamic-int8")
    step = f"{STEP}Static INT8 its accuracy on Small CNN"
    asks = links(visit("overview"))[step]
    assert asks == ASKED
    at = visit("run", **asks)
    assert at.button_group(key="plan-preset").value == "article"
    assert not at.query_params, "What is changed in the form from here on stands."
    at.toggle(key="plan-technique-qat-int8").set_value(True).run()
    at.button(key="start-study").click().run()
    (study,) = submitted
    assert study.workloads == ("vision-small-cnn",)
    assert {one.key for one in study.variants} == {"static-int8", "mixed-int8", "qat-int8"}
    assert (study.preset, len(study.conditions)) == ("article", 1)
    assert not any(label.startswith(STEP) for label in links(visit("overview"))), "It was tried now."


def test_the_plan_replaces_what_stood_in_the_form(visit: Visit, store: Store) -> None:
    at = visit("run")
    at.button_group(key="plan-preset").set_value("full").run()
    at.query_params["plan"] = "transformer-encoder"
    at.query_params["variants"] = "static-int8,mixed-int8"
    at.run()
    assert at.button_group(key="plan-workloads").value == ["transformer-encoder"]
    assert at.multiselect(key="plan-batch-sizes").value == ["1"]
    on = {one.key for one in at.toggle if one.value}
    assert on == {"plan-technique-static-int8", "plan-technique-mixed-int8"}


def test_what_an_address_asks_for_and_is_not_there_is_left_out(visit: Visit) -> None:
    variants = "dynamic-int8+inference-mode,magic,dynamic-int8+magic"
    at = visit("run", plan="lstm-classifier", dataset="nowhere", variants=variants, batch="8", threads="512")
    assert not at.exception
    assert at.multiselect(key="plan-combinations").value == ["dynamic-int8+inference-mode"]
    assert not [one.key for one in at.toggle if one.value]
    assert at.multiselect(key="plan-batch-sizes").value == ["8"]
    assert at.button_group(key="plan-threads").value == [1]
    assert at.multiselect(key="plan-datasets").value == []
    told = said(at).replace("\\", "")
    left_out = "“magic”, “dynamic-int8+magic”, data set “nowhere” and “512” threads"
    assert f"Not planned, since it is not there or not possible here: {left_out}." in told


def test_an_address_cannot_have_a_file_run(visit: Visit) -> None:
    at = visit("run", plan="nowhere/at_all.py:make")
    assert at.text_input(key="plan-own-file").value == ""
    assert "nowhere/at" in said(at)
    assert "which cannot be planned by a link" in said(at)
    assert not at.error
    assert at.button_group(key="plan-preset").value == "quick"


def test_the_drawer_says_it_of_the_row_that_lost_accuracy(visit: Visit, store: Store) -> None:
    id = fill(store, "static-int8", "dynamic-int8")
    at = open_row(visit, store, id, "static-int8")
    assert "Static INT8 loses accuracy. Mixed INT8, which this study did not try" in said(at)
    assert links(at)[LINK] == ASKED
    other = open_row(visit, store, id, "dynamic-int8")
    assert LINK not in links(other)
    assert "which this study did not try" not in said(other)


def test_where_it_was_tried_nothing_is_said(visit: Visit, store: Store) -> None:
    id = fill(store, "static-int8", "mixed-int8")
    assert LINK not in links(open_row(visit, store, id, "static-int8"))
    assert not any(label.startswith(STEP) for label in links(visit("overview")))


def test_only_the_workload_that_lost_most_and_was_not_looked_at(visit: Visit, store: Store) -> None:
    fill(store, "static-int8", "mixed-int8")
    fill(store, "static-int8", workload="transformer-encoder")
    steps = [label for label in links(visit("overview")) if label.startswith(STEP)]
    assert steps == [f"{STEP}Static INT8 its accuracy on Transformer"]


@pytest.mark.browser
def test_the_link_fills_a_form_that_was_used_before(serve: Callable[[], Any], store: Store, tab: Any) -> None:
    """In a real browser, which brings the values of its widgets along."""
    fill(store, "static-int8", "dynamic-int8")
    tab.goto(f"{serve().url}/run")

    def toggle(technique: str) -> Any:
        return tab.locator(f".st-key-plan-technique-{technique} label").first

    def on() -> set[str]:
        tab.get_by_test_id("stApp").and_(tab.locator("[data-test-script-state=notRunning]")).wait_for()
        tab.wait_for_timeout(500)
        toggles = tab.locator("[class*=st-key-plan-technique-]").filter(has=tab.locator("input:checked"))
        classes = toggles.evaluate_all("found => found.map(one => one.className)")
        return {key for text in classes for key in re.findall(r"st-key-plan-technique-(\S+)", text)}

    toggle("amp-bf16").click()
    assert "static-int8" in (used := on())
    assert "amp-bf16" not in used
    tab.get_by_role("link", name="Overview", exact=True).click()
    tab.get_by_role("link", name=STEP).click()
    tab.get_by_role("heading", name="Plan a study").wait_for()
    assert on() == {"static-int8", "mixed-int8"}
    assert "plan=" not in tab.url
    toggle("qat-int8").click()
    assert on() == {"static-int8", "mixed-int8", "qat-int8"}, "What is changed from here on stands."
