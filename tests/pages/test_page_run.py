"""Run: planning, what stands in the way, following, cancelling, finding a study again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import paths
from efficiency.engine import jobs
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study, expand, plan_preset
from efficiency.ui import plan

Visit = Callable[..., AppTest]


def test_quick_is_planned_from_the_start(visit: Visit) -> None:
    at = visit("run")
    expected = plan_preset("quick", this_machine())
    study = plan.study_of(plan.defaults("quick", this_machine()), this_machine())
    assert (study.workloads, set(study.variants), study.conditions) == (
        expected.workloads,
        set(expected.variants),
        expected.conditions,
    )
    assert not at.button(key="start-study").disabled
    matrix = at.table[0].value.set_index("Variant")
    assert matrix.loc["Channels-last", "LSTM"] == "–"
    assert matrix.loc["Static INT8", "Small CNN"] == "runs"
    assert "Channels-last is an image layout" in " ".join(at.table[1].value["Why not"])


@pytest.mark.parametrize("preset", ["quick", "article", "full"])
def test_presets_fill_the_form(visit: Visit, preset: str) -> None:
    at = visit("run")
    other = "quick" if preset == "full" else "full"
    for choice in (other, preset):
        at.button_group(key="plan-preset").set_value(choice).run()
    assert not at.error
    expected = plan.defaults(preset, this_machine())
    assert tuple(at.button_group(key="plan-workloads").value) == expected.workloads
    assert tuple(at.multiselect(key="plan-combinations").value) == expected.combinations
    assert tuple(at.multiselect(key="plan-batch-sizes").value) == expected.batch_sizes
    assert tuple(at.button_group(key="plan-threads").value) == expected.threads


def test_unavailable_technique_is_off_with_its_reason(visit: Visit) -> None:
    at = visit("run")
    assert at.toggle(key="plan-off-amp-fp16").disabled
    assert "FP16 autocast is for CUDA" in said(at)
    assert "For LSTM, Transformer." in said(at)


def test_what_brings_a_runtime_names_the_python_that_runs() -> None:
    bare = replace(this_machine(), installed=())
    for key, name in (("onnxruntime", "ONNX Runtime"), ("openvino-int8", "OpenVINO")):
        found = plan.availability(key, ["lstm-classifier"], "cpu", bare)
        assert found.state == "none"
        said, command, then = found.note.split("`")
        assert said == f"{name} is not installed; "
        python, *rest = shlex.split(command)
        assert (paths.PROJECT / python).is_file()
        assert " ".join(rest) == "-m pip install -r requirements-runtimes.txt"
        assert "started again" in then
    without_nncf = replace(this_machine(), installed=("openvino",))
    assert "NNCF" in plan.availability("openvino-int8", ["lstm-classifier"], "cpu", without_nncf).note


def test_every_toggle_is_tagged_with_its_api_status(visit: Visit) -> None:
    at = visit("run")
    at.button_group(key="plan-workloads").set_value(["lstm-classifier"]).run()
    old, off, new = (at.toggle(key=f"plan-{key}") for key in (
        "technique-dynamic-int8", "off-static-int8", "technique-torch-compile"
    ))  # fmt: skip
    assert off.disabled
    for toggle in (old, off):
        assert "-badge[deprecated]" in toggle.label
    assert "The API of Dynamic INT8 is deprecated; its successor here is int8-dynamic" in old.help
    assert "its successor here is pt2e-static-int8" in off.help
    assert "-badge[stable]" in new.label
    assert all("-badge[" in toggle.label for toggle in at.toggle if toggle.key != "plan-p99")


def test_any_combination_can_be_put_together(visit: Visit) -> None:
    at = visit("run")
    options = at.multiselect(key="plan-combine").options
    assert any("BF16 weights" in option and "bf16-weights" in option for option in options), "typing either finds it"
    before = list(at.multiselect(key="plan-combinations").value)
    at.multiselect(key="plan-combine").set_value(["torch-compile"]).run()
    assert at.button(key="plan-combine-add").disabled, "one is no combination"
    at.multiselect(key="plan-combine").set_value(["torch-compile", "bf16-weights"]).run()
    for _ in range(2):
        at.button(key="plan-combine-add").click().run()
        assert at.multiselect(key="plan-combinations").value == [*before, "bf16-weights+torch-compile"]
        assert at.multiselect(key="plan-combine").value == []
        at.multiselect(key="plan-combine").set_value(["bf16-weights", "torch-compile"]).run()
    assert "--combine bf16-weights+torch-compile" in at.code[0].value
    at.switch_page("pages/studies.py").run()
    at.switch_page("pages/run.py").run()
    assert at.multiselect(key="plan-combinations").value == [*before, "bf16-weights+torch-compile"]


def test_what_cannot_stand_together_is_said_and_not_added(visit: Visit) -> None:
    at = visit("run")
    at.multiselect(key="plan-combine").set_value(["static-int8", "dynamic-int8", "inference-mode"]).run()
    assert "dynamic-int8 and static-int8 both change the weights; choose one." in [told.value for told in at.warning]
    assert at.button(key="plan-combine-add").disabled
    assert not at.button(key="start-study").disabled, "the plan is what it was"


def _without_workloads(at: AppTest) -> None:
    at.session_state["plan-workloads"] = []


def _without_techniques(at: AppTest) -> None:
    for toggle in at.toggle:
        if not toggle.disabled:
            toggle.set_value(False)
    at.multiselect(key="plan-combinations").set_value([])


def _batch_of_nothing(at: AppTest) -> None:
    at.session_state["plan-batch-sizes"] = ["0"]


def _batch_of_words(at: AppTest) -> None:
    at.session_state["plan-batch-sizes"] = ["many"]


def _batch_of_another_script(at: AppTest) -> None:
    at.session_state["plan-batch-sizes"] = ["²", "1"]


def _batch_without_end(at: AppTest) -> None:
    at.session_state["plan-batch-sizes"] = ["9" * 5000]


def _without_batch(at: AppTest) -> None:
    at.session_state["plan-batch-sizes"] = []


def _negative_budget(at: AppTest) -> None:
    at.number_input(key="plan-budget").set_value(-60.0)


def _short_budget(at: AppTest) -> None:
    at.number_input(key="plan-budget").set_value(1.0)


def _no_such_file(at: AppTest) -> None:
    at.text_input(key="plan-own-file").set_value("nowhere/at_all.py:make")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without_workloads, "at least one workload"),
        (_without_techniques, "at least one technique"),
        (_batch_of_nothing, "choose 1 to 1024, not 0"),
        (_batch_of_words, "whole numbers"),
        (_batch_of_another_script, "whole numbers"),
        (_batch_without_end, "whole numbers"),
        (_without_batch, "at least one batch size"),
        (_short_budget, "too small for this plan"),
        (_negative_budget, "choose more than 0 s, not -60"),
        (_no_such_file, "there is no file"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_starts(
    visit: Visit, spoil: Callable[[AppTest], None], sentence: str
) -> None:
    at = visit("run")
    spoil(at)
    at.run()
    assert not at.exception
    assert sentence in said(at)
    assert not any("--" in told.value for told in (*at.error, *at.warning)), "Options are of the command line."
    assert at.button(key="start-study").disabled


def test_start_submits_what_is_shown(visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Study, str]] = []

    def submit(store: Store, study: Study, *, name: str = "", command: str = "") -> str:
        asked.append((study, command))
        return synthetic.fill(store, study, name=study.name)

    monkeypatch.setattr(jobs, "submit", submit)
    at = visit("run")
    at.session_state["plan-workloads"] = ["lstm-classifier"]
    at.toggle(key="plan-technique-amp-bf16").set_value(False)
    at.run()
    at.button(key="start-study").click().run()
    (study, command) = asked[0]
    assert study.workloads == ("lstm-classifier",)
    assert "amp-bf16" not in {variant.key for variant in study.variants}
    assert command.startswith("python -m efficiency run --preset quick --workload lstm-classifier --technique")
    assert at.query_params["study"], "The address names it, so that a reload finds it again."


def test_preset_as_it_is_has_a_short_command() -> None:
    machine = this_machine()
    chosen = plan.defaults("quick", machine)
    study = plan.study_of(chosen, machine)
    assert plan.command(study, machine) == "python -m efficiency run --preset quick"


def test_several_conditions_are_all_in_the_command() -> None:
    machine = this_machine()
    chosen = replace(
        plan.defaults("quick", machine), batch_sizes=("1", "8"), threads=(1, 2), own_file="my file.py:make"
    )
    study = plan.study_of(chosen, machine)
    assert len(study.conditions) == 4
    command = plan.command(study, machine)
    assert command.endswith("--batch-size 1 --batch-size 8 --threads 1 --threads 2")
    assert study.name == f"4 workloads (quick) on {machine.cpu_model}"


def test_name_is_in_the_command() -> None:
    machine = this_machine()
    named = plan.study_of(replace(plan.defaults("quick", machine), name="Mine, today"), machine)
    assert plan.command(named, machine).endswith("--preset quick --name 'Mine, today'")
    few = replace(named, workloads=named.workloads[:1])
    assert plan.command(few, machine).endswith("--name 'Mine, today'")


@pytest.mark.parametrize(
    ("option", "good", "bad", "told"),
    [
        ("tolerance", 1.5, -1.0, "at most 20 percentage points of accuracy, not -1"),
        ("equivalence", 5.0, 0.0, "more than 0 and at most 50 percent, not 0"),
        ("precision", 1.0, 0.0, "choose 0.1 percent or more, not 0"),
    ],
)
def test_what_verdicts_rest_on_is_asked_for_and_in_the_command(
    option: str, good: float, bad: float, told: str, visit: Visit, store: Store
) -> None:
    at = visit("run")
    assert f"--{option}" not in at.code[0].value
    at.number_input(key=f"plan-{option}").set_value(good).run()
    assert f"--{option} {good:g}" in at.code[0].value
    at.number_input(key=f"plan-{option}").set_value(bad).run()
    assert told in said(at)
    assert at.button(key="start-study").disabled


def test_a_p99_is_asked_for_and_in_the_command(visit: Visit, store: Store) -> None:
    at = visit("run")
    assert "--p99" not in at.code[0].value
    at.toggle(key="plan-p99").set_value(True).run()
    assert at.code[0].value.endswith("--p99")
    assert "--precision" not in at.code[0].value


def test_form_is_as_it_was_left_after_another_page(visit: Visit, store: Store) -> None:
    at = visit("run")
    at.button_group(key="plan-workloads").set_value(["lstm-classifier"]).run()
    at.number_input(key="plan-budget").set_value(999.0)
    at.text_input(key="plan-name").set_value("Mine")
    datasets = list(plan.datasets(["lstm-classifier"]))[:1]
    at.multiselect(key="plan-datasets").set_value(datasets).run()
    at.switch_page("pages/studies.py").run()
    at.switch_page("pages/run.py").run()
    assert at.number_input(key="plan-budget").value == 999.0
    assert at.text_input(key="plan-name").value == "Mine"
    assert at.multiselect(key="plan-datasets").value == datasets


def test_data_sets_of_several_kinds_are_asked_for_together(visit: Visit, store: Store) -> None:
    at = visit("run")
    at.multiselect(key="plan-datasets").set_value(["fashion-mnist", "ag-news"]).run()
    assert "--dataset fashion-mnist --dataset ag-news" in at.code[0].value
    at.button_group(key="plan-workloads").set_value(["lstm-classifier"]).run()
    assert at.multiselect(key="plan-datasets").value == ["ag-news"]


def test_live_study_is_found_again_without_any_state(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    running = synthetic.fill(store, name="The running one", status="running")
    working(running)
    for name in ("The patient one", "The late one"):
        waiting = store.add_study({}, name=name, machine={}, command="", status="queued")
        working(waiting, state="queued", waiting_for=running, done=0, total=0)
    at = visit("run")
    text = said(at)
    assert "The running one" in text
    assert "3 of 22" in text
    assert "1 min 35 s" in text or "2 min" in text
    assert text.count("It waits for “The running one”") == 2
    assert text.count("another study is before it") == 1
    assert text.index("The patient one") < text.index("another study is before it")
    assert at.query_params["study"] == running


def test_studies_of_one_name_can_be_told_apart(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    asked = plan_preset("quick", this_machine())
    ids = []
    for workloads in (("lstm-classifier",), ("transformer-encoder",), ("vision-small-cnn",)):
        study = replace(asked, workloads=workloads)
        ids.append(store.add_study(study.as_dict(), name="quick", machine={}, command="", status="queued"))
    for id in ids:
        working(id, state="queued", waiting_for=None, done=0, total=0)
    store.set_status(ids[1], "running")
    working(ids[1])
    at = visit("run")
    captions = [text.value for text in at.caption if "submitted" in text.value]
    assert ["LSTM" in captions[1], "Transformer" in captions[0], "Small CNN" in captions[2]] == [True] * 3
    rows = len([e for e in expand(replace(asked, workloads=("lstm-classifier",)), this_machine()) if not e.why_not])
    assert f"{rows} rows to measure" in captions[1]
    assert ids[0] in captions[1].replace("\\", "")


def test_cancel_ends_it_and_says_so(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    running = synthetic.fill(store, status="running")
    working(running)
    at = visit("run")
    at.button(key=f"cancel-{running}").click().run()
    at.run()
    assert jobs.live(store) == []
    assert "Its process ended unexpectedly" in said(at), (
        "The process of this test dies without a word; a real one says cancelled."
    )


@pytest.mark.parametrize(
    ("status", "sentence"),
    [("done", "Done."), ("failed", "It failed."), ("cancelled", "what was measured is kept")],
)
def test_outcome_is_said_with_a_way_to_the_results(visit: Visit, store: Store, status: str, sentence: str) -> None:
    id = synthetic.fill(store, status=status)
    at = visit("run", study=id)
    assert sentence in said(at)
    assert "See the results in Explore" in " ".join(link.proto.label for link in at.get("page_link"))


def test_a_study_cancelled_while_it_waited_has_no_results_to_look_at(visit: Visit, store: Store) -> None:
    id = store.add_study({}, name="The patient one", machine={}, command="", status="cancelled")
    at = visit("run", study=id)
    assert "cancelled before anything was measured" in said(at)
    assert "See the results in Explore" not in " ".join(link.proto.label for link in at.get("page_link"))


def test_garbage_study_is_a_sentence(visit: Visit) -> None:
    at = visit("run", study="nonsense")
    assert "There is no study “nonsense”" in at.warning[0].value
    assert "Plan a study" in said(at)
