"""Overview: what it opens on, answers equal to Decide's, what held of the article, what is open, and empty states."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import synthetic
import world
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import best, confirm, paths, workloads
from efficiency.analysis import views, wording
from efficiency.claims import ARTICLE, CLAIMS, WORDS
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import Variant, plan_preset

Visit = Callable[..., AppTest]


def links(at: AppTest) -> list[str]:
    return [link.proto.label for link in at.get("page_link")]


def addresses(at: AppTest, page: str) -> list[dict[str, str]]:
    """What the links of cards ask of a page."""
    found = re.findall(rf'href="\./{page}\?([^"]+)"', said(at))
    return [{name: values[0] for name, values in parse_qs(unescape(query)).items()} for query in found]


def test_every_card_is_the_answer_of_decide(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("overview")
    text, asked = said(at), addresses(at, "decide")
    assert [one["case"] for one in asked] == ["Small CNN", "LSTM", "Transformer"]
    assert all((one["study"], one["accuracy"]) == (id, "0.5") for one in asked)
    cards = text.split('<a class="eff-card"')[1:]
    for card, address in zip(cards, asked, strict=True):
        answer = said(visit("decide", **address))
        assert "at most 0.5 pp of accuracy lost" in answer
        (speed,) = re.findall(r'<div class="big">([\d.]+x) <small>95 %: ([\d.]+–[\d.]+x)</small>', card)
        name = re.findall(r'<div class="what">([^<]+)</div>', card)[0]
        assert f'<div class="big">{name}</div>' in answer
        assert f"{name} leads (not confirmed yet). {speed[0]} the baseline&#x27;s speed (95 %: {speed[1]})" in answer
        assert "Leads (not confirmed yet)" in card


def test_a_card_says_what_it_costs(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    text = said(visit("overview"))
    rows = store.rows([id])
    lstm = rows[(rows["workload"] == "lstm-classifier") & (rows["variant"] == "dynamic-int8")].iloc[0].to_dict()
    card = next(card for card in text.split('<a class="eff-card"') if ">LSTM</div>" in card)
    assert f"{wording.accuracy(lstm)}, {wording.size(lstm)}" in card


def test_under_which_condition_the_best_was_found_is_said_once_or_on_each_card(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    text = said(visit("overview"))
    assert "The fastest on CPU, batch 1, 1 thread, with at most 0.5 pp of accuracy lost, surely" in text
    assert "<br>CPU" not in text
    quick = plan_preset("quick", this_machine())
    only = replace(quick, workloads=("vision-resnet18",), conditions=(Condition(batch_size=8),))
    synthetic.fill(store, only)
    text = said(visit("overview"))
    assert "The fastest with at most 0.5 pp of accuracy lost, surely" in text
    assert (text.count("<br>CPU, batch 1, 1 thread"), text.count("<br>CPU, batch 8, 1 thread")) == (3, 1)


def test_the_newest_study_of_this_machine_speaks_before_the_example(
    visit: Visit, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = synthetic.fill(store, name="Old", seed=3)
    document = documents.to_json(store, old)
    file = home / "example.json.gz"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    store.delete(old)
    monkeypatch.setattr(paths, "EXAMPLE", file)
    at = visit("overview")
    assert said(at).count("shipped example") == 3
    assert "Nothing of this was measured on this machine" in said(at)
    lstm = replace(plan_preset("quick", this_machine()), workloads=("lstm-classifier",))
    ids = [synthetic.fill(store, lstm, name=name, seed=seed) for seed, name in enumerate(("First", "Second"))]
    at = visit("overview")
    assert said(at).count("shipped example") == 2, "Of what was not measured here."
    (mine,) = [one for one in addresses(at, "decide") if one["case"] == "LSTM"]
    assert mine["study"] == ids[1]
    store.set_status(ids[1], "running")
    (mine,) = [one for one in addresses(visit("overview"), "decide") if one["case"] == "LSTM"]
    assert mine["study"] == ids[0], "What is being measured has no answer yet."


def test_a_study_of_a_single_question_does_not_speak_where_another_tried_more(visit: Visit, store: Store) -> None:
    wide = synthetic.fill(store, name="Wide")
    quick = plan_preset("quick", this_machine())
    narrow = replace(quick, workloads=("transformer-encoder",), variants=(Variant(("fast-path",)),))
    synthetic.fill(store, narrow, name="Narrow", seed=1)
    asked = {one["case"]: one["study"] for one in addresses(visit("overview"), "decide")}
    assert set(asked.values()) == {wide}
    newer = synthetic.fill(store, name="As wide, newer", seed=2)
    asked = {one["case"]: one["study"] for one in addresses(visit("overview"), "decide")}
    assert set(asked.values()) == {newer}


def test_a_newer_study_of_another_technique_does_not_hide_what_gains_more(visit: Visit, store: Store) -> None:
    def fill(key: str, name: str, seed: int, tolerance_pp: float = 0.5) -> str:
        one = replace(plan_preset("quick", this_machine()), workloads=("vision-small-cnn",), tolerance_pp=tolerance_pp)
        return synthetic.fill(store, replace(one, variants=(Variant((key,)),)), name=name, seed=seed)

    def shown() -> str:
        (asked,) = addresses(visit("overview"), "decide")
        return asked["study"]

    quick = fill("static-int8", "Of INT8", 0)
    fill("channels-last", "Of the layout", 1)
    assert shown() == quick
    assert "of “Of INT8”, which gains most; 1 other study tried as many techniques" in said(visit("overview"))
    again = fill("static-int8", "Of INT8 again", 2)
    assert shown() == again, "It tried the same, later."
    strict = fill("channels-last", "Which tolerates less", 3, tolerance_pp=0.4)
    assert shown() == strict, "What it tolerates is not what the others do."
    assert "tried as many techniques" not in said(visit("overview"))


def test_a_study_of_another_machine_is_told_as_such(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    document = documents.to_json(store, id)
    document["study"]["machine"] |= {"label": "Elsewhere CPU", "cpu_model": "Elsewhere CPU", "key": "0123456789"}
    store.delete(id)
    documents.from_json(store, document)
    at = visit("overview")
    assert said(at).count("another machine or torch") == 3
    assert "Plan a study of your choice" in links(at)


def test_what_gains_nothing_is_told_to_be_left(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "EFFECTS", dict.fromkeys(synthetic.EFFECTS, (0.8, 0.0, 1.0)))
    synthetic.fill(store)
    text = said(visit("overview"))
    assert text.count('<div class="big">Leave it as it is</div>') == 3
    assert "by kind of technique" not in text


def test_kinds_of_technique_of_the_workload_that_gains_most(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    text = said(visit("overview"))
    (told,) = re.findall(r"(\S.*) gains most, by kind of technique: (.*)\.", text.replace("\\", ""))
    assert told[0] in ("Small CNN", "LSTM", "Transformer")
    assert re.match(
        r"quantization [\d.]+x \(.*INT8.*\); lower precision, nothing faster; layout and mode 1\.\d+x", told[1]
    )


@pytest.mark.parametrize(
    ("variant", "kind"),
    [
        ("baseline", ""),
        ("control", ""),
        ("of-another-version", ""),
        ("static-int8+inference-mode", best.QUANTIZATION),
        ("onnxruntime-static-int8", best.QUANTIZATION),
        ("int4-weight-only", best.QUANTIZATION),
        ("amp-bf16+torch-compile", best.PRECISION),
        ("torch-compile", best.RUNTIME),
        ("openvino", best.RUNTIME),
        ("channels-last+inference-mode", best.REST),
    ],
)
def test_kind_of_a_variant(variant: str, kind: str) -> None:
    assert best.kind_of(variant) == kind


def test_a_confirmed_winner_is_to_be_shipped(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("overview")
    (step,) = [label for label in links(at) if label.startswith("Confirm ")]
    rows, again = store.rows([id]), []
    for workload, group in rows.groupby("workload"):
        own = group[(group["status"] == "done") & ~group["variant"].isin(["baseline", "control"])]
        winner = next(one for one in addresses(at, "decide") if one["case"] == workloads.WORKLOADS[workload].label)
        named = re.findall(r'class="big">([^<]+)</div>', said(visit("decide", **winner)))[0]
        row = next(row for row in own.to_dict("records") if named == views.variant_label(row["variant"]))
        plan = confirm.plan(store.study(id), row, (row["variant"],), this_machine())
        again.append(synthetic.fill(store, plan, name=plan.name, seed=5))
    at = visit("overview")
    assert said(at).count(">Ship it</div>") == 3
    assert step not in links(at)
    for document in (documents.to_json(store, id) for id in again):
        store.delete(document["study"]["id"])
        for row in document["rows"]:
            row["columns"]["warnings"] = "busy-machine"
        documents.from_json(store, document)
    at = visit("overview")
    assert said(at).count(">Ship it (timed again at a bad moment)</div>") == 3
    assert f"{step.replace('Confirm', 'Time')} again" in links(at)


def test_a_study_of_a_better_moment_speaks_for_a_workload(visit: Visit, store: Store) -> None:
    quiet = synthetic.fill(store, name="Quiet")
    document = documents.to_json(store, synthetic.fill(store, name="Busy", seed=1))
    store.delete(document["study"]["id"])
    for row in document["rows"]:
        row["columns"]["warnings"] = "busy-machine"
    busy = documents.from_json(store, document)
    assert {one["study"] for one in addresses(visit("overview"), "decide")} >= {quiet}
    assert busy not in {one["study"] for one in addresses(visit("overview"), "decide")}
    store.delete(quiet)
    at = visit("overview")
    assert {one["study"] for one in addresses(at, "decide")} >= {busy}
    assert "timed at a bad moment" in said(at)


def test_what_held_of_the_article_as_the_page_claims_counts_it(visit: Visit, store: Store) -> None:
    world.fill(store, this_machine(), world.opposite, int8=0.5)
    text = said(visit("overview"))
    counts = {word: int(number) for number, word in re.findall(r"<b>(\d+)</b><span[^>]*><i></i>([^<]+)</span>", text)}
    assert sum(counts.values()) == len(CLAIMS)
    assert text.count(ARTICLE) == 1
    said_there = said(visit("claims"))
    for word, number in counts.items():
        assert re.search(rf"\b{number} {word.replace('does', 'do').replace('holds', 'hold')}", said_there)
    surprising = re.findall(r'<p class="surprise"><b>([^<]+)</b>', text)
    assert len(surprising) == 3
    against = {one["verdict"] for one in addresses(visit("overview"), "claims")}
    assert WORDS["does-not-hold"] in against
    shown = unescape(said(visit("claims", verdict=WORDS["does-not-hold"])))
    assert all(unescape(claim) in shown for claim in surprising)


def test_what_is_open_is_what_to_try_next(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    id = synthetic.fill(store)
    found = links(visit("overview"))
    assert any(label.startswith("Confirm ") for label in found)
    assert "Measure ResNet-18 and MobileNetV2" in found
    assert any(re.fullmatch(r"Judge \d+ more claims of the article", label) for label in found)
    assert "Measure what this machine can do at most" in found
    assert "Plan a study of your choice" not in found
    world.peaks(this_machine())
    assert "Measure what this machine can do at most" not in links(visit("overview"))
    store.set_status(id, "running")
    working(id)
    at = visit("overview")
    assert "Follow what is being measured" in links(at)
    assert at.button(key="measure-this-machine").disabled
    assert "the page Run queues what you plan there" in said(at)


def test_peaks_are_told_once_they_are_measured(visit: Visit) -> None:
    assert "not measured yet</dd>" in said(visit("overview"))
    world.peaks(this_machine())
    assert "FP32 100, INT8 300 × 10⁹ a second; memory 20.0 GB/s" in said(visit("overview"))


def test_with_no_study_at_all_every_part_says_so(visit: Visit) -> None:
    at = visit("overview")
    text = said(at)
    assert this_machine().cpu_model in text
    assert "Nothing to ship yet" in text
    assert "None of its claims is judged yet" in text
    assert links(at)[-1] == "Import a study"
    assert at.button(key="measure-this-machine").label == "Measure this machine"


def test_measure_this_machine_starts_the_quick_study(
    visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def submit(store: Store, study: object, **told: object) -> str:
        asked.append(study)
        return synthetic.fill(store, status="done")

    monkeypatch.setattr("efficiency.engine.jobs.submit", submit)
    at = visit("overview")
    at.button(key="measure-this-machine").click().run()
    assert asked == [plan_preset("quick", this_machine())]
    assert "Plan a study" in said(at), "It goes to the page Run."
    assert "See the results" in " ".join(links(at))


def test_database_that_cannot_be_opened_is_a_sentence_below_the_machine(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    broken = home / "broken.db"
    broken.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    monkeypatch.setenv("EFFICIENCY_DB", f"sqlite:///{broken}")
    at = visit("overview")
    assert len(at.error) == 1
    assert "is not an SQLite database" in at.error[0].value
    assert this_machine().cpu_model in said(at)


def test_an_address_of_a_study_leads_to_explore(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store, name="One"), synthetic.fill(store, name="Two", seed=1)]
    at = visit("overview", study=ids[0])
    assert "What does each technique give" in said(at)
    assert at.multiselect(key="studies-shown").value == [ids[0]]
