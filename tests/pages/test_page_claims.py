"""Claims: the sentence over all, the cards and what is behind them, the filter, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
import world
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.claims import ARTICLE, CLAIMS, WORDS, kinds
from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study

Visit = Callable[..., AppTest]


def test_where_nothing_is_measured(visit: Visit) -> None:
    at = visit("claims")
    assert "Of 19 claims 19 are not measured yet." in said(at)
    assert said(at).count(ARTICLE) == 1
    assert "drift of Transformer and Small CNN is missing" in said(at)
    assert "The button below does not measure it" in said(at)
    drift = [one for one in at.get("page_link") if one.proto.label.startswith("Measure drift of ")]
    assert [parse_qs(one.proto.query_string)["drift-workload"] for one in drift] == [
        ["transformer-encoder"], ["vision-small-cnn"],
    ]  # fmt: skip
    assert {"./drift?drift-workload=vision-small-cnn", "./machine"} <= set(re.findall(r'<a href="([^"]+)"', said(at)))
    assert all(claim.says.replace("'", "&#x27;") in said(at) for claim in CLAIMS.values())
    assert "None of the three is measured on this machine yet." in said(at)
    assert not at.button(key="measure-claims").disabled
    assert "Not now" not in said(at)
    assert "python -m efficiency" not in said(at), "The button does it."
    assert re.search(r"\*\*\d+ rows\*\* in \d studies, about \*\*\d+ .+ to \d+ .+\*\*: ", said(at))


def test_verdicts_their_figures_and_the_rows_behind_them(visit: Visit, store: Store) -> None:
    world.fill(store, this_machine(), world.holding)
    at = visit("claims")
    assert "Of 19 claims 19 hold here." in said(at)
    assert not at.button, "Nothing is missing, so there is nothing to press."
    cards = said(at)
    assert cards.count("No CUDA GPU was found on this machine.") <= 2, "One reason of many cases is told once a claim."
    assert '<a href="./machine" target="_self">On the page Machine</a>' in cards
    drifted = re.findall(r'<a href="\./drift\?([^"]+)"', cards)
    asked = "drift-workload=transformer-encoder&amp;dataset=source-code&amp;drift-shift=truncation"
    assert asked in drifted
    drift = visit("drift", **parse_qs(asked.replace("&amp;", "&")))
    assert [one.value for one in drift.segmented_control] == ["transformer-encoder", "truncation"]
    link = re.search(r'<a href="\./explore\?([^"]+)" target="_self">Fast path</a>', cards)
    assert link is not None
    asked = parse_qs(link.group(1).replace("&amp;", "&"))
    opened = visit("explore", **asked)
    assert "Fast path" in said(opened)
    assert "Raw samples" in said(opened), "The row's details are open."
    assert not opened.warning
    table = at.table[0].value
    assert list(table.columns) == kinds.COLUMNS
    assert "30.0 s" in list(table["Preparation"])
    assert {"none", "512 rows", "2,048 rows"} == set(table["Data needed"])
    assert any("(kept)" in text for text in table["Accuracy kept"])


def test_filter_by_verdict(visit: Visit, store: Store) -> None:
    needs = [need for need in world.everything(this_machine()) if need.workload.startswith("vision")]
    world.fill(store, this_machine(), world.opposite, needs, int8=0.5)
    at = visit("claims", verdict=WORDS["not-measured"])
    assert CLAIMS["dynamic-drift"].says in said(at)
    assert CLAIMS["channels-last"].says not in said(at)
    at.button_group(key="verdict").set_value([WORDS["does-not-hold"]]).run()
    assert CLAIMS["channels-last"].says in said(at)
    assert CLAIMS["dynamic-drift"].says not in said(at)


def test_the_button_submits_what_is_missing(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies for every row that a claim misses; the page Run follows the first of them."""
    submitted: list[Study] = []

    def submit(store: Store, study: Study, *, name: str = "", command: str = "") -> str:
        submitted.append(study)
        return store.add_study(study.as_dict(), name=study.name, machine=this_machine().as_dict(), command=command)

    monkeypatch.setattr(jobs, "submit", submit)
    needs = [need for need in world.everything(this_machine()) if need.workload == "vision-small-cnn"]
    world.fill(store, this_machine(), world.holding, needs)
    at = visit("claims")
    at.button(key="measure-claims").click().run()
    assert not at.exception
    assert submitted
    assert not any("vision-small-cnn" in study.workloads for study in submitted)
    assert "Plan a study" in said(at)


def test_while_a_study_is_measured_no_other_is_asked_for(
    visit: Visit, store: Store, working: Callable[..., None]
) -> None:
    (id,) = world.fill(store, this_machine(), world.holding, [world.everything(this_machine())[0]])
    store.set_status(id, "running")
    working(id)
    at = visit("claims")
    assert at.button(key="measure-claims").disabled
    assert "Not now: a study is being measured or waits for its turn" in said(at)
