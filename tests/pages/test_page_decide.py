"""Decide: the answer in a sentence, limits in the address, what fades, and every study that has no answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import synthetic
from said import links, said
from streamlit.testing.v1 import AppTest

from efficiency import confirm
from efficiency.analysis import any_hour, decision_table
from efficiency.analysis.wording import markdown_text
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import plan_preset
from efficiency.ui import confirming

Visit = Callable[..., AppTest]

QUICK = plan_preset("quick", this_machine())
DYNAMIC_LSTM = "workload == 'lstm-classifier' and variant == 'dynamic-int8'"


def test_the_answer_is_a_sentence_with_numbers_and_intervals(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id)
    text = said(at)
    assert "leads (not confirmed yet)" in text
    assert "the baseline&#x27;s speed (95 %: " in text
    assert "Runner-up" in text
    assert "paid for itself after" in text
    assert at.button(key="decide-confirm").label == "Confirm in fresh processes"
    assert len(at.get("plotly_chart")) == 1
    assert at.dataframe[0].value["Keeps to all"].eq("✓").all()


def test_what_confirms_it_keeps_the_command_that_asks_for_the_same(
    visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(confirming.jobs, "submit", lambda store, study, command="": asked.append(command))
    id = synthetic.fill(store)
    visit("decide", study=id, case="LSTM", latency="50").button(key="decide-confirm").click().run()
    (command,) = asked
    assert command.startswith(f"python -m efficiency recommend {id} --max-latency-ms 50 --workload lstm-classifier")
    assert command.endswith("--confirm")


def test_limits_are_in_the_address_and_what_misses_them_fades(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM", size="6", accuracy="2", price="0.36")
    assert at.select_slider(key="limit-size").value == 6
    assert "at most 2 pp of accuracy lost and 6 MB of size" in said(at)
    assert "A million calls cost " in said(at)
    table = at.dataframe[0].value
    assert set(table.loc[table["Keeps to all"] == "✓", "Variant"]) == {"Dynamic INT8"}
    assert set(table["Size"]) == {"✓", "✗"}
    (listed,) = [part for part in said(at).splitlines() if "eff-list" in part]
    assert listed.count("<a ") == len(table)
    assert f"row={store.rows([id]).query(DYNAMIC_LSTM)['row_id'].item()}" in listed
    assert listed.count("size ✗") == (table["Size"] == "✗").sum()
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    clouds = [trace for trace in figure["data"] if trace["name"] == "Variants"]
    assert [cloud["opacity"] for cloud in clouds] == [0.15, 1.0]
    assert len(clouds[1]["customdata"]) == 1
    at.select_slider(key="limit-size").set_value(float("inf")).run()
    assert not at.exception
    assert "size" not in at.query_params
    assert "at most 2 pp of accuracy lost" in said(at)


def test_every_slider_ends_where_some_row_still_keeps_to_it(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM")
    for name in ("latency", "size", "memory", "prepare"):
        least = at.select_slider(key=f"limit-{name}").options[0].split()[1]
        assert "Nothing meets the limits" not in said(visit("decide", study=id, case="LSTM", **{name: least})), name


def test_nonsense_in_the_address_is_said_and_is_no_limit(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    text = said(visit("decide", study=id, accuracy="1000000", latency="nan", size="-5", memory="much"))
    assert "no limits" in text
    for asked in ("1000000", "nan", r"\-5", "much"):
        assert f"The address asks for {asked} here, which is no limit." in text


def test_where_nothing_keeps_to_the_limits_the_closest_miss_is_named(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM", size="1")
    text = said(at)
    assert "Nothing meets the limits" in text
    assert "No row keeps to 1 MB of size, even if that were the only limit." in text
    assert "The closest miss is " in text
    assert "Copy this: the recipe of what comes closest to the limits" in [part.label for part in at.expander]


def test_what_is_no_limit_in_the_address_is_left_out(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    for wrong in ("abc", "nan"):
        assert "no limits" in said(visit("decide", study=id, latency=wrong))


def test_a_study_without_an_answer_gets_a_sentence(visit: Visit, store: Store) -> None:
    assert "Nothing measured yet" in said(visit("decide"))
    empty = store.add_study({"preset": "quick"}, name="Empty", machine={}, command="", status="cancelled")
    assert "This study is cancelled and holds no rows." in said(visit("decide", study=empty))
    id = synthetic.fill(store)
    document = documents.to_json(store, id)
    for row in document["rows"]:
        row["columns"] = {**row["columns"], "status": "failed", "reason": "It ran out of memory."}
    failed = documents.from_json(store, document)
    at = visit("decide", study=failed)
    assert "There is no row to choose from" in said(at)
    assert "None of these rows holds a measurement" in said(at)
    assert not at.get("plotly_chart")
    for row in document["rows"]:
        row["columns"] |= {"status": "cancelled", "speedup": None}
    going_on = documents.from_json(store, document | {"study": document["study"] | {"name": "Still at it"}})
    store.set_status(going_on, "running")
    at = visit("decide", study=going_on)
    assert "It is still being measured; the answer appears as soon as rows are timed." in said(at)
    assert "cancelled" not in said(at)


def test_training_steps_are_not_shipped(visit: Visit, store: Store) -> None:
    answers = synthetic.fill(store)
    steps = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"), name="Steps")
    assert visit("decide").selectbox(key="study-shown").value == answers, "The newest is of training."
    at = visit("decide", study=steps)
    assert "It timed training steps, and nothing of them is shipped" in said(at)
    assert not at.get("plotly_chart")
    assert not at.get("select_slider")


def test_all_answers_are_seen_at_a_glance(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM", size="4")
    assert len(at.dataframe) == 1
    at.toggle(key="all").set_value(True).run()
    table = at.dataframe[1].value.set_index("Workload and condition")
    assert list(table.index) == list(at.selectbox(key="case").options)
    answers, variants = table["Answer"], table["Variant"]
    assert (answers["LSTM"], variants["LSTM"]) == ("Nothing meets the limits", "closest: Dynamic INT8")
    assert answers["Transformer"].startswith("Leads (not confirmed yet)")
    assert "case=Transformer" in [part for part in said(at).splitlines() if "eff-list" in part][-1]
    assert len(visit("decide", study=id, all="true").dataframe) == 2
    one = visit("decide", study=synthetic.fill(store, replace(QUICK, workloads=("lstm-classifier",))))
    assert not [toggle for toggle in one.toggle if toggle.key == "all"]


def test_a_study_of_another_machine_cannot_be_confirmed_here(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    document = documents.to_json(store, id)
    document["study"]["machine"] |= {"label": "Elsewhere CPU", "cpu_model": "Elsewhere CPU", "key": "0123456789"}
    other = documents.from_json(store, document)
    at = visit("decide", study=other)
    assert "It was measured on Elsewhere CPU, not on this machine" in said(at)
    assert "A study of this machine can be confirmed here." in said(at)
    assert not [button for button in at.button if button.key == "decide-confirm"]


def test_fresh_replicates_of_a_confirmation_decide(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    rows = store.rows([id])
    lstm = rows[(rows["workload"] == "lstm-classifier") & (rows["variant"] == "dynamic-int8")].iloc[0]
    plan = confirm.plan(store.study(id), lstm.to_dict(), ("dynamic-int8", "amp-bf16"), this_machine())
    again = synthetic.fill(store, plan, name=plan.name, seed=5)
    at = visit("decide", study=id, case="LSTM")
    assert "Ship Dynamic INT8, which fresh processes confirm" in said(at)
    fresh = store.rows([again]).set_index("variant").loc["dynamic-int8"]
    assert f"{fresh['speedup']:.2f}x the baseline&#x27;s speed" in said(at)
    assert not [button for button in at.button if button.key == "decide-confirm"]
    (table,) = (one.value for one in at.dataframe)
    own = table.set_index("Variant").loc["Dynamic INT8"]
    assert own["Latency p50 [ms]"] == fresh["latency_ms_p50"]
    assert own[decision_table.BEFORE].endswith(f", {lstm['latency_ms_p50']:.2f} ms")
    assert table["Variant"].is_unique
    assert (
        "Variants that were timed again stand in the answer, the chart and this table with their new figures"
        in said(at)
    )
    of_confirmation = visit("decide", study=again, case="LSTM")
    assert f"It times again what led in the study {id}" in said(of_confirmation).replace("\\", "")
    assert not [button for button in of_confirmation.button if button.key == "decide-confirm"]
    assert "leads (not confirmed yet)" in said(visit("decide", study=id, case="Transformer"))
    store.set_status(again, "running")
    at = visit("decide", study=id, case="LSTM")
    assert "leads (not confirmed yet)" in said(at)
    at = visit("decide", study=id, case="Transformer")
    assert at.button(key="decide-confirm"), "What is timed again is another model's."
    store.set_status(again, "failed", "The disk is full.")
    at = visit("decide", study=id, case="LSTM")
    assert "The last try failed. The disk is full." in said(at)
    assert at.button(key="decide-confirm")


def test_what_other_studies_of_this_machine_found_is_said(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store, seed=seed) for seed in range(5)]
    elsewhere = documents.to_json(store, ids[0])
    elsewhere["study"]["machine"] |= {"key": "another"}
    documents.from_json(store, elsewhere)
    disturbed = documents.to_json(store, ids[0])
    disturbed["study"]["id"] = "disturbed"
    for row in disturbed["rows"]:
        row["columns"] |= {"warnings": "disturbed", "speedup": 9.0, "speedup_ci_low": 8.9, "speedup_ci_high": 9.1}
    documents.from_json(store, disturbed)
    winner = store.rows(ids).query(DYNAMIC_LSTM)
    found = any_hour.said(winner.iloc[-1].to_dict(), list(winner["speedup"])[:-1])
    assert found.startswith("In 4 other studies of this machine it was 2.")
    found = markdown_text(found)
    assert found in said(visit("decide", study=ids[-1], case="LSTM"))
    assert found in said(visit("decide", study=ids[-1], case="LSTM", row=str(winner["row_id"].iloc[-1])))
    for id in ids[:-1]:
        store.delete(id)
    alone = said(visit("decide", study=ids[-1], case="LSTM"))
    assert "other studies of this machine" not in alone
    assert "At another hour a study should find" in alone
    row = next(winner.iloc[[-1]].itertuples())._asdict()
    synthetic.fill(store, confirm.plan(store.study(ids[-1]), row, ["dynamic-int8"], this_machine()))
    confirmed = said(visit("decide", study=ids[-1], case="LSTM"))
    assert "fresh processes confirm" in confirmed
    assert "other study of this machine" not in confirmed, "What was picked for its speed tells nothing of hours."


def test_what_more_test_rows_may_settle_is_planned_by_a_link(visit: Visit, store: Store) -> None:
    """Dynamic INT8 loses 0.3 pp, give or take 0.27."""
    link, id = "Plan Dynamic INT8 with all test rows", synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM", accuracy="0.2")
    assert "Leave it as it is, so far" in said(at)
    asks = links(at)[link]
    assert (asks["plan"], asks["dataset"]) == ("lstm-classifier", "source-code")
    run = visit("run", **asks)
    assert run.button_group(key="plan-preset").value == "article"
    on = {one.key.removeprefix("plan-technique-") for one in run.toggle if one.value}
    assert on == set(asks["variants"].split(",")) >= {"dynamic-int8"}
    assert link not in links(visit("decide", study=id, case="LSTM"))
    document = documents.to_json(store, id)
    for row in document["rows"]:
        row["columns"]["warnings"] = None
    whole = documents.from_json(store, document | {"study": document["study"] | {"id": "all", "name": "All rows"}})
    assert link not in links(visit("decide", study=whole, case="LSTM", accuracy="0.2"))


def test_details_of_the_winner_open(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    at = visit("decide", study=id, case="LSTM")
    at.button(key="decide-details").click().run()
    assert not at.exception
    assert "Raw samples" in said(at)
    assert "240 calls in 4 fresh processes" in said(at)
    assert "There is no p99 of so few: it takes 500 timed calls" in said(at)


def test_why_p99_is_empty_is_said_where_it_is(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    assert "No row has a p99: it takes 500 timed calls" in said(visit("decide", study=id, case="LSTM"))
    at = visit("decide", study=id, case="LSTM", percentile="p99", latency="50")
    assert (
        "No row here has a figure of latency p99, so none can be held against 50 ms: it takes 500 timed calls"
        in said(at)
    )
    assert "Nothing is known to meet the limits" in said(at)
    assert "That may settle its latency." in at.button(key="decide-confirm").help
    at.button(key="drop-latency").click().run()
    assert "No row here has a p99: it takes 500 timed calls" in said(at)
    assert at.number_input(key="typed-latency").label == "Latency of a call [ms]"
    assert "no limits" in said(at)
    document = documents.to_json(store, id)
    for row in document["rows"]:
        if row["columns"]["variant"] != "dynamic-int8":
            row["columns"] |= {"latency_ms_p99": row["columns"]["latency_ms_p50"]}
    some = documents.from_json(store, document | {"study": document["study"] | {"id": "some", "name": "Some"}})
    at = visit("decide", study=some, case="LSTM", percentile="p99", latency="50")
    count = len(at.dataframe[0].value)
    assert f"1 of {count} rows has no p99: it takes 500 timed calls" in said(at)
    assert f"1 of {count} rows has no figure of latency p99 and so cannot be held against its limit" in said(at)
    assert "so none can" not in said(at)
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("Latency p99 [ms a call]")


def test_a_p99_that_a_confirmation_found_can_be_limited(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    record, row = store.study(id), next(store.rows([id]).query(DYNAMIC_LSTM).itertuples())._asdict()
    again = synthetic.fill(store, confirm.plan(record, row, ["dynamic-int8"], this_machine()))
    document = documents.to_json(store, again)
    for one in document["rows"]:
        one["columns"] |= {"latency_ms_p99": one["columns"]["latency_ms_p50"]}
    documents.from_json(store, document | {"study": document["study"] | {"id": "again", "name": "Again"}})
    at = visit("decide", study=id, case="LSTM", percentile="p99")
    assert "No row here has a p99" not in said(at)
    assert at.select_slider(key="limit-latency").value == float("inf")
    at = visit("decide", study=id, case="LSTM", percentile="p99", latency="50")
    assert "Ship Dynamic INT8, which fresh processes confirm" in said(at)


def test_a_limit_on_what_no_row_knows_is_not_passed_over(visit: Visit, store: Store) -> None:
    document = documents.to_json(store, synthetic.fill(store))
    for row in document["rows"]:
        row["columns"] |= {"peak_memory_mb": None}
    old = documents.from_json(store, document | {"study": document["study"] | {"id": "old", "name": "Old"}})
    at = visit("decide", study=old, case="LSTM", memory="100")
    assert "No row here has a figure of peak memory, so none can be held against 100 MB." in said(at)
    assert "Nothing is known to meet the limits" in said(at)
    at.button(key="drop-memory").click().run()
    assert "memory" not in at.query_params
    assert "no limits" in said(at)


def test_a_limit_of_nothing_is_refused_and_the_one_before_stays(visit: Visit, store: Store) -> None:
    at = visit("decide", study=synthetic.fill(store), case="LSTM")
    at.number_input(key="typed-latency").set_value(7.5).run()
    at.number_input(key="typed-latency").set_value(0.0).run()
    assert not at.exception
    assert "0 is no limit: choose" in said(at)
    assert at.query_params["latency"] == "7.5"
    assert at.number_input(key="typed-latency").value == 7.5
    at.number_input(key="typed-latency").set_value(6.5).run()
    assert at.query_params["latency"] == "6.5"
    assert "0 is no limit" not in said(at)
    at.number_input(key="typed-accuracy").set_value(-1.0).run()
    assert "-1 is no limit: choose more than 0 and at most 100" in said(at)
    assert "accuracy" not in at.query_params
    at.number_input(key="typed-latency").set_value(1_234_567.5).run()
    assert at.query_params["latency"] == "1234567.5"
    assert "1,234,567.5 ms of latency" in said(at)


def test_no_preparation_at_all_is_a_limit(visit: Visit, store: Store) -> None:
    at = visit("decide", study=synthetic.fill(store), case="LSTM")
    at.number_input(key="typed-prepare").set_value(0.0).run()
    assert not at.exception
    assert at.query_params["prepare"] == "0"
    assert at.select_slider(key="limit-prepare").value == 0.0
    assert "at most 0 s of preparation" in said(at)


def test_with_only_what_is_sure_each_slider_begins_where_a_row_surely_keeps_to_it(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    least = {
        sure: visit("decide", study=id, case="LSTM", sure=sure).select_slider(key="limit-latency").options[0]
        for sure in ("false", "true")
    }
    assert float(least["true"].split()[1]) > float(least["false"].split()[1])


def test_a_limit_is_typed_where_the_slider_has_no_stop(visit: Visit, store: Store) -> None:
    at = visit("decide", study=synthetic.fill(store), case="LSTM")
    at.number_input(key="typed-latency").set_value(7.777).run()
    assert not at.exception
    assert at.query_params["latency"] == "7.777"
    assert at.select_slider(key="limit-latency").value == 7.777
    assert "at most 7.777 ms of latency (p50)" in said(at)
    at.select_slider(key="limit-latency").set_value(float("inf")).run()
    assert at.number_input(key="typed-latency").value is None
    assert "no limits" in said(at)


def test_an_address_that_asks_for_what_is_not_there_is_told(visit: Visit, store: Store) -> None:
    at = visit("decide", study=synthetic.fill(store), case="[x]")
    assert "asks for the workload and condition “[x]”, which is not here." in said(at).replace("\\", "")
