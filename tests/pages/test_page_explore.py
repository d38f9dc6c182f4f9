"""Explore: the first screen, several studies, filters, details, and what is asked of it wrongly."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import paths
from efficiency.analysis import notes, views
from efficiency.analysis.wording import markdown_text
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.study import Variant, plan_preset

Visit = Callable[..., AppTest]


def test_empty_database_says_what_to_do(visit: Visit) -> None:
    at = visit()
    assert "Nothing measured yet" in said(at)
    assert "Measure this machine" in [link.proto.label for link in at.get("page_link")]


def test_example_is_there_from_the_start_and_says_where_it_is_from(
    visit: Visit, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = synthetic.fill(store, name="Quick")
    document = documents.to_json(store, id)
    model = "Elsewhere CPU ![x](http://h/p.png) <b>"
    document["study"]["machine"] |= {"label": "Elsewhere CPU, 64 cores", "cpu_model": model, "cores": 64.0}
    store.delete(id)
    file = home / "example.json.gz"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    monkeypatch.setattr(paths, "EXAMPLE", file)
    text = said(visit())
    here = this_machine()
    assert (
        f"Recorded on **Elsewhere CPU, 64 cores**, not on this machine ({markdown_text(model)} in place of "
        f"{markdown_text(here.cpu_model)}, 64 cores in place of {here.cores:g})"
    ) in text
    assert "![x]" not in text
    assert "python -m efficiency run --preset quick" in text
    assert f"torch {this_machine().torch_version}" in text
    assert "x faster" in text


def test_headlines_chart_table_and_reasons(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit()
    assert "Small CNN" in said(at)
    assert len(at.get("plotly_chart")) == 3
    table, reasons = at.dataframe[0].value, at.dataframe[1].value
    done = store.rows([id]).query("status == 'done'")
    assert len(table) == len(done)
    assert "2.9x faster" in " ".join(table["Against the baseline"])
    assert set(reasons["Status"]) == {"failed", "not-applicable"}
    assert reasons["Reason"].str.len().min() > 10


def test_noise_and_warnings_stand_on_the_cards_and_on_a_narrow_screens_list(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    text = said(visit(study=id, workload="LSTM"))
    (cards,) = [part for part in text.splitlines() if "eff-cards" in part]
    assert "(noise ±" in cards
    assert ">test subset</span>" in cards
    assert notes.MEANINGS["test-subset"] in cards
    (listed,) = [part for part in text.splitlines() if "eff-list" in part]
    best = store.rows([id]).query("workload == 'lstm-classifier' and variant == 'dynamic-int8'").iloc[0]
    assert f"row={best['row_id']}" in listed
    assert f"study={id}" in listed
    assert (
        listed.count("(noise ±")
        == listed.count("<a ")
        == len(store.rows([id]).query("workload == 'lstm-classifier' and status == 'done'"))
    )


def test_legend_says_in_words_every_look_that_there_is(visit: Visit, store: Store) -> None:
    words = {"unresolved": "cannot be told from the baseline", "same": "same speed"}
    plain = synthetic.fill(store)
    combined = replace(plan_preset("quick", this_machine()), equivalence_pct=50.0)
    combined = replace(combined, variants=(*combined.variants, Variant.of(["dynamic-int8", "inference-mode"])))
    for id in (plain, synthetic.fill(store, combined)):
        rows = store.rows([id]).query("variant not in ('baseline', 'control')")
        for view in ("Trade-off", "Speed-up"):
            text = _legend(visit(study=id, view=view))
            assert {verdict: word in text for verdict, word in words.items()} == {
                verdict: verdict in set(rows["speed_verdict"]) for verdict in words
            }
            assert all(word in text for word in ("control: the baseline", "noise floor: what"))
            assert ("combined with others" in text) == rows["variant"].str.contains("+", regex=False).any()
    assert "noise floor: what" not in _legend(visit(study=plain, x="Size", y="Accuracy"))


def test_what_has_no_p99_is_told_where_that_is_drawn(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    count = len(store.rows([id]).query("status == 'done'"))
    at = visit(study=id, x="Latency p99")
    assert f"{count} of {count} rows are not drawn, since they have no p99: it takes 500 timed calls" in said(at)
    assert "cannot be told from the baseline" not in _legend(at)
    assert "are not drawn" not in said(visit(study=id))


def _legend(at: AppTest) -> str:
    return next(html.proto.body for html in at.html if "eff-legend" in html.proto.body)


def test_only_failures(visit: Visit, store: Store) -> None:
    machine = this_machine()
    study = replace(plan_preset("quick", machine), workloads=("transformer-encoder",))
    id = synthetic.fill(store, study)
    for position, row in enumerate(store.rows([id]).to_dict("records")):
        store.put_row(
            id,
            position,
            {"workload": row["workload"], "variant": row["variant"], "status": "failed", "reason": "It broke."},
            {},
        )
    at = visit()
    assert "None of these rows holds a measurement" in said(at)
    assert set(at.dataframe[0].value["Reason"]) == {"It broke."}


def test_study_without_rows(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    working(store.add_study({}, name="Waits", machine={}, command="", status="queued"), state="queued")
    assert "rows appear here as they are done" in said(visit())


@pytest.mark.parametrize("garbage", ["nonsense", "'; DROP TABLE studies; --", "<b>x</b>", "x" * 500, "\x00"])
def test_garbage_study_is_a_sentence_and_nothing_is_lost(visit: Visit, store: Store, garbage: str) -> None:
    synthetic.fill(store)
    at = visit(study=garbage)
    assert "There is no study" in at.warning[0].value
    assert "<b>" not in at.warning[0].value
    assert len(at.get("plotly_chart")) == 3


def test_garbage_filters_and_row(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    at = visit(row="nonsense", workload="nonsense", x="nonsense", view="nonsense")
    assert "There is no row" in at.warning[0].value
    assert len(at.get("plotly_chart")) == 3


@pytest.mark.parametrize("joined", [True, False])
def test_several_studies_by_address(visit: Visit, store: Store, joined: bool) -> None:
    ids = [synthetic.fill(store, name="One"), synthetic.fill(store, name="Two", seed=1)]
    at = visit(study=",".join(ids) if joined else ids)
    assert at.multiselect(key="studies-shown").value == ids
    assert set(at.dataframe[0].value["Study"]) == {"One", "Two"}


def test_several_studies_have_a_headline_each(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store, name="Here"), synthetic.fill(store, name="There", seed=1, slower=3.0)]
    cards = [text for text in said(visit(study=ids, workload="LSTM")).splitlines() if "eff-card" in text]
    (shown,) = [text for text in cards if "x faster" in text]
    assert shown.count('class="eff-card"') == 2
    assert "LSTM · Here" in shown
    assert "LSTM · There" in shown


def test_studies_can_be_emptied(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    at = visit()
    at.multiselect(key="studies-shown").set_value([]).run()
    assert "Choose a study above." in said(at)
    assert "Choose a study above." in said(visit(study=""))


def test_names_and_reasons_are_shown_as_they_are(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, name="![x](http://h/p.png)", status="failed")
    store.set_status(id, "failed", "It broke: :red[__init__()] $x$")
    row = store.rows([id]).query("status == 'failed'").iloc[0].to_dict()
    row_id = store.put_row(
        id, row["position"], {n: row[n] for n in ("workload", "variant", "status")} | {"reason": "<b>*no*</b>"}, {}
    )
    text = said(visit(study=id, row=str(row_id)))
    assert markdown_text("It broke: :red[__init__()] $x$") in text
    assert "failed: " + markdown_text("<b>*no*</b>") in text
    assert "![x]" not in text


def test_csv_holds_the_rows_that_the_filters_leave(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    id = synthetic.fill(store)
    at = visit(study=id, workload="LSTM", technique="AMP BF16")
    (button,) = [b for b in at.get("download_button") if b.proto.label.startswith("CSV")]
    shown = store.rows([id]).query("workload == 'lstm-classifier' and variant in ['baseline', 'control', 'amp-bf16']")
    assert button.proto.label == f"CSV of the {len(shown)} rows shown"
    text = documents.to_csv(store, [id], list(shown["row_id"]))
    assert len(text.splitlines()) == 1 + len(shown)
    assert set(text.splitlines()) <= set(documents.to_csv(store, [id]).splitlines())


def test_studies_of_one_name_can_be_told_apart(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store, name="Same"), synthetic.fill(store, name="Same", seed=1)]
    options = visit(study=ids[0]).multiselect(key="studies-shown").options
    assert len(set(options)) == 2


def test_filters_from_the_address_and_by_hand(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    at = visit(workload="LSTM")
    assert len(at.get("plotly_chart")) == 1
    assert set(at.dataframe[0].value["Workload"]) == {"LSTM"}
    at.multiselect(key="technique").set_value(["AMP BF16"]).run()
    assert set(at.dataframe[0].value["Variant"]) == {"Baseline", "Control", "AMP BF16"}
    at.multiselect(key="status").set_value(["failed"]).run()
    assert "No row matches these filters" in said(at)


def test_rows_that_wait_for_their_turn_can_be_chosen(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, status="running")
    row = store.rows([id]).iloc[-1]
    known = {name: row[name] for name in COLUMNS if name in ("workload", "dataset", "variant", "batch_size", "threads")}
    store.put_row(id, int(row["position"]), known | {"status": "cancelled", "reason": views.NOT_TIMED}, {})
    at = visit(study=id)
    assert "to be timed" in at.multiselect(key="status").options
    assert "cancelled" not in at.multiselect(key="status").options
    at.multiselect(key="status").set_value(["to be timed"]).run()
    assert "No row matches these filters" not in said(at)


def test_details_of_a_row(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0]
    at = visit(study=id, row=str(row["row_id"]))
    text = said(at)
    assert "99.1% of the weights are INT8" in text
    assert "Why is it not faster?" not in text
    assert text.count("95 %: ") == 3, "Of speed-up, latency and accuracy; size and memory have none."
    assert "noise floor ±" in text
    assert len(at.get("plotly_chart")) == 5, "Three of Explore, the samples, and every process's ratio."
    assert "A point is what one fresh process found by itself." in text
    assert "240 calls in 4 fresh processes" in text
    of_cnn = store.rows([id]).query("workload == 'vision-small-cnn'").set_index("variant")["row_id"]
    answers, baseline = (store.answers(int(of_cnn[variant])) for variant in ("static-int8", "baseline"))
    right = (answers["predicted"] == answers["label"]) & (baseline["predicted"] != baseline["label"])
    assert f"{right.sum()} are right here alone" in text or f"{right.sum()} is right here alone" in text
    assert any(expander.label == "About Static INT8" for expander in at.expander)
    flipped = int((answers["predicted"] != baseline["predicted"]).sum())
    assert f"Examples: {flipped} answered otherwise" in [expander.label for expander in at.expander]
    (examples,) = [frame.value for frame in at.dataframe if "Answer here" in frame.value]
    assert len(examples) == flipped
    assert (answers["predicted"] != baseline["predicted"])[examples["Test row"]].all()


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ({"mj": None, "reason": "It is hidden."}, "Energy was not measured. It is hidden."),
        (
            {"mj": 3.21, "low_mj": 3.0, "high_mj": 3.5, "with_idle_mj": 9.1, "idle_w": 24.0, "windows": 4},
            "An example takes 3.21 mJ above idle (3.00 to 3.50 over 4 windows; 9.10 mJ with the 24.0 W that idling",
        ),
        (None, ""),
    ],
)  # fmt: skip
def test_details_say_energy_or_why_there_is_none(
    visit: Visit, store: Store, kept: dict[str, object] | None, sentence: str
) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0].to_dict()
    columns = {name: row[name] for name in ("workload", "dataset", "variant", "status", "warnings")}
    store.put_row(id, row["position"], columns, {"energy": kept, "logits": {"snr_db": 40.0, "why_not": None}})
    text = said(visit(study=id, row=str(row["row_id"])))
    assert markdown_text(sentence) in text
    assert markdown_text("40 dB from the baseline's: the difference is 1 %") in text


def test_details_say_why_a_row_is_not_faster_and_what_of_it_is_the_runtimes(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'amp-bf16' and workload == 'vision-small-cnn'").iloc[0].to_dict()
    columns = {name: row[name] for name in COLUMNS if name != "study" and pd.notna(row[name])}
    columns |= {"runtime_speedup": 1.24, "runtime_speedup_ci_low": 1.2, "runtime_speedup_ci_high": 1.28}
    columns |= {"ceiling_pct": 134.0, "warnings": "beyond-ceiling"}
    figures = {"bf16_mac_share": 0.5, "conversions": 7.0}
    evidence = {"amp-bf16": {"took_effect": "yes", "reason": "Half of it.", "figures": figures}}
    ran = {"ran": [["convolution", "avx512_core_bf16", 3], ["reorder", "", 2]], "onednn_limit": None}
    details = {"evidence": evidence, "kernels": ran, "work": {"limited_by": "arithmetic", "arithmetic": "bf16"}}
    store.put_row(id, row["position"], columns, details)
    at = visit(study=id, row=str(row["row_id"]))
    text = said(at)
    for sentence in (
        f"It is slower: a call takes {1 / row['speedup']:.2f}x the baseline's time",
        "Only 50% of the multiply-accumulates run in BF16",
        "7 tensors are converted to another type or layout at every call",
        "The fastest here: Static INT8",
        f"{row['speedup']:.2f}x over FP32 eager: {row['speedup'] / 1.24:.2f}x that is the runtime's, times "
        "1.24x [1.20, 1.28] that is BF16's own.",
        "oneDNN ran, in a call: 3 × convolution in AVX512-BF16; and 2 copies from one layout to another.",
        "others used the cores while the peak was measured",
    ):
        assert markdown_text(sentence) in text
    assert "Over its runtime in FP32" in at.dataframe[0].value


def test_details_judge_accuracy_by_the_studys_own_tolerance(visit: Visit, store: Store) -> None:
    generous = replace(plan_preset("quick", this_machine()), tolerance_pp=5.0)
    id = synthetic.fill(store, generous)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0]
    assert row["accuracy_verdict"] == "kept"
    assert "Surely no more than the tolerated 5 pp is lost." in said(visit(study=id, row=str(row["row_id"])))


def test_the_studys_own_band_is_in_the_legend_and_in_the_reasons(visit: Visit, store: Store) -> None:
    coarse = replace(plan_preset("quick", this_machine()), equivalence_pct=50.0)
    id = synthetic.fill(store, coarse)
    assert "same speed, within 50 %" in visit(study=id).html[0].proto.body + said(visit(study=id))
    row = store.rows([id]).query("speed_verdict == 'same' and variant not in ('baseline', 'control')").iloc[0]
    assert "lies within ±50 %" in said(visit(study=id, row=str(row["row_id"])))


def test_database_that_cannot_be_opened_is_a_sentence(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    broken = home / "broken.db"
    broken.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    monkeypatch.setenv("EFFICIENCY_DB", f"sqlite:///{broken}")
    at = visit()
    assert len(at.error) == 1
    assert len(at.error[0].value) > 20


def test_an_address_that_asks_for_what_is_not_there_is_told(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("explore", study=id, workload="zzz")
    assert "The address asks for the workload “zzz”, which is not here." in said(at)
    text = said(visit("explore", study=id, view="Pie", x="Weight"))
    assert "The address asks for the chart “Pie”, which is not here." in text
    assert "The address asks for the measure “Weight”, which is not here." in text
    assert "asks for" not in said(visit("explore", study=id, workload="LSTM"))
