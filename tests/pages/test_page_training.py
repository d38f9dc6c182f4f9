"""Training: what is planned, what stands in the way, and what a training study found."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.study import Study, plan_preset

Visit = Callable[..., AppTest]


def test_it_starts_what_is_shown(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Study, str]] = []

    def submit(store: Store, study: Study, *, name: str = "", command: str = "") -> str:
        asked.append((study, command))
        return synthetic.fill(store, study, name=study.name)

    monkeypatch.setattr(jobs, "submit", submit)
    at = visit("training")
    assert "No training study has been measured yet" in said(at)
    assert at.toggle(key="training-off-amp-fp16").disabled
    assert "FP16 autocast is for CUDA" in said(at)
    assert not any("int8" in toggle.key for toggle in at.toggle)
    at.session_state["training-workloads"] = ["transformer-encoder"]
    at.toggle(key="training-technique-torch-compile").set_value(True).run()
    at.button(key="start-study").click().run()
    ((study, command),) = asked
    assert study.phase == "training"
    assert {condition.batch_size for condition in study.conditions} == {16}
    assert {variant.key for variant in study.variants} == {
        "amp-bf16", "torch-compile", "channels-last+amp-bf16",
    }  # fmt: skip
    assert command.startswith("python -m efficiency run --phase training --preset quick --workload transformer-encoder")
    assert not at.exception
    text = said(at)
    assert "AMP BF16 trains with" in text, "what it found is on the page when it has ended"


def test_without_a_batch_size_nothing_starts(visit: Visit) -> None:
    at = visit("training")
    at.session_state["training-batch-sizes"] = ["0"]
    at.run()
    assert "choose 1 to 1024, not 0" in said(at)
    assert at.button(key="start-study").disabled


def test_results_are_of_training_studies_alone(visit: Visit, store: Store) -> None:
    synthetic.fill(store, name="Answers")
    id = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"), name="Steps")
    at = visit("training")
    assert [option.split(" · ")[0] for option in at.selectbox(key="training-study").options] == ["Steps"]
    text = said(at)
    assert "Small CNN · CPU, batch 16" in text.replace("\\", "")
    assert "with its batches in another order, ends" in text
    assert re.search(r"AMP BF16 trains with as much memory here and is 1\.\d+x slower ±", text.replace("\\", ""))
    outcome = at.dataframe[0].value
    assert outcome["Variant"].iloc[0] == "Baseline"
    assert outcome["Loss at the end"].notna().all()
    explore = visit("explore", study=[id])
    assert "training" in " ".join(explore.multiselect(key="condition").options)


def test_the_study_that_was_just_measured_is_shown_and_another_may_be_chosen(visit: Visit, store: Store) -> None:
    first, second = (
        synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"), name=name) for name in ("1", "2")
    )
    at = visit("training", study=first)
    chosen = at.selectbox(key="training-study")
    assert chosen.value == first
    chosen.set_value(second).run()
    assert at.selectbox(key="training-study").value == second
    third = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"), name="3")
    at.query_params["study"] = third
    at.run()
    assert at.selectbox(key="training-study").value == third


def test_a_combination_is_judged_as_training_judges_it(visit: Visit) -> None:
    at = visit("training")
    at.multiselect(key="training-combine").set_value(["amp-bf16", "amp-fp16"]).run()
    assert "autocast takes one type; choose one." in said(at)
    assert at.button(key="training-combine-add").disabled
    at.multiselect(key="training-combine").set_value(["torch-compile", "channels-last"]).run()
    at.button(key="training-combine-add").click().run()
    assert "channels-last+torch-compile" in at.multiselect(key="training-combinations").value
    assert "--combine channels-last+torch-compile" in at.code[0].value


def test_padding_of_text_and_a_missing_counter_are_said(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))
    baseline = store.rows([id]).query("variant == 'baseline' and workload == 'lstm-classifier'").iloc[0]
    columns = {name: baseline[name] for name in COLUMNS if name != "study" and pd.notna(baseline[name])}
    reason = "There are no power counters here, as on most virtual machines."
    kept = store.details(int(baseline["row_id"])) | {"energy": {"mj": None, "reason": reason}}
    store.put_row(id, int(baseline["position"]), columns, kept)
    captions = [text.value.replace("\\", "") for text in visit("training").caption]
    assert captions.count(f"{synthetic.PADDING_PCT:.0f} % of the timed tokens are padding.") == 2, (
        "LSTM and transformer"
    )
    assert captions.count(f"Energy was not measured. {reason}") == 1
    assert captions.count("Energy was not measured.") == 2, "rows that keep no reason"
    store.put_row(id, int(baseline["position"]), columns | {"energy_mj": 1.5}, kept)
    at = visit("training")
    assert reason not in "\n".join(text.value for text in at.caption)
    assert 1.5 in next(one.value["Energy [mJ]"].tolist() for one in at.dataframe if "Energy [mJ]" in one.value)


def test_the_details_of_a_trained_row_know_luck(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"amp-bf16": (0.62, 0.05, 1.0)})
    id = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))
    row = store.rows([id]).query("variant == 'amp-bf16' and workload == 'vision-small-cnn'").iloc[0]
    assert row["accuracy_delta_ci_high_pp"] < -2
    text = said(visit("explore", study=id, row=str(row["row_id"])))
    assert "cannot be told" in text
    assert "its batches in another order, ends 11." in text
