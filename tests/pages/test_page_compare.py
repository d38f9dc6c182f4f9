"""Compare: the choice of two studies, what is said of them, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import Study, Variant, plan_preset

Visit = Callable[..., AppTest]


def test_one_study_is_not_enough(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    at = visit("compare")
    assert "Two studies with results are needed" in at.info[0].value
    assert not at.get("plotly_chart")


def test_a_regression_is_on_the_page(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a = synthetic.fill(store, name="Before")
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"dynamic-int8": (2.4 / 1.3, 0.002, 3.7)})
    b = synthetic.fill(store, name="After", seed=1, fail=())
    at = visit("compare")
    assert [box.value for box in at.selectbox] == [a, b], "By default the newest, against the one before."
    done = [store.rows([id]).query("status == 'done' and variant not in ['baseline', 'control']") for id in (a, b)]
    both = set.intersection(*(set(zip(rows["workload"], rows["variant"], strict=True)) for rows in done))
    assert f"{len(both)} variants compared" in said(at)
    assert "2 slower, 0 faster" in said(at)
    assert "in both, so their latencies stand side by side" in said(at)
    assert len(at.get("plotly_chart")) == 3
    table = at.dataframe[0].value
    assert set(table["Variant"].head(2)) == {"Dynamic INT8"}
    assert all("x slower [" in text for text in table["B against A"].head(2))
    assert list(at.dataframe[1].value["Variant"]) == ["QAT INT8"], "B alone measured it on the transformer."
    other_way = visit("compare", a=b, b=a)
    assert "2 faster" in said(other_way)
    at.selectbox(key="compare-a").set_value(b).run()
    assert at.query_params["a"] == b
    assert "same study" in at.info[0].value


def test_another_machine_and_an_unknown_study_are_told(visit: Visit, store: Store) -> None:
    a = synthetic.fill(store)
    document = documents.to_json(store, a)
    document["study"]["machine"] |= {"cpu_model": "Other", "label": "Other <b>CPU</b>", "key": "other"}
    b = documents.from_json(store, document)
    at = visit("compare", a=a, b=b)
    assert "Their latencies are not compared" in said(at)
    assert r"\<b\>CPU" in said(at)
    assert "Latency, A / B" not in at.dataframe[0].value
    at = visit("compare", a="nonsense", b=b)
    assert "there is no such study" in at.warning[0].value


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({}, (1, 2)),
        ({"a": "gone", "b": 1}, (2, 1)),
        ({"b": 1}, (2, 1)),
        ({"b": 2}, (1, 2)),
        ({"a": 2, "b": "gone"}, (2, 1)),
        ({"a": "gone", "b": "gone"}, (1, 2)),
    ],
)
def test_a_side_that_is_not_named_is_another_study(
    visit: Visit, store: Store, named: dict[str, int | str], shown: tuple[int, int]
) -> None:
    ids = [synthetic.fill(store, seed=seed) for seed in range(3)]
    at = visit("compare", **{side: ids[who] if isinstance(who, int) else who for side, who in named.items()})
    newest_first = list(store.studies()["id"])
    assert newest_first == ids[::-1]
    assert [box.value for box in at.selectbox] == [ids[who] for who in shown]


def of(workload: str, *techniques: str, batch_size: int = 1) -> Study:
    """A study of a few variants of one workload."""
    return replace(
        plan_preset("quick", this_machine()),
        workloads=(workload,),
        variants=tuple(Variant.of([key]) for key in techniques),
        conditions=(Condition(batch_size=batch_size),),
    )


def test_by_default_the_newest_pair_that_has_a_variant_in_common(visit: Visit, store: Store) -> None:
    lstm, cnn = "lstm-classifier", "vision-small-cnn"
    asked = (
        of(lstm, "dynamic-int8"),
        of(cnn, "static-int8"),
        of(cnn, "static-int8", "channels-last"),
        of(lstm, "amp-bf16"),
        of(cnn, "static-int8", batch_size=8),
    )
    ids = [synthetic.fill(store, study, name=str(place)) for place, study in enumerate(asked)]

    def shown(**named: str) -> list[str]:
        at = visit("compare", **named)
        return [store.study(box.value).name for box in at.selectbox]

    assert shown() == ["1", "2"], "The newest two share nothing but baselines and controls."
    assert "1 variant compared" in said(visit("compare"))
    assert shown(a=ids[1]) == ["1", "2"]
    assert shown(b=ids[1]) == ["2", "1"]
    assert shown(a=ids[3]) == ["3", "4"], "It shares nothing with any, so it is the newest."
    for id in ids[1:3]:
        store.delete(id)
    assert shown() == ["3", "4"]
    assert "No variant was timed in both, so there is nothing to compare." in said(visit("compare"))


def test_few_studies_are_looked_at_for_a_pair(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        synthetic.fill(store, of("lstm-classifier", "dynamic-int8"))
    read: list[str] = []
    timed = Store.timed

    def told(self: Store, id: str, columns: Sequence[str]) -> set[tuple[Any, ...]]:
        read.append(id)
        return timed(self, id, columns)

    monkeypatch.setattr(Store, "timed", told)
    visit("compare")
    assert len(read) == 2


def test_two_chosen_studies_lead_here(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store), synthetic.fill(store, seed=1)]
    at = visit("studies", study=ids)
    assert "Which variant moved?" in " ".join(link.proto.label for link in at.get("page_link"))


def test_reports_can_be_downloaded(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("studies", study=id)
    labels = [button.proto.label for button in at.get("download_button")]
    assert [label for label in labels if "Report" in label or label == "Parquet"] == [
        "Report (HTML)", "Report (Markdown)", "Parquet",
    ]  # fmt: skip
