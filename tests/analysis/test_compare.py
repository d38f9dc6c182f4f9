"""Two studies side by side: what really moved is found, and noise is not; on studies whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import at_once
import numpy as np
import pandas as pd
import pytest
import simulated
import synthetic

from efficiency.analysis import accuracy, compare, compare_words, derive, speed, views
from efficiency.analysis.compare import Compared
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import BASELINE, CONTROL, plan_preset

VARIANTS = 12
PAIRS, FEW = 100, 3
"""Pairs of studies that differ in nothing, and variants in each: those of a study share their baseline's luck, so that
many pairs tell more than many variants."""
Keep = Callable[..., str]


@pytest.fixture
def store(home: Any) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


@pytest.fixture(scope="module")
def noise() -> simulated.Noise:
    return simulated.stored("lstm-classifier")


@pytest.fixture
def keep(store: Store, noise: simulated.Noise) -> Keep:
    """A study of one workload that is stored as a real one is, whose true speed-ups are these."""

    def add(
        rng: np.random.Generator,
        speedups: list[float],
        replicates: int = 6,
        *,
        apart: float = 0.0,
        confirms: str = "",
        warnings: str = "",
        code: str | None = None,
        **changed: Any,
    ) -> str:
        """`apart` is how far processes set the variants apart beyond what they do to copies."""
        samples = simulated.study(rng, noise, [1.0, *speedups], replicates=replicates)
        for own in samples[2:] if apart else []:
            own[:, 2] = np.rint(own[:, 2] * np.exp(rng.normal(0, apart, replicates))[own[:, 0]])
        keys = [BASELINE, CONTROL, *(f"variant-{number:02}" for number in range(len(speedups)))]
        rows = [
            derive.Measured(key, key == CONTROL, 1, "done", samples=own) for key, own in zip(keys, samples, strict=True)
        ]
        machine = {"cpu_model": "Some CPU", "label": "Some CPU, 2 cores", "cores": 2.0} | changed
        kept = []
        for row, columns in zip(rows, derive.heat(rows), strict=True):
            about = {"workload": "lstm-classifier", "dataset": "code", "device": "cpu", "variant": row.variant}
            about |= {"batch_size": 1, "threads": 1, "phase": "inference"}
            columns |= {"warnings": warnings} if warnings else {}
            columns |= {"code_digest": code} if code else {}
            kept.append(at_once.Row(about | columns, {}, row.samples))
        return at_once.keep(
            store, {"preset": "quick", "confirms": confirms}, kept, name="", machine=machine, command=""
        )

    return add


def compared(store: Store, a: str, b: str) -> Compared:
    frame = views.prepared(store.rows([a, b]))
    return compare.compared(
        frame, store.study(a), store.study(b), store.samples, store.answers, store.details, store.earlier
    )


def test_pure_noise_is_called_nothing_and_the_intervals_hold_the_truth(store: Store, keep: Keep) -> None:
    rng = np.random.default_rng(0)
    truth = list(rng.uniform(0.7, 3.0, FEW))
    pairs = [compared(store, keep(rng, truth), keep(rng, truth)) for _ in range(PAIRS)]
    rows = pd.concat([found.judged for found in pairs])
    assert len(rows) == PAIRS * FEW
    called = sum(bool((found.judged["verdict"].isin(["faster", "slower"])).any()) for found in pairs)
    assert called <= 10, "In 5 % of the pairs one may be called by chance: of 100 in more than 10 as good as never."
    assert ((rows["ratio_low"] <= 1) & (rows["ratio_high"] >= 1)).mean() >= 0.93
    assert not any(len(found.slower_by_more_than(5)) for found in pairs)


@pytest.mark.parametrize(("times", "earlier"), [(1.4, 0), (1.2, 8)])
def test_a_true_regression_is_found_and_nothing_else(store: Store, keep: Keep, times: float, earlier: int) -> None:
    """What hours do is guessed, until earlier studies tell that on this machine they do little."""
    rng = np.random.default_rng(1)
    before = [2.0] * VARIANTS
    after = [2.0 / times, 2.0 / times, 2.0 * times, *before[3:]]
    for _ in range(earlier):
        keep(rng, before, key="mine")
    replicates = 12 if earlier else 6
    found = compared(store, *(keep(rng, speedups, replicates, key="mine") for speedups in (before, after)))
    verdicts = found.judged.set_index("variant")["verdict"]
    assert list(verdicts[["variant-00", "variant-01", "variant-02"]]) == ["slower", "slower", "faster"]
    assert not set(verdicts.iloc[2:-1]) & {"faster", "slower"}
    moved = found.judged.set_index("variant").loc["variant-00"]
    assert moved["ratio_low"] <= 1 / times <= moved["ratio_high"]
    assert set(found.slower_by_more_than(5)["variant"]) == {"variant-00", "variant-01"}
    assert found.slower_by_more_than(40).empty, "It is slower, but not by that much."
    assert moved["latency_ratio_low"] <= 1 / times <= moved["latency_ratio_high"], "One machine: latencies, too."


def test_what_differs_from_hour_to_hour_is_in_the_interval(store: Store, keep: Keep) -> None:
    """Hours that set a variant apart as `trust.py` saw them; without other studies to learn from."""
    rng = np.random.default_rng(2)
    apart = 0.04
    held = 0
    for _ in range(PAIRS // 2):
        hours = np.exp(rng.normal(0, speed.OF_PROCESSES_APART * apart, 2))
        a, b = (keep(rng, [2.0 * hour], 12, apart=apart) for hour in hours)
        found = compared(store, a, b).judged.iloc[0]
        held += found["ratio_low"] <= 1 <= found["ratio_high"]
    assert held >= 44, "Of 50 intervals 47 or 48 should hold that nothing differs but the hour."


def test_earlier_studies_of_the_machine_say_how_far_hours_lie_apart(store: Store, keep: Keep) -> None:
    rng, hours, verdicts = np.random.default_rng(3), np.exp(np.random.default_rng(4).normal(0, 0.15, 8)), {}
    for earlier, warnings in (("another", ""), ("disturbed", "disturbed"), ("mine", "")):
        mine = "disturbed" if warnings else "mine"
        for shift in hours:
            keep(rng, [2.0 * shift] * FEW, key=earlier, warnings=warnings)
        slower = [2.0 / 1.3, 2.0 / 1.3, 2.0 / 3]
        a, b = keep(rng, [2.0] * FEW, 12, key=mine), keep(rng, slower, 12, key=mine)
        for shift in hours:  # what is measured after both says nothing of them
            keep(rng, [2.0 * shift] * FEW, key=mine)
        verdicts[earlier] = compared(store, a, b).judged.set_index("variant")["verdict"].sort_index().to_list()
    assert verdicts["another"] == ["slower"] * FEW, "Another machine's hours say nothing of this one."
    assert verdicts["disturbed"] == ["slower"] * FEW, "Nor do disturbed ones."
    assert verdicts["mine"] == ["unresolved", "unresolved", "slower"]


def test_what_a_users_model_was_before_it_changed_says_nothing_of_it(store: Store, keep: Keep) -> None:
    rng, hours = np.random.default_rng(3), np.exp(np.random.default_rng(4).normal(0, 0.15, 8))
    for shift in hours:
        keep(rng, [2.0 * shift] * FEW, code="before")
    now, slower, changed = ((2.0, "now"), (1.5, "now"), (1.5, "changed"))
    a, b, c = (keep(rng, [speedup] * FEW, 12, code=code) for speedup, code in (now, slower, changed))
    same, other = compared(store, a, b), compared(store, a, c)
    assert set(same.judged["verdict"]) == {"slower"}
    assert not compare_words.of_code(same.rows)
    assert len(compare_words.of_code(other.rows)) == 1
    unknown = keep(rng, [1.5] * FEW, 12)  # a study from before the code was told
    assert not compare_words.of_code(compared(store, unknown, c).rows)


def test_a_study_that_was_confirmed_is_no_other_hour_of_its_confirmations(store: Store, keep: Keep) -> None:
    """What it picked was fast there, by luck in part."""
    rng, found = np.random.default_rng(3), {}
    for confirmed in (True, False):
        keep(rng, [2.0] * FEW, key=str(confirmed))
        first = keep(rng, [5.0] * FEW, key=str(confirmed))
        asked = {"confirms": first if confirmed else "", "key": str(confirmed)}
        a, b = keep(rng, [2.0] * FEW, 12, **asked), keep(rng, [2.0 / 1.3] * FEW, 12, **asked)
        found[confirmed] = set(compared(store, a, b).judged["verdict"])
    assert found == {True: {"slower"}, False: {"unresolved"}}


def test_latencies_of_two_machines_are_not_compared(store: Store, keep: Keep) -> None:
    rng = np.random.default_rng(2)
    found = compared(store, keep(rng, [2.0]), keep(rng, [2.0], cpu_model="Another CPU", label="Another CPU"))
    assert found.judged["ratio"].notna().all()
    assert found.rows["latency_ratio"].isna().all()


def test_noise_floors_of_both_studies_count(store: Store, keep: Keep) -> None:
    rng = np.random.default_rng(3)
    found = compared(store, keep(rng, [2.0]), keep(rng, [2.0]))
    (row,) = found.judged.to_dict("records")
    assert row["floor"] == pytest.approx((1 + row["noise_pct_a"] / 100) * (1 + row["noise_pct_b"] / 100))


def test_rows_of_one_study_alone_are_listed_with_what_the_other_says(store: Store) -> None:
    a, b = synthetic.fill(store), synthetic.fill(store, seed=1, fail=("amp-bf16",))
    found = compared(store, a, b)
    assert found.only_a[["variant_label", "workload_label", "why"]].to_numpy().tolist() == [
        ["AMP BF16", "Transformer", "failed: The process ran out of memory and was ended."]
    ]
    assert list(found.only_b["variant_label"]) == ["QAT INT8"]
    assert CONTROL not in set(found.rows["variant"])
    study = documents.to_json(store, a)
    for row in study["rows"]:
        row["columns"]["dataset"] = "another"
    other = compared(store, a, documents.from_json(store, study))
    assert other.rows.empty
    assert set(other.only_a["why"]) == {"not asked"}
    told = compare_words.only(other.only_a, "B")
    assert list(told["Workload"]) == list(other.only_a["workload_label"].unique()), (
        "A line each, whatever their number."
    )
    counts = other.only_a.groupby("workload_label", sort=False).size()
    assert [" others" in names for names in told["Variant"]] == list(counts > compare_words.NAMED)
    assert set(told["In B"]) == {"not asked"}
    told = compare_words.only(found.only_a, "B")
    assert told[["Variant", "In B"]].to_numpy().tolist() == [["AMP BF16", found.only_a["why"].iloc[0]]]
    assert "nothing to compare" in compare_words.summary(other)


def test_that_a_study_was_disturbed_is_said(store: Store) -> None:
    a, b = synthetic.fill(store), synthetic.fill(store, seed=1)
    assert compare_words.of_disturbed(compared(store, a, b).rows) == []
    document = documents.to_json(store, b)
    marked = [row["columns"] for row in document["rows"] if row["columns"]["variant"] in ("dynamic-int8", CONTROL)]
    for columns in marked:
        columns["warnings"] = "test-subset;busy-machine"
    expected = sum(columns["variant"] != CONTROL and columns["status"] == "done" for columns in marked)
    busy = documents.from_json(store, document | {"study": document["study"] | {"id": "busy", "name": "Busy"}})
    (told,) = compare_words.of_disturbed(compared(store, a, busy).rows)
    assert expected > 1
    assert told.startswith(f"B: {expected} of "), "The control is not compared."
    assert "timed while the machine was disturbed" in told
    summary = compare_words.summary(compared(store, a, busy))
    assert summary.endswith(f" unresolved, {expected} not judged, since the machine was disturbed.")


@pytest.mark.parametrize(("met", "judged"), [(3, True), (4, False)])
def test_what_most_processes_met_is_in_no_interval(store: Store, met: int, judged: bool) -> None:
    """Of six processes; a variant that takes twice as long, and one that moved not at all."""
    a = synthetic.fill(store)
    document = documents.to_json(store, synthetic.fill(store, seed=1))
    rows = {
        row["columns"]["variant"]: row for row in document["rows"] if row["columns"]["workload"] == "lstm-classifier"
    }
    beside = {"others_cores": 0.9, "busiest": [["chrome", 0.9]]}
    for name in ("dynamic-int8", "inference-mode"):
        rows[name]["columns"] |= {"warnings": "busy-machine", "replicates": 6}
        rows[name]["details"]["health"] = [beside] * met + [{"others_cores": 0.01}] * (6 - met)
    for column in ("speedup", "speedup_ci_low", "speedup_ci_high"):
        rows["dynamic-int8"]["columns"][column] /= 2
    busy = documents.from_json(store, document | {"study": document["study"] | {"id": "busy", "name": "Busy"}})
    found = compared(store, a, busy)
    lstm = found.judged[found.judged["workload"] == "lstm-classifier"].set_index("variant")
    slower = {"lstm-classifier, dynamic-int8"}
    assert lstm.loc["dynamic-int8", "verdict"] == ("slower" if judged else "unresolved")
    assert _named(found.slower_by_more_than(5)) == (slower if judged else set())
    assert _named(found.seemingly_slower_by_more_than(5)) == (set() if judged else slower)
    moved = compare_words.moved(lstm.loc["dynamic-int8"].to_dict())
    assert (moved.startswith("not judged ["), moved.endswith("x]")) == (not judged, judged)
    assert moved.endswith(", B disturbed") != judged
    assert bool(compare_words.of_disturbed(found.rows)) != judged


def _named(rows: pd.DataFrame) -> set[str]:
    return set(rows["workload"] + ", " + rows["variant"])


def test_accuracy_is_paired_where_the_same_rows_were_answered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a = synthetic.fill(store)
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"dynamic-int8": (2.4, 0.05, 3.7)})
    b = synthetic.fill(store, seed=1)
    monkeypatch.setattr(synthetic, "TEST_ROWS", 1_900)
    c = synthetic.fill(store, seed=1)
    paired, unpaired = (
        compared(store, a, other).rows.query("workload == 'lstm-classifier'").set_index("variant").loc["dynamic-int8"]
        for other in (b, c)
    )
    assert paired["paired"]
    assert not unpaired["paired"]
    assert paired["accuracy_verdict"] == "lost"
    width = paired["accuracy_change_high_pp"] - paired["accuracy_change_low_pp"]
    assert width < (unpaired["accuracy_change_high_pp"] - unpaired["accuracy_change_low_pp"]) / 1.5
    assert paired["accuracy_change_pp"] == pytest.approx(paired["accuracy_pct_b"] - paired["accuracy_pct_a"])
    assert "unpaired" in compare_words.accuracy(unpaired)


def test_two_trainings_differ_by_luck(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """FP32 with its batches in another order ends 11 pp away: a loss of 5 pp between two seeds tells nothing."""
    steps = replace(plan_preset("quick", this_machine(), phase="training"), workloads=("vision-small-cnn",))
    a = synthetic.fill(store, steps)
    monkeypatch.setattr(synthetic, "EFFECTS", synthetic.EFFECTS | {"amp-bf16": (0.62, 0.05, 1.0)})
    b = synthetic.fill(store, steps, seed=1)
    found = compared(store, a, b)
    change = found.rows.set_index("variant").loc["amp-bf16"]
    assert change["accuracy_change_high_pp"] < -2
    assert change["accuracy_verdict"] == "unresolved"
    (sentence,) = compare_words.of_training(found.rows)
    assert "luck" in sentence
    unlucky = compare.compared(
        views.prepared(store.rows([a, b])), store.study(a), store.study(b), store.samples, store.answers, lambda id: {},
        store.earlier,
    )  # fmt: skip
    assert unlucky.rows.set_index("variant").loc["amp-bf16", "accuracy_verdict"] == "lost"
    assert compare_words.of_training(compared(store, synthetic.fill(store), synthetic.fill(store)).rows) == []


def test_newcombes_interval_is_his_own() -> None:
    """56 of 70 against 48 of 80, of his paper's table II, method 10: 0.0524 to 0.3339."""
    first, second = (
        accuracy.share(np.arange(rows) < right, np.ones(rows, dtype=int)) for right, rows in ((48, 80), (56, 70))
    )
    found = compare.unpaired(first, second)
    assert (found.low_pp, found.high_pp) == (pytest.approx(5.24, abs=0.01), pytest.approx(33.39, abs=0.01))


def test_what_differs_is_said(store: Store, keep: Keep) -> None:
    rng = np.random.default_rng(4)
    a, b = (store.study(keep(rng, [2.0], **changed)) for changed in ({}, {"cpu_model": "Other", "label": "Other, 8"}))
    effort = {"replicates": 6, "test_rows": 2_000}
    a = replace(a, torch_version="2.12.0", asked={"effort": effort, "tolerance_pp": 1.0, "equivalence_pct": 5.0})
    b = replace(b, torch_version="2.13.0", asked={"effort": effort | {"test_rows": None}}, status="cancelled")
    text = " ".join(compare_words.told(a, b))
    for part in (
        "Some CPU, 2 cores in A, Other, 8 in B", "not compared", "PyTorch: 2.12.0 in A, 2.13.0 in B",
        "test rows 2,000 in A, all in B", "1 pp in A, 0.5 pp in B", "the same within 5 % in A, 2 % in B",
        "B is cancelled",
    ):  # fmt: skip
        assert part in text
    assert "processes" not in text
    newer = replace(b, asked={"effort": effort | {"calls": 0}})
    assert "calls" not in " ".join(compare_words.told(a, newer)), "An older study asked for none, too."
    newer = replace(b, asked={"effort": effort | {"calls": 500}})
    assert "timed calls of each: as many as fit in A, 500 or more in B" in " ".join(compare_words.told(a, newer))
    assert compare.tolerance_pp(a, b) == 0.5
    assert compare.equivalence_pct(a, b) == 2.0


def test_a_baseline_that_moved_is_said(store: Store) -> None:
    found = compared(store, synthetic.fill(store), synthetic.fill(store, seed=1, slower=1.5))
    told = compare_words.of_baselines(found.rows)
    assert len(told) == 3
    assert all("every speed-up is a share of it" in sentence for sentence in told)
    assert not set(found.judged["verdict"]) & {"slower", "faster"}, "The ratio to the baseline is as it was."
