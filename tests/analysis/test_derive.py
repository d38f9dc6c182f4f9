"""From what was measured to the columns of a row: relative to the baseline, and empty where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from efficiency.analysis import derive, notes
from efficiency.analysis.derive import Measured
from efficiency.health import Health
from efficiency.results.columns import COLUMNS

LABELS = np.arange(2000, dtype=np.uint16) % 10


def times(milliseconds: float, *, replicates: int = 4, seed: int = 0, noise: float = 0.003) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = np.indices((replicates, 20, 5))[:2].reshape(2, -1)
    calls = milliseconds * 1e6 * np.exp(rng.normal(0, noise, places.shape[1]))
    return np.vstack([places, calls]).T.astype(np.int64)


def answers(wrong: int) -> np.ndarray:
    predicted = LABELS.copy()
    predicted[:wrong] += 1
    return predicted


def row(variant: str, milliseconds: float | None = None, wrong: int | None = None, **known: object) -> Measured:
    measured = Measured(variant, control=variant == "control", batch_size=8, status="done")
    if milliseconds is not None:
        measured.samples = times(milliseconds, seed=len(variant))
    if wrong is not None:
        measured.predicted, measured.labels = answers(wrong), LABELS
    for name, value in known.items():
        setattr(measured, name, value)
    return measured


def baseline() -> Measured:
    return row("baseline", 10.0, 100, size_bytes=4_000_000, prepare_s=0.1)


def control() -> Measured:
    return row("control", 10.0)


def test_the_baseline_is_what_the_others_are_measured_by():
    found = derive.heat([baseline(), control()])[0]
    assert [found[f"speedup{end}"] for end in ("", "_ci_low", "_ci_high")] == [1.0] * 3
    assert [found[f"accuracy_delta{end}_pp"] for end in ("", "_ci_low", "_ci_high")] == [0.0] * 3
    assert (found["speed_verdict"], found["accuracy_verdict"]) == ("same", "kept")
    assert (found["size_ratio"], found["agreement_pct"]) == (1.0, 100.0)
    assert found["throughput_per_s"] == pytest.approx(800, rel=0.01)  # 8 examples in 10 ms
    assert found["size_mb"] == 4.0
    assert found.get("took_effect") is None
    assert found["on_pareto_front"] is True


def test_a_variant_is_relative_to_the_baseline_and_above_one_is_better():
    found = derive.heat([baseline(), control(), row("x", 5.0, 120, size_bytes=1_000_000, prepare_s=2.0)])[2]
    assert found["speedup"] == pytest.approx(2.0, rel=0.01)
    assert found["speedup_ci_low"] < found["speedup"] < found["speedup_ci_high"]
    assert found["speed_verdict"] == "faster"
    assert found["size_ratio"] == 4.0
    assert found["accuracy_delta_pp"] == pytest.approx(-1.0)
    assert found["agreement_pct"] == pytest.approx(99.0)
    assert found["accuracy_verdict"] == "lost"
    assert found["replicates"] == 4


def test_break_even_is_when_the_time_saved_has_paid_for_the_preparation():
    found = derive.heat([baseline(), control(), row("x", 5.0, 100, prepare_s=2.0)])[2]
    assert found["break_even_calls"] == pytest.approx(400, abs=5)  # 2 s, at 5 ms a call


@pytest.mark.parametrize(("load_s", "calls"), [(0.2, 400), (1.2, 600), (0.1, 400), (None, 400)])
def test_loading_longer_than_the_baseline_has_to_be_paid_for_too(load_s, calls):
    first = row("baseline", 10.0, 100, prepare_s=0.1, load_s=0.2)
    found = derive.heat([first, control(), row("x", 5.0, 100, prepare_s=2.0, load_s=load_s)])[2]
    assert found["break_even_calls"] == pytest.approx(calls, abs=7)  # at 5 ms a call


@pytest.mark.parametrize("milliseconds", [10.0, 20.0])
def test_what_is_not_faster_never_breaks_even(milliseconds):
    found = derive.heat([baseline(), control(), row("x", milliseconds, 100, prepare_s=2.0)])[2]
    assert "break_even_calls" not in found


def test_the_control_is_never_on_the_front_and_answers_nothing():
    found = derive.heat([baseline(), row("control", 1.0, 0, size_bytes=1)])[1]
    assert found["on_pareto_front"] is False
    assert "accuracy_pct" not in derive.heat([baseline(), control()])[1]


def test_a_control_that_differs_takes_the_word_from_small_gains_and_is_a_warning():
    quiet = derive.heat([baseline(), control(), row("x", 9.3, 100)])[2]
    noisy = derive.heat([baseline(), row("control", 9.0), row("x", 9.3, 100)])[2]
    assert quiet["speed_verdict"] == "faster"
    assert noisy["speed_verdict"] == "unresolved"
    assert "noisy" in noisy["warnings"].split(";")


def test_the_noise_floor_is_what_the_controls_interval_reaches():
    timed = derive.heat([baseline(), row("control", 9.0), row("x", 5.0)])
    floor = max(timed[1]["speedup_ci_high"], 1 / timed[1]["speedup_ci_low"])
    assert [columns["noise_floor_pct"] for columns in timed] == [pytest.approx(100 * (floor - 1))] * 3
    assert timed[1]["noise_floor_pct"] == pytest.approx(13.7, abs=0.5)  # 10 ms against 9 ms, and what hours do
    untimed = derive.heat([baseline(), control(), row("x", status="failed")])[2]
    assert untimed.get("noise_floor_pct") is None
    without = derive.heat([baseline(), row("x", 5.0)])
    assert [columns["noise_floor_pct"] for columns in without] == [None, None]


@pytest.mark.parametrize("status", ["failed", "cancelled", "not-applicable"])
def test_a_row_that_was_not_measured_is_empty(status):
    lost = Measured("x", False, 1, status, "It broke.")
    found = derive.heat([baseline(), control(), lost])[2]
    known = {name: value for name, value in found.items() if value is not None}
    assert known == {"status": status, "reason": "It broke."}


def test_a_row_that_is_not_done_is_not_on_the_front():
    best = row("x", 1.0, 0, size_bytes=1, status="failed", reason="It broke.")
    found = derive.heat([baseline(), control(), best])
    assert found[2].get("on_pareto_front") is None
    assert found[0]["on_pareto_front"] is True


def test_nothing_is_relative_to_a_baseline_that_is_not_there():
    found = derive.heat([Measured("baseline", False, 1, "failed", "It broke."), row("x", 5.0, 100, size_bytes=5)])[1]
    absent = {"speedup", "speed_verdict", "size_ratio", "accuracy_delta_pp", "accuracy_verdict", "break_even_calls"}
    assert not absent & {name for name, value in found.items() if value is not None}
    assert found["accuracy_pct"] == 95.0


def test_with_one_process_there_is_latency_but_no_speed_up():
    heat = [baseline(), row("x", None, 100)]
    for measured, milliseconds in zip(heat, (10.0, 5.0), strict=True):
        measured.samples = times(milliseconds, replicates=1)
    found = derive.heat(heat)[1]
    assert found["latency_ms_p50"] == pytest.approx(5.0, rel=0.01)
    assert "speedup" not in found
    assert "few-replicates" in found["warnings"]


def test_accuracy_within_noise_is_no_reason_to_be_on_the_front():
    """One row more right, of 2,000, at the same speed and size: chance, so it ties with the baseline."""
    heat = [baseline(), control(), row("x", 10.0, 99, size_bytes=4_000_000)]
    assert [columns["on_pareto_front"] for columns in derive.heat(heat)] == [True, False, True]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["yes"], "yes"), (["yes", "yes"], "yes"), (["yes", "no"], "partly"), (["no"], "no"), ([], None)],
)
def test_one_word_for_all_techniques_of_a_variant(words, said):
    evidence = {str(number): {"took_effect": word} for number, word in enumerate(words)}
    assert derive.took_effect(row("x", evidence=evidence)) == said


def test_every_warning_has_a_hint():
    poor = row("x", 5.0, 100, on_subset=True, evidence={"a": {"took_effect": "no"}})
    poor.samples = times(5.0, replicates=2)
    poor.health = [Health(1.0, 0.0, 0.0, 0.0), Health(1.0, 0.5, 0.5, 50.0, too_hot=3)]
    said = notes.of(poor, "no", 1.2, 2, wide=True, disturbed=True, ceiling_pct=134.0)
    said += notes.of(poor, "partly", 1.2, 2, wide=False)
    assert set(said) <= set(notes.HINTS)
    assert set(said) == set(notes.HINTS) == set(notes.MEANINGS)


def test_the_interval_does_not_turn_on_a_control():
    own, failed = row("x", 5.0), control()
    own.samples = own.samples.copy()
    for number in range(4):
        own.samples[own.samples[:, 0] == number, 2] = 5e6 * (0.97 + 0.02 * number)
    failed.status = "failed"
    names = ("speedup", "speedup_ci_low", "speedup_ci_high", "speedup_precision_pct")
    without, *others = (derive.heat([baseline(), *rest, own])[-1] for rest in ([], [failed], [control()]))
    assert [[found[name] for name in names] for found in others] == [[without[name] for name in names]] * 2
    assert without["speedup_ci_low"] < without["speedup"] / (1 + without["speedup_precision_pct"] / 100)
    assert derive.threshold([[baseline(), failed, own]]) == derive.threshold([[baseline(), own]])


def test_a_study_judges_its_differences_together():
    """Alone it would be called; among many that show nothing, it may well be luck."""
    small, copy = row("x", 9.6), control()
    for one, milliseconds in ((small, 9.6), (copy, 10.0)):
        one.samples = one.samples.copy()
        for number in range(4):  # replicates that lie apart
            one.samples[one.samples[:, 0] == number, 2] = 1e6 * milliseconds * (0.975 + 0.0166 * number)
    nothing = [row("y" * (3 + number), 10.0) for number in range(30)]
    heat = [baseline(), copy, small]
    alone, among = derive.threshold([heat]), derive.threshold([heat, [baseline(), control(), *nothing]])
    assert derive.heat(heat, threshold=alone)[2]["speed_verdict"] == "faster"
    assert derive.heat(heat, threshold=among)[2]["speed_verdict"] == "unresolved"


def test_the_interval_allows_for_hours_of_what_differs_from_the_baseline():
    """Which no more processes narrow: what they do narrow is told beside it, and is what is asked for."""
    own, copy = row("x", 5.0), row("y", 10.0)
    own.samples = own.samples.copy()
    for number in range(4):
        own.samples[own.samples[:, 0] == number, 2] = 5e6 * (0.97 + 0.02 * number)
    heat = derive.heat([baseline(), control(), own, copy], precision=0.05)
    half_pct = [100 * (np.sqrt(one["speedup_ci_high"] / one["speedup_ci_low"]) - 1) for one in heat]
    precision_pct = [one["speedup_precision_pct"] for one in heat]
    assert half_pct[2] > 1.4 * precision_pct[2] > 4
    assert heat[2]["warnings"] is None
    assert [half_pct[place] for place in (0, 1, 3)] == pytest.approx(
        [precision_pct[place] for place in (0, 1, 3)], rel=0.05
    )


def test_a_speed_up_known_less_well_than_asked_says_so():
    heat = [baseline(), control(), row("x", 5.0)]
    warned = [derive.heat(heat, precision)[2]["warnings"] for precision in (0.5, 1e-6)]
    assert warned == [None, "wide-interval"]


def test_a_variant_that_was_dropped_while_it_was_timed_has_no_speed():
    found = derive.heat([baseline(), control(), row("x", 5.0, 100, status="failed", reason="It crashed.")])[2]
    assert found["status"] == "failed"
    assert found["accuracy_pct"] == pytest.approx(95.0)
    assert not {"speedup", "latency_ms_p50", "replicates"} & {
        name for name, value in found.items() if value is not None
    }


def test_accuracy_is_judged_by_the_studys_own_tolerance():
    heat = [baseline(), control(), row("x", 10.0, 120)]  # loses 1 pp of 2,000 rows
    said = [derive.heat(heat, tolerance_pp=pp)[2]["accuracy_verdict"] for pp in (0.5, 1.2, 3.0)]
    assert said == ["lost", "unresolved", "kept"]


def test_what_is_as_fast_as_the_baseline_is_the_studys_own_to_say():
    heat = [baseline(), control(), row("x", 9.6)]
    said = [derive.heat(heat, equivalence_pct=band)[2]["speed_verdict"] for band in (2.0, 10.0)]
    assert said == ["faster", "same"]


def test_the_distance_of_logits_is_the_rows_own_and_empty_for_the_baseline():
    found = derive.heat([baseline(), control(), row("x", 10.0, 100, logits_snr_db=31.5)])
    assert [columns["logits_snr_db"] for columns in found] == [None, None, 31.5]


def test_every_column_is_one_of_the_contracts():
    full = row("x", 5.0, 120, size_bytes=1, prepare_s=1.0, load_s=1.0, first_call_ms=1.0, peak_memory_mb=1.0)
    for columns in derive.heat([baseline(), control(), full]):
        assert set(columns) <= set(COLUMNS)


def test_what_int8_gains_is_told_from_what_its_runtime_gains():
    """10 ms eager, 8 ms in the runtime, 2 ms there in INT8: 5x in all, 4x of it INT8's."""
    heat = [baseline(), control(), row("r+int8", 2.0, fp32_variant="r"), row("r", 8.0)]
    found = derive.heat(heat)
    assert found[2]["speedup"] == pytest.approx(5.0, rel=0.01)
    assert found[2]["runtime_speedup"] == pytest.approx(4.0, rel=0.01)
    assert found[2]["runtime_speedup_ci_low"] < 4.0 < found[2]["runtime_speedup_ci_high"]
    assert not any("runtime_speedup" in columns for columns in (found[0], found[1], found[3]))


def test_a_small_gain_over_a_runtime_that_is_unlike_the_baseline_allows_for_what_hours_do_to_that():
    def width(runtime_ms: float) -> float:
        heat = [baseline(), control(), row("r+int8", 0.98 * runtime_ms, fp32_variant="r"), row("r", runtime_ms)]
        found = derive.heat(heat)[2]
        return math.log(found["runtime_speedup_ci_high"] / found["runtime_speedup_ci_low"])

    assert width(2.0) > 2 * width(10.0)


def test_the_runtimes_gain_is_unknown_where_it_was_not_timed_beside():
    for heat in (
        [baseline(), control(), row("r+int8", 2.0, fp32_variant="r")],
        [baseline(), control(), row("r+int8", 2.0, fp32_variant="r"), row("r", 8.0, status="failed")],
        [baseline(), control(), row("r+int8", None, fp32_variant="r"), row("r", 8.0)],
    ):
        assert "runtime_speedup" not in derive.heat(heat)[2]


def test_what_disturbs_half_of_the_time_is_in_neither_comparison():
    """The first half of every replicate was disturbed, and only the quantized model felt it."""
    heat = [baseline(), row("r+int8", 2.0, fp32_variant="r"), row("r", 8.0)]
    samples = heat[1].samples
    heat[1].samples = np.where((samples[:, 1] < 10)[:, None] & (np.arange(3) == 2), 3 * samples, samples)
    found = derive.heat(heat)[1]
    assert found["runtime_speedup"] == pytest.approx(4.0, rel=0.01)
    assert found["speedup"] == pytest.approx(5.0, rel=0.01)


def test_more_than_the_peak_is_a_warning_of_the_peak():
    heat = [baseline(), control(), row("x", 5.0, attainable_ms=6.0), row("y", 5.0, attainable_ms=2.0)]
    found = derive.heat(heat)
    assert found[2]["ceiling_pct"] == pytest.approx(120, rel=0.01)
    assert "beyond-ceiling" in str(found[2]["warnings"]).split(";")
    assert "beyond-ceiling" not in str(found[3]["warnings"]).split(";")
