"""Claims are questions: other numbers in the database give other verdicts, and no number gives none."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import world

from efficiency import claims, study, workloads
from efficiency.analysis import speed
from efficiency.claims import CLAIMS, WORDS, asking, dynamic, plan
from efficiency.claims.base import Case, Figure, Need, judged, overall, summary
from efficiency.claims.precision import TRAINED_ROWS
from efficiency.claims.quantization import TWICE, int8_needs, quantized_part, telling
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store
from efficiency.study import Variant

MACHINE = replace(this_machine(), gpus=())
NOT_HERE = world.not_here(MACHINE)
"""What this machine cannot test."""
ONCE = {"quant-size", "int-hardware", "dynamic-easy", "qat-cost", "low-precision", "dynamic-fits", "amp-training"}
"""Claims whose figures have no interval, and one whose line the interval of another clears."""


def verdicts(store: Store) -> dict[str, str]:
    return {found.claim.key: found.verdict for found in claims.judge_all(claims.read(store, MACHINE))}


def test_every_claim_of_the_article_is_asked() -> None:
    assert len(CLAIMS) == 19
    assert all(claim.says.endswith(".") and claim.compares.endswith(".") and claim.line for claim in CLAIMS.values())


def test_no_claim_is_given_up_that_a_measurement_could_answer() -> None:
    assert {"amp-training"} >= NOT_HERE


def test_empty_database_has_no_verdict(store: Store) -> None:
    found = claims.judge_all(claims.read(store, MACHINE))
    for one in found:
        assert one.verdict == ("not-testable" if one.claim.key in NOT_HERE else "not-measured"), one.claim.key
        assert all(case.figure is None and case.why for case in one.cases)
        if one.verdict == "not-measured":
            assert one.needs or one.needs_ceiling or one.needs_drift
    assert summary(found).startswith(f"Of 19 claims {19 - len(NOT_HERE)} are not measured yet")


def test_where_all_holds_and_where_the_opposite_does(store: Store) -> None:
    """Every verdict that this machine can give is turned around by the numbers alone; the newest count."""
    world.fill(store, MACHINE, world.holding)
    held = verdicts(store)
    assert {key for key, verdict in held.items() if verdict == "holds"} == set(CLAIMS) - NOT_HERE
    assert all(held[key] == "not-testable" for key in NOT_HERE)
    found = claims.judge_all(claims.read(store, MACHINE))
    assert plan.missing(found) == plan.drifts(found) == []
    assert all(case.behind or case.shift or case.of_peaks for one in found for case in one.cases if case.figure)
    world.fill(store, MACHINE, world.opposite, int8=0.5)
    turned = verdicts(store)
    assert {key for key, verdict in turned.items() if verdict == "does-not-hold"} == set(CLAIMS) - NOT_HERE


def test_drift_measured_elsewhere_or_in_vain_says_nothing_here(store: Store) -> None:
    world.drift(store, replace(MACHINE, cores=MACHINE.cores + 1), world.holding)
    judged = CLAIMS["static-recalibrate"].judge(claims.read(store, MACHINE))
    assert {case.verdict for case in judged} == {"not-measured"}
    world.drift(store, MACHINE, world.holding)
    cells = [{"variant": "static-int8", "reason": "It ran out of memory."}]
    asked = {"shifts": ["gain"], "test_rows": world.TEST_ROWS}
    drifts.keep(
        store, workload="vision-small-cnn", dataset="glyphs", machine=MACHINE.as_dict(), asked=asked, cells=cells
    )
    first, *rest = CLAIMS["static-recalibrate"].judge(claims.read(store, MACHINE))
    assert (first.workload, first.verdict) == ("vision-small-cnn", "not-testable")
    assert "It ran out of memory." in first.why
    assert {(case.workload, case.verdict) for case in rest} == {("transformer-encoder", "holds")}


def test_a_claim_on_drift_asks_only_for_the_variants_it_speaks_of(store: Store) -> None:
    """Dynamic INT8 reaches little of the small CNN, which is no reason not to judge static INT8 there."""
    world.drift(store, MACHINE, world.holding)
    (record,) = (one for one in drifts.known(store) if one.workload == "vision-small-cnn")
    cells = [cell for cell in record.cells if cell["variant"] != "dynamic-int8"]
    cells.append({"variant": "dynamic-int8", "reason": "It reaches Linear layers only."})
    drifts.keep(
        store, workload=record.workload, dataset=record.dataset, machine=record.machine, asked=record.asked, cells=cells
    )
    here = claims.read(store, MACHINE)
    assert {case.verdict for case in CLAIMS["static-recalibrate"].judge(here)} == {"holds"}


def test_a_short_measurement_of_drift_does_not_replace_a_thorough_one(store: Store) -> None:
    world.drift(store, MACHINE, world.holding)
    thorough = drifts.known(store)
    for record in thorough:
        drifts.keep(
            store, workload=record.workload, dataset=record.dataset, machine=record.machine,
            asked=record.asked | {"test_rows": 20}, cells=[],
        )  # fmt: skip
    assert drifts.known(store) == thorough


def test_a_study_on_fewer_rows_does_not_take_back_what_a_thorough_one_settled(store: Store) -> None:
    need = Need("vision-small-cnn", variants=(Variant(("qat-int8",)), Variant(("static-int8",))))
    (thorough,) = world.fill(store, MACHINE, world.holding, [need])
    (quick,) = world.fill(store, MACHINE, world.opposite, [need], seed=1)
    found = claims.read(store, MACHINE).best(need)
    assert found is not None
    assert found.study_id == quick
    for _, row in store.rows([quick]).iterrows():
        columns = world.identity(need.workload, Variant(), Condition(), MACHINE) | {"variant": row["variant"]}
        columns |= {"status": "done", "warnings": "wide-interval;test-subset"}
        store.put_row(quick, int(row["position"]), columns, {})
    found = claims.read(store, MACHINE).best(need)
    assert found is not None
    assert found.study_id == thorough


def test_what_changed_nothing_is_no_evidence(store: Store) -> None:
    condition, variant = Condition(), Variant(("fast-path",))
    id = store.add_study({}, name="", machine=MACHINE.as_dict(), command="", status="done")
    for place, one in enumerate((Variant(), variant)):
        columns = world.identity("transformer-encoder", one, condition, MACHINE)
        effect = {"took_effect": "no"} if one.techniques else {}
        details = {"evidence": {"fast-path": {"took_effect": "no", "reason": "No fused kernel was ever called."}}}
        store.put_row(id, place, columns | effect | {"status": "done", "speedup": 0.99}, details)
    first = CLAIMS["better-transformer"].judge(claims.read(store, MACHINE))[0]
    assert first.verdict == "not-testable"
    assert first.why == "Fast path changed nothing here that could be seen. No fused kernel was ever called."


def test_where_both_keep_the_accuracy_neither_is_the_more_accurate(store: Store) -> None:
    def alike(workload: str, variant: str, condition: Condition) -> world.Truth:
        return world.Truth(right=0.935 if variant == "qat-int8" else 0.93)

    needs = [need for need in world.everything(MACHINE) if need.workload == "vision-small-cnn"]
    world.fill(store, MACHINE, alike, needs)
    case = CLAIMS["qat-accuracy"].judge(claims.read(store, MACHINE))[0]
    assert case.verdict == "unresolved"
    assert "Both keep the accuracy of FP32" in case.why


def test_the_easiest_needs_the_shortest_recipe() -> None:
    dynamic_int8, static, qat = (dynamic.statements("transformer-encoder", key) for key in dynamic.KINDS)
    assert 0 < dynamic_int8 < static < qat


def test_what_lies_on_the_line_is_unresolved(store: Store) -> None:
    world.fill(store, MACHINE, world.on_the_line, between=0.08)
    found = verdicts(store)
    assert {found[key] for key in set(CLAIMS) - NOT_HERE - ONCE} == {"unresolved"}


def test_other_machines_say_nothing_of_this_one(store: Store) -> None:
    ids = world.fill(
        store,
        replace(MACHINE, cores=MACHINE.cores + 1),
        world.holding,
        [Need("lstm-classifier", variants=(Variant(("dynamic-int8",)),))],
    )
    assert len(store.rows(ids))
    assert not claims.read(store, MACHINE).heats


def test_only_what_is_missing_is_planned(store: Store) -> None:
    """Once some of it is measured, a plan holds the rest, and no row that no claim asks for."""
    needs = [
        need
        for need in world.everything(MACHINE)
        if need.condition.batch_size == 1 or need.condition.phase == "training"
    ]
    world.fill(store, MACHINE, world.holding, [need for need in needs if need.workload != "lstm-classifier"])
    left = plan.missing(claims.judge_all(claims.read(store, MACHINE)))
    assert {(need.workload, need.condition.batch_size) for need in left} >= {
        ("lstm-classifier", 1),
        ("transformer-encoder", 8),
    }
    assert not any(need.workload.startswith("vision") for need in left)
    asked = plan.studies(left, MACHINE)
    wanted = {(need.workload, need.condition, variant) for need in left for variant in need.variants}
    measured = {
        (entry.workload, entry.condition, entry.variant)
        for one in asked
        for entry in study.expand(one, MACHINE)
        if entry.variant.techniques and not entry.why_not
    }
    assert measured == wanted
    assert plan.seconds(asked, MACHINE) < plan.most_seconds(asked, MACHINE)
    assert plan.time([], MACHINE) == ""
    assert 0 < plan.seconds(asked, MACHINE) < plan.seconds(plan.studies(world.everything(MACHINE), MACHINE), MACHINE)


def test_part_of_what_may_hold_decides_only_that_it_does(store: Store) -> None:
    """The best of some INT8 techniques is a verdict where it reaches the line, and none where another still may."""
    need = Need("vision-small-cnn", variants=(Variant(("static-int8",)),))
    world.fill(store, MACHINE, world.opposite, [need])
    case = CLAIMS["quant-speed"].judge(claims.read(store, MACHINE))[0]
    assert case.verdict == "not-measured"
    assert case.figure is not None
    assert case.needs
    world.fill(store, MACHINE, world.holding, [need])
    assert CLAIMS["quant-speed"].judge(claims.read(store, MACHINE))[0].verdict == "holds"


def test_luck_alone_does_not_make_the_best_of_many_reach_the_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of INT8 is exactly twice as fast. Of so many rows one has an interval above that by luck, and it may be the
    one that gains most; intervals that hold for all of them at once stay on both sides of the line."""

    def twice(workload: str, variant: str, condition: Condition) -> world.Truth:
        return world.Truth(2.0 if "int8" in variant else 1.0)

    monkeypatch.setattr(world, "TEST_ROWS", 50)
    for share in ("OF_PROCESSES_APART", "HOURS_LEAST"):
        monkeypatch.setattr(speed, share, 0.0)  # what is allowed for other hours hides most of the luck
    nothing = claims.Here(MACHINE, (), None)
    asked = {need: pair for key in workloads.WORKLOADS for need, pair in int8_needs(nothing, key).items()}
    assert len(asked) > 20
    world.fill(store, MACHINE, twice, asked, between=0.01, seed=LUCKY)
    here = claims.read(store, MACHINE)
    singly = [
        asking.ask(here, "", need, asking.faster(variant.key, plain.key, TWICE)).verdict
        for need, (variant, plain) in asked.items()
    ]
    assert "holds" in singly, "Each by itself, one of them lies above the line."
    found = judged(CLAIMS["quant-speed"], here)
    assert found.verdict == "unresolved"
    assert f"those of all {len(asked)} rows in INT8 here hold at once" in found.cases[0].why


LUCKY = 12
"""The seed of a world in which one of these rows lies above the line by luck."""


def test_common_cases_of_the_fast_path_are_judged_together(store: Store) -> None:
    world.fill(store, MACHINE, world.holding, [Need("transformer-encoder", variants=(Variant(("fast-path",)),))])
    first, *_ = CLAIMS["better-transformer"].judge(claims.read(store, MACHINE))
    here = claims.read(store, MACHINE)
    alone = asking.ask(
        here, "", Need("transformer-encoder", variants=(Variant(("fast-path",)),)), asking.faster("fast-path")
    )
    assert first.figure is not None
    assert alone.figure is not None
    assert first.figure.low < alone.figure.low < alone.figure.value < alone.figure.high < first.figure.high  # type: ignore[operator]


def test_of_int8_that_speaks_which_holds_then_which_may_still_hold() -> None:
    """A larger gain that is not sure does not hide a smaller one that is."""
    sure, unsure, slow = (
        Case("", "lstm-classifier", verdict, "", Figure(value, TWICE))
        for verdict, value in (("holds", 2.1), ("unresolved", 1.5), ("does-not-hold", 1.9))
    )
    assert sorted([slow, sure, unsure], key=telling, reverse=True) == [sure, unsure, slow]


def test_channels_last_is_judged_with_and_without_the_input_s_conversion(store: Store) -> None:
    """What is faster with the conversion is so without; of what is not, nothing follows."""
    need = Need("vision-small-cnn", variants=(Variant(("channels-last",)),))

    def found() -> list[Case]:
        cases = CLAIMS["channels-last"].judge(claims.read(store, MACHINE))
        return [case for case in cases if case.workload == need.workload]

    assert [(case.verdict, case.needs) for case in found()] == 2 * [("not-measured", (need,))]
    world.fill(store, MACHINE, world.holding, [need])
    assert [case.verdict for case in found()] == ["holds", "holds"]
    world.fill(store, MACHINE, world.opposite, [need])
    timed, without = found()
    assert (timed.verdict, without.verdict) == ("does-not-hold", "not-testable")
    assert "every call here is timed with it" in without.why
    assert without.behind == timed.behind


def test_what_of_a_claim_is_not_tested_is_said(store: Store) -> None:
    world.fill(
        store,
        MACHINE,
        world.holding,
        [need for need in world.everything(MACHINE) if need.workload == "vision-small-cnn"],
    )
    here = claims.read(store, MACHINE)
    cost = CLAIMS["qat-cost"].judge(here)[0]
    assert cost.verdict == "holds"
    assert "What energy it took is not known" in cost.why


def test_int8_is_held_against_its_own_runtime(store: Store) -> None:
    """ONNX Runtime's own gain is none of INT8's, and a combination's is that of what is left of it."""

    def fast_runtime(workload: str, variant: str, condition: Condition) -> world.Truth:
        return world.Truth({"onnxruntime": 3.0, "onnxruntime-static-int8": 3.6}.get(variant, 1.0))

    needs = [need for need in world.everything(MACHINE) if need.workload == "vision-resnet18"]
    world.fill(store, MACHINE, fast_runtime, needs)
    case = CLAIMS["quant-speed"].judge(claims.read(store, MACHINE))[1]
    assert case.verdict == "does-not-hold"
    assert case.figure is not None
    assert case.figure.value == pytest.approx(1.2, rel=0.02)
    assert "ONNX Runtime static INT8" in case.why


def test_a_failed_variant_is_told_and_not_tried_again(store: Store) -> None:
    need = Need("lstm-classifier", variants=(Variant(("dynamic-int8",)),))
    (id,) = world.fill(store, MACHINE, world.holding, [need])
    rows = store.rows([id])
    row = rows[rows["variant"] == "dynamic-int8"].iloc[0]
    store.put_row(
        id,
        int(row["position"]),
        world.identity(need.workload, need.variants[0], Condition(), MACHINE)
        | {"status": "failed", "reason": "Out of memory."},
        {},
    )
    case = CLAIMS["dynamic-fits"].judge(claims.read(store, MACHINE))[0]
    assert case.verdict == "not-testable"
    assert "Out of memory." in case.why
    assert not case.needs


def test_noise_floor_is_no_finding() -> None:
    assert asking.held(Figure(1.02, 1.0, low=1.01, high=1.03))[0] == "holds"
    assert asking.held(Figure(1.02, 1.0, low=1.01, high=1.03), floor=1.03)[0] == "unresolved"
    assert asking.held(Figure(0.9, 1.0, low=0.89, high=0.91), floor=1.03)[0] == "does-not-hold"
    assert asking.held(Figure(2.1, 2.0, low=1.9, high=2.2))[0] == "unresolved"


def test_amp_training_asks_for_less_memory_with_the_accuracy_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of made-up rows of a training study, and on any machine: whether it can train so is another question."""
    monkeypatch.setattr(asking, "why_not", lambda need, machine: None)
    id = store.add_study({}, name="", machine=MACHINE.as_dict(), command="", status="done")
    energy = {"energy": {"mj": None, "reason": "This machine has no energy counter."}}
    condition, amp = Condition("cpu", TRAINED_ROWS, MACHINE.threads, phase="training"), Variant(("amp-bf16",))
    for verdict, memory_mb, expected in (
        ("kept", 60.0, "holds"),
        ("lost", 60.0, "does-not-hold"),
        ("kept", 120.0, "does-not-hold"),
        ("kept", 99.0, "unresolved"),
        ("unresolved", 60.0, "unresolved"),
    ):
        for place, (variant, most) in enumerate(((Variant(), 100.0), (amp, memory_mb))):
            columns = {"status": "done", "peak_memory_mb": most, "accuracy_verdict": verdict}
            store.put_row(id, place, world.identity("vision-small-cnn", variant, condition, MACHINE) | columns, energy)
        case = CLAIMS["amp-training"].judge(claims.read(store, MACHINE))[0]
        assert case.verdict == expected
        assert case.why.endswith("Energy was not measured. This machine has no energy counter.")


def test_details_that_an_edited_document_brings_break_nothing(store: Store) -> None:
    world.fill(store, MACHINE, world.holding)
    odd = itertools.cycle(["many", 10**400, [1.0], {"a": 1}, True])
    rows = store.rows(None)
    for row in rows[rows["status"] == "done"].to_dict("records"):
        kept = {
            "energy": {"mj": next(odd), "low_mj": next(odd)},
            "evidence": {"x": {"figures": {"int8_share": next(odd)}}},
        }
        columns = {name: row[name] for name in COLUMNS if name != "study"}
        store.put_row(row["study_id"], row["position"], columns, store.details(row["row_id"]) | kept)
    assert len(claims.judge_all(claims.read(store, MACHINE))) == len(CLAIMS)


def test_reasons_are_the_machine_s_and_the_version_s_own(store: Store) -> None:
    by_gpu = [
        case for case in CLAIMS["optimize-for-inference"].judge(claims.read(store, MACHINE)) if "CUDA" in case.label
    ]
    assert {case.why for case in by_gpu} == {"No CUDA GPU was found on this machine."}
    here = claims.Here(world.with_gpu(MACHINE), (), None)
    assert {case.verdict for case in CLAIMS["optimize-for-inference"].judge(here)} == {"not-measured"}


@pytest.mark.parametrize(
    ("verdicts", "in_some", "word"),
    [
        (["holds", "holds", "not-testable"], False, "holds"),
        (["holds", "does-not-hold"], False, "in-part"),
        (["holds", "unresolved"], False, "unresolved"),
        (["does-not-hold", "not-measured"], False, "does-not-hold"),
        (["does-not-hold", "holds"], True, "holds"),
        (["does-not-hold", "not-measured"], True, "not-measured"),
        (["does-not-hold", "unresolved"], True, "unresolved"),
        (["not-testable", "not-measured"], False, "not-measured"),
        (["not-testable"], True, "not-testable"),
    ],
)
def test_one_word_for_all_cases(verdicts: list[claims.Verdict], in_some: bool, word: str) -> None:
    assert overall(verdicts, in_some) == word
    assert word in WORDS


def test_size_is_that_of_what_was_quantized() -> None:
    """Half of a file of 8 became a quarter of what it was: 4 + 1 of 8 are left."""
    assert quantized_part(8 / 5, 0.5) == pytest.approx(4.0)
    assert quantized_part(3.6, None) == quantized_part(3.6, 1.0) == 3.6


def test_what_failed_once_and_works_now_is_asked_for(store: Store) -> None:
    """The last try counts: a variant that works since is missing beside the other, not impossible."""
    dynamic, static = Variant(("dynamic-int8",)), Variant(("static-int8",))
    need = Need("transformer-encoder", variants=(dynamic,))
    (first,) = world.fill(store, MACHINE, world.holding, [need])
    row = next(row for _, row in store.rows([first]).iterrows() if row["variant"] == dynamic.key)
    failed = {"status": "failed", "reason": "Out of memory."}
    store.put_row(
        first, int(row["position"]), world.identity(need.workload, dynamic, Condition(), MACHINE) | failed, {}
    )
    here = claims.read(store, MACHINE)
    assert here.failure(Need(need.workload, variants=(dynamic, static))) == (dynamic, "Out of memory.")
    world.fill(store, MACHINE, world.holding, [need])
    assert claims.read(store, MACHINE).failure(Need(need.workload, variants=(dynamic, static))) is None
