"""The speed-up and its interval, on samples whose truth is known, and what may be said of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated import Noise, combined, stored, study

from efficiency.analysis import fastest_calls, speed
from efficiency.analysis.speed import SpeedUp
from efficiency.study import PRESETS

QUICK = PRESETS["quick"][1]

SIMULATIONS = 400
ROUNDS, CALLS = 20, 5
MILLISECOND = 1e6


def one_study(
    rng: np.random.Generator, ratio: float, replicates: int, bias: float = 0.01, rounds: int = ROUNDS
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Samples of a baseline and of a variant that is `ratio` times as fast, on a machine that is not quiet.

    The whole machine drifts and has slow stretches; each process gives each variant a bias of its own;
    neighbouring visits are alike; single calls are skewed and now and then very late.
    """
    shape = (2, replicates, rounds)
    drift = rng.normal(0, 0.1, (1, replicates, 1)) * np.linspace(-1, 1, rounds)
    burst = np.log(1.6) * (np.repeat(rng.random((1, replicates, rounds // 4)) < 0.2, 4, axis=2))
    hit_alone = np.log(1.5) * (rng.random(shape) < 0.05)
    process = rng.normal(0, bias, (2, replicates, 1))
    alike = np.empty(shape)
    alike[..., 0] = rng.normal(0, 0.01, shape[:2])
    for number in range(1, rounds):
        alike[..., number] = 0.7 * alike[..., number - 1] + rng.normal(0, 0.01 * np.sqrt(1 - 0.7**2), shape[:2])
    visit = drift + burst + hit_alone + process + alike
    call = rng.gamma(2.0, 0.01, (*shape, CALLS)) + 2.0 * (rng.random((*shape, CALLS)) < 0.01)
    latency = 10 * MILLISECOND * np.exp(visit[..., None] + call)
    latency[1] /= ratio
    places = np.indices((replicates, rounds, CALLS))[:2].reshape(2, -1)
    baseline, variant = (np.vstack([places, values.reshape(1, -1)]).T.astype(np.int64) for values in latency)
    return baseline, variant


def simulated(ratio: float, replicates: int, **kind: float) -> list[SpeedUp]:
    rng = np.random.default_rng([replicates, int(1000 * ratio)])
    found = [speed.speed_up(*one_study(rng, ratio, replicates, **kind)) for _ in range(SIMULATIONS)]
    assert all(found)
    return [one for one in found if one]


def minutes_hold(one: SpeedUp, ratio: float) -> bool:
    """Whether the interval without what it allows for other hours holds the truth."""
    return bool(abs(np.log(one.estimate / ratio)) <= np.log1p(one.precision))


def known(estimate: float, low: float, high: float) -> SpeedUp:
    return SpeedUp(estimate, low, high, 4, p_value=0.5 if low <= 1 <= high else 0.01)


@pytest.mark.parametrize(("ratio", "replicates"), [(1.3, 4), (1.0, 5), (0.7, 4)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(ratio, replicates):
    studies = simulated(ratio, replicates)
    assert np.mean([minutes_hold(one, ratio) for one in studies]) >= 0.93
    assert np.mean([np.log(one.estimate) for one in studies]) == pytest.approx(np.log(ratio), abs=0.003)


def test_the_interval_holds_the_truth_where_processes_agree_by_luck():
    """Without a bias per process nearly all that varies is within them."""
    assert np.mean([minutes_hold(one, 1.1) for one in simulated(1.1, 4, bias=0.0)]) >= 0.93


def test_processes_that_agree_by_luck_do_not_look_surer_than_their_own_rounds():
    """The same process four times over: no spread between them, and an interval all the same."""
    baseline, variant = one_study(np.random.default_rng(0), 1.1, 1)
    four = [np.vstack([samples + np.array([number, 0, 0]) for number in range(4)]) for samples in (baseline, variant)]
    lucky = speed.speed_up(*four)
    usual = np.median([one.precision for one in simulated(1.1, 4, bias=0.0)])
    assert lucky.precision > usual / 3


def test_what_shares_no_round_has_no_points():
    baseline, variant = one_study(np.random.default_rng(0), 1.1, 1)
    assert fastest_calls.replicate_ratios(baseline, variant + np.array([1, 0, 0])) == {}


@pytest.fixture(scope="module")
def noises() -> list[Noise]:
    return [stored(workload) for workload in ("vision-small-cnn", "lstm-classifier", "transformer-encoder")]


@pytest.mark.parametrize("ratio", [1.0, 1.3])
def test_the_interval_holds_the_truth_under_noise_that_was_really_seen(noises, ratio):
    rng = np.random.default_rng(int(100 * ratio))
    found = [
        speed.speed_up(*study(rng, noises[number % len(noises)], [ratio], QUICK.replicates))
        for number in range(SIMULATIONS)
    ]
    assert np.mean([minutes_hold(one, ratio) for one in found]) >= 0.93
    assert np.mean([np.log(one.estimate) for one in found]) == pytest.approx(np.log(ratio), abs=0.003)


def test_noise_that_was_really_seen_raises_few_false_alarms(noises):
    """A copy of the baseline, judged by the noise floor of a control, as in a study."""
    rng, called = np.random.default_rng(5), 0
    for number in range(SIMULATIONS):
        samples = study(rng, noises[number % len(noises)], [1.0, 1.0], QUICK.replicates)
        control, copy = (speed.speed_up(samples[0], own) for own in samples[1:])
        called += speed.verdict(copy, speed.noise_floor(control)) in {"faster", "slower"}
    assert called / SIMULATIONS <= 0.05


def test_nothing_is_called_faster_or_slower_where_nothing_differs():
    verdicts = [speed.verdict(one, floor=1.0) for one in simulated(1.0, 4)]
    assert np.mean([verdict in {"faster", "slower"} for verdict in verdicts]) <= 0.05


def test_a_real_difference_is_seen():
    verdicts = [speed.verdict(one, floor=1.02) for one in simulated(1.3, 4)]
    assert np.mean([verdict == "faster" for verdict in verdicts]) >= 0.95


def test_the_interval_allows_for_hours_as_far_as_processes_lie_apart():
    rng, apart, held, minutes_held, tries = np.random.default_rng(8), 0.03, 0, 0, 4 * SIMULATIONS
    for _ in range(tries):
        shift = rng.normal(0, speed.OF_PROCESSES_APART * apart)
        one = speed.of_figures(combined(np.log(2) + shift + rng.normal(0, apart, 12)))
        held += one.low <= 2 <= one.high
        minutes_held += minutes_hold(one, 2)
    assert 0.93 <= held / tries <= 0.98
    assert minutes_held / tries < 0.8


def test_hours_set_no_more_apart_than_the_models_differ():
    """However far processes lie apart: what slows a model slows its copy, too."""
    apart = np.array([0.2, -0.2] * 6)
    shares = []
    for speedup in (1.0, 1.05, 1.5, 1 / 1.5):
        one = speed.of_figures(combined(np.log(speedup) + apart))
        minutes = np.log1p(one.precision)
        beyond = np.sqrt(max(0, np.log(one.high / one.estimate) ** 2 - minutes**2))
        shares.append(beyond / stats.t.ppf(0.975, 11))
    difference = speed.OF_THE_DIFFERENCE * np.log(1.5)
    assert shares == pytest.approx([0, speed.OF_THE_DIFFERENCE * np.log(1.05), difference, difference], abs=1e-6)


def test_processes_of_a_calm_hour_know_nothing_of_others():
    """However close together they lie; but a copy is slowed as its model is."""

    def beyond(centre: float, unlike: float = 0.0, processes: int = 8) -> float:
        one = speed.of_figures(combined(np.full(processes, centre)), unlike)
        assert one.precision == 0
        return float(np.log(one.high / one.estimate) / stats.t.ppf(0.975, processes - 1))

    assert beyond(np.log(2.0)) == pytest.approx(speed.HOURS_LEAST)
    assert beyond(-np.log(8.0)) == pytest.approx(speed.HOURS_LEAST)
    assert beyond(0.0, np.log(8)) == pytest.approx(speed.HOURS_LEAST)
    assert beyond(np.log(1.05)) == pytest.approx(speed.OF_THE_DIFFERENCE * np.log(1.05))
    assert beyond(0.0) == 0
    for few in (2, 3, 4):  # who are no less sure of it for being few
        reach = beyond(np.log(2.0), processes=few) * stats.t.ppf(0.975, few - 1)
        assert reach == pytest.approx(speed.HOURS_LEAST * stats.t.ppf(0.975, speed.GUESS_COUNTS))


def test_a_copy_that_is_slower_is_called_so():
    """Were hours to set it as far apart as they set INT8, they would hide it."""
    rng = np.random.default_rng(8)
    figures = [combined(rng.normal(np.log(0.97), 0.02, 12)) for _ in range(4 * SIMULATIONS)]
    called, hidden = (
        np.mean([speed.verdict(speed.of_figures(one, unlike), floor=1.0) == "slower" for one in figures])
        for unlike in (0.0, np.log(2))
    )
    assert called > 0.9
    assert hidden < 0.85


def test_what_slows_processes_does_not_move_the_ratio():
    """Seven of ten had the cores to themselves never; the other three say what the machine can do."""
    baseline, variant = one_study(np.random.default_rng(0), 2.0, 10)
    slowed = [samples.copy() for samples in (baseline, variant)]
    slowed[0][slowed[0][:, 0] > 2, 2] *= 3
    slowed[1][slowed[1][:, 0] > 2, 2] *= 2
    found = speed.speed_up(*slowed)
    assert found.estimate == pytest.approx(2.0, rel=0.02)
    assert found.low < 2 < found.high


def test_what_slows_a_third_of_the_rounds_hardly_moves_the_ratio():
    """A burst makes the calls of its rounds slower, each side by what it feels: they are not among the fastest."""
    rng, moved = np.random.default_rng(0), []
    for _ in range(100):
        baseline, variant = one_study(rng, 2.0, 3)
        before = speed.speed_up(baseline, variant)
        third = rng.integers(3)
        for samples in (baseline, variant):
            samples[samples[:, 1] % 3 == third, 2] *= rng.integers(2, 10)
        moved.append(np.log(speed.speed_up(baseline, variant).estimate / before.estimate))
    assert abs(np.mean(moved)) < 0.002
    assert np.std(moved) < 0.01


def test_few_calls_against_many_are_compared_alike():
    """A slow model is called once where a quick one is called fifty times: of fifty, the fastest is no win."""
    rng, found = np.random.default_rng(0), []
    for _ in range(1000):
        few, many = (
            np.column_stack([np.zeros(n), np.arange(n) % 5, 1e7 * np.exp(rng.gamma(2.0, 0.03, n))]).astype(np.int64)
            for n in (5, 250)
        )
        found.append(np.log(fastest_calls.replicate_ratios(few, many)[0]))
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(1000) + 0.002


def test_the_order_of_samples_does_not_matter():
    baseline, variant = one_study(np.random.default_rng(0), 1.5, 3)
    shuffled = np.random.default_rng(1).permutation(variant)
    assert speed.speed_up(baseline, shuffled) == speed.speed_up(baseline, variant)


def test_swapping_the_two_turns_the_ratio_over():
    baseline, variant = one_study(np.random.default_rng(0), 1.5, 4)
    there, back = speed.speed_up(baseline, variant), speed.speed_up(variant, baseline)
    assert there.estimate == pytest.approx(1 / back.estimate)
    assert there.low == pytest.approx(1 / back.high)


def test_one_process_gives_no_interval_and_so_no_figure():
    assert speed.speed_up(*one_study(np.random.default_rng(0), 2.0, 1)) is None


def test_rounds_that_only_one_of_them_took_part_in_are_left_out():
    baseline, variant = one_study(np.random.default_rng(0), 2.0, 3)
    whole = speed.speed_up(baseline, variant)
    alone = np.array([[0, ROUNDS + 1, 1], [9, 0, 1]])
    assert speed.speed_up(baseline, np.vstack([variant, alone])) == whole
    assert speed.speed_up(np.vstack([baseline, alone]), variant) == whole


def test_a_process_without_a_common_round_does_not_count():
    baseline, variant = one_study(np.random.default_rng(0), 2.0, 2)
    variant[variant[:, 0] == 1, 1] += 1000
    assert speed.speed_up(baseline, variant) is None


@pytest.mark.parametrize(
    ("low", "estimate", "high", "floor", "said"),
    [
        (1.4, 1.5, 1.6, 1.0, "faster"),
        (0.6, 0.7, 0.8, 1.0, "slower"),
        (0.99, 1.0, 1.01, 1.0, "same"),
        (1.005, 1.01, 1.015, 1.0, "same"),  # surely faster, by too little to matter
        (0.985, 0.99, 0.995, 1.0, "same"),
        (0.99, 1.0, 1.01, 1.02, "same"),
        (0.99, 1.0, 1.01, 1.03, "unresolved"),  # where two baselines differ by more
        (0.9, 1.0, 1.1, 1.0, "unresolved"),
        (0.95, 1.5, 2.3, 1.0, "unresolved"),  # much faster perhaps, but not surely
        (1.04, 1.05, 1.06, 1.10, "unresolved"),  # within what two baselines differ by
        (0.94, 0.95, 0.96, 1.10, "unresolved"),
        (1.11, 1.12, 1.13, 1.10, "faster"),
        (0.87, 0.88, 0.89, 1.10, "slower"),
        (1.001, 1.015, 1.03, 1.0, "unresolved"),  # faster, by a little or by a little more
    ],
)
def test_what_may_be_said(low, estimate, high, floor, said):
    assert speed.verdict(known(estimate, low, high), floor) == said


@pytest.mark.parametrize(
    ("low", "estimate", "high", "floor", "said"),
    [
        (1.03, 1.04, 1.05, 1.0, "same"),
        (0.96, 0.98, 1.0, 1.04, "same"),
        (0.96, 0.98, 1.0, 1.06, "unresolved"),
        (1.04, 1.049, 1.06, 1.0, "unresolved"),
        (1.04, 1.06, 1.08, 1.0, "faster"),
    ],
)
def test_how_little_is_the_same_can_be_asked_for(low, estimate, high, floor, said):
    assert speed.verdict(known(estimate, low, high), floor, equivalence_pct=5.0) == said


@pytest.mark.parametrize("estimate", [1.2, 1 / 1.2])
def test_what_may_be_luck_in_a_study_of_many_is_not_called(estimate):
    ratio = SpeedUp(estimate, estimate * 0.9, estimate * 1.1, 4, p_value=0.02)
    assert speed.verdict(ratio, 1.0) in {"faster", "slower"}
    assert speed.verdict(ratio, 1.0, threshold=0.001) == "unresolved"


def test_of_what_a_study_calls_a_difference_few_are_none():
    """Thirty variants, ten of which differ: the share of false ones among those called, over many studies."""
    rng, false, called = np.random.default_rng(0), [], 0
    for _ in range(400):
        p_values = np.concatenate([rng.uniform(size=20), rng.beta(0.05, 20, size=10)])
        counting = p_values <= speed.discovery_threshold(p_values)
        false.append(counting[:20].sum() / max(1, counting.sum()))
        called += counting[20:].sum()
    assert np.mean(false) <= 0.05
    assert called / 4000 > 0.8


def test_a_study_without_differences_calls_none_19_times_of_20():
    rng = np.random.default_rng(1)
    studies = [rng.uniform(size=30) for _ in range(1000)]
    assert np.mean([(p <= speed.discovery_threshold(p)).any() for p in studies]) <= 0.065


def test_the_threshold_of_one_comparison_is_the_usual_one():
    assert speed.discovery_threshold([]) == 0.05
    assert speed.discovery_threshold([0.04]) == 0.04
    assert speed.discovery_threshold([0.06]) == 0.0


def test_the_p_value_agrees_with_the_interval():
    rng = np.random.default_rng(3)
    for ratio in (1.0, 1.01, 1.02):
        for _ in range(20):
            one = speed.speed_up(*one_study(rng, ratio, 4))
            assert (one.p_value <= 0.05) == (not one.low <= 1 <= one.high)


def test_the_noise_floor_is_how_far_the_control_reaches_from_one():
    assert speed.noise_floor(known(1.0, 0.99, 1.05)) == pytest.approx(1.05)
    assert speed.noise_floor(known(1.0, 0.9, 1.05)) == pytest.approx(1 / 0.9)
    assert speed.noise_floor(None) == 1.0


def burdened(rng: np.random.Generator, processes: int, calls: int, kind: str) -> speed.Samples:
    """Calls of 1 ms: a process's own bias, and slow calls, in some processes more than in others where bursts are."""
    found = []
    for number in range(processes):
        logs = rng.normal(rng.normal(0, 0.02), 0.03, calls)
        rate = {"quiet": 0.0, "spikes": 0.02, "bursts": rng.beta(0.5, 20)}[kind]
        logs += (rng.random(calls) < rate) * rng.exponential(0.5, calls)
        found.append(np.c_[np.full(calls, number), np.arange(calls), np.exp(logs) * 1e6].astype(np.int64))
    return np.concatenate(found)


@pytest.mark.parametrize("kind", ["quiet", "spikes", "bursts"])
def test_the_interval_of_p99_holds_what_endless_calls_would_show(kind):
    """Where the slow calls are those of few processes, 14 of them leave it a little too narrow."""
    rng = np.random.default_rng(5)
    truth = float(np.percentile(burdened(rng, 4000, 100, kind)[:, 2], 99)) / 1e6
    found = [speed.latency(burdened(rng, 14, 100, kind)) for _ in range(300)]
    assert np.mean([one.p99_low_ms <= truth <= one.p99_high_ms for one in found]) >= 0.87
    assert all(one.p99_low_ms <= one.p99_ms <= one.p99_high_ms for one in found)
    widest = {"quiet": 1.1, "spikes": 2.5, "bursts": 5.0}  # from the fastest to the slowest call it is 1.4 to 8
    assert np.median([one.p99_high_ms / one.p99_low_ms for one in found]) < widest[kind]


def test_where_the_slowest_calls_are_equal_p99_is_not_known_for_sure():
    samples = burdened(np.random.default_rng(1), 8, 100, "quiet")
    samples[samples[:, 2] > np.percentile(samples[:, 2], 98.8), 2] = 2_000_000
    found = speed.latency(samples)
    assert found.p99_low_ms < found.p99_ms == found.p99_high_ms == 2.0


def test_one_process_alone_gives_p99_no_interval():
    found = speed.latency(burdened(np.random.default_rng(0), 1, 600, "quiet"))
    assert found.p99_ms is not None
    assert (found.p99_low_ms, found.p99_high_ms) == (None, None)


@pytest.mark.parametrize(("calls", "p90", "p99"), [(49, False, False), (50, True, False), (499, True, False)])
def test_percentiles_that_the_samples_do_not_support_are_empty(calls, p90, p99):
    samples = np.column_stack([np.zeros(calls), np.arange(calls), np.full(calls, 2e6)]).astype(np.int64)
    found = speed.latency(samples)
    assert found.p50_ms == 2.0
    assert (found.p90_ms is not None, found.p99_ms is not None) == (p90, p99)


def test_percentiles_are_those_of_all_calls():
    nanoseconds = np.random.default_rng(0).permutation(np.arange(1, 1001)) * 1_000_000
    samples = np.column_stack([np.arange(1000) % 4, np.arange(1000) // 4, nanoseconds])
    found = speed.latency(samples)
    assert (found.p50_ms, found.p90_ms, found.p99_ms) == pytest.approx((500.5, 900.1, 990.01))
