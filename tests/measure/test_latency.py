"""Rounds of visits: all take turns in ever new orders, and every counted call is kept."""

from __future__ import annotations

import gc
import hashlib
import itertools
import queue
import threading
import time
from contextlib import contextmanager
from typing import Self

import numpy as np
import pytest

from efficiency.measure import latency, rest
from efficiency.measure.latency import Taken, Timed, rounds


class Spinner:
    """A thread that is busy for some milliseconds after each call, outside Python's lock, like those of an engine."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self.busy = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._calls.put(False)
        self._thread.join()

    def call(self, sample: object) -> None:
        self.busy = True
        self._calls.put(True)

    def _run(self) -> None:
        while self._calls.get():
            hashlib.pbkdf2_hmac("sha256", b"", b"", 30_000)
            self.busy = not self._calls.empty()


class Variants:
    """Three variants that note when they are called, told of and entered."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.timed = {key: self._timed(key) for key in ("a", "b", "c")}

    def _timed(self, key: str) -> Timed:
        @contextmanager
        def session():
            self.events.append(("enter", key))
            yield
            self.events.append(("leave", key))

        def call(sample):
            self.events.append(("call", key))
            return sample

        return Timed(call, (session,))

    def run(self, seed: int = 0, seconds: float = 0.0) -> dict[str, np.ndarray]:
        return self.taken(seed, seconds).samples

    def taken(self, seed: int = 0, seconds: float = 0.0) -> Taken:
        return rounds(
            self.timed, None, seconds=seconds, seed=seed, on_variant=lambda key: self.events.append(("told", key))
        )

    def visits(self) -> list[tuple[str, int]]:
        """The variants in the order of their visits, with the calls of each."""
        found: list[tuple[str, int]] = []
        for event, key in self.events:
            if event == "enter":
                found.append((key, 0))
            if event == "call":
                assert found[-1][0] == key
                found[-1] = (key, found[-1][1] + 1)
        return found


def test_every_variant_takes_part_in_every_round():
    samples = Variants().run()
    numbers = [set(found[:, 0]) for found in samples.values()]
    assert numbers[0] == numbers[1] == numbers[2] == set(range(len(numbers[0])))
    assert len(numbers[0]) >= latency.LEAST_ROUNDS


def test_there_are_enough_rounds_even_where_there_is_no_time():
    assert all(len(set(found[:, 0])) == latency.LEAST_ROUNDS for found in Variants().run(seconds=0).values())


def test_rounds_go_in_order_and_times_are_positive():
    for found in Variants().run().values():
        assert found.dtype == np.int64
        assert (np.diff(found[:, 0]) >= 0).all()
        assert (found[:, 1] > 0).all()


def orders(variants: Variants) -> list[tuple[str, ...]]:
    """Of each round, without the warm-up."""
    keys = [key for key, _ in variants.visits()][3:]
    return [tuple(keys[place : place + 3]) for place in range(0, len(keys), 3)]


def test_the_order_is_drawn_anew_every_round_from_the_seed():
    found = []
    for seed in (0, 0, 1):
        variants = Variants()
        variants.run(seed, seconds=0)
        found.append(orders(variants))
    assert all(sorted(order) == ["a", "b", "c"] for order in found[0])
    assert len(set(found[0])) > 1
    assert found[0] == found[1] != found[2]


def test_threads_that_one_engine_leaves_spinning_are_waited_for_before_another_is_timed(monkeypatch):
    """PyTorch's spin on for a whole visit; a variant with threads of its own would share the cores with them."""
    monkeypatch.setattr(rest, "PATIENCE_S", 10.0)
    monkeypatch.setattr(latency, "CALLS_A_VISIT", (1, 1))
    found: list[bool] = []

    def own(sample):
        time.sleep(0.005)  # for the thread to note that it is done
        found.append(spinner.busy)

    with Spinner() as spinner:
        variants = {"a": Timed(spinner.call, ()), "b": Timed(spinner.call, ()), "own": Timed(own, (), own_threads=True)}
        rounds(variants, None, seconds=0, seed=0)
    assert len(found) > latency.LEAST_ROUNDS
    assert not any(found)


def test_threads_that_spin_are_not_waited_for_where_both_compute_with_them(monkeypatch):
    monkeypatch.setattr(rest, "wait", lambda: pytest.fail("nobody else's threads can spin"))
    rounds({key: Timed(lambda sample: sample, ()) for key in "ab"}, None, seconds=0, seed=0)


def test_pytorch_and_the_pulse_wait_for_an_engines_threads_too(monkeypatch):
    events: list[str] = []
    monkeypatch.setattr(rest, "wait", lambda: events.append("wait"))
    monkeypatch.setattr(latency.pulse, "handoff", lambda device: lambda: events.append("pulse") or 1)
    monkeypatch.setattr(latency, "CALLS_A_VISIT", (1, 1))
    variants = {
        "ours": Timed(lambda sample: events.append("ours"), ()),
        "own": Timed(lambda sample: events.append("own"), (), own_threads=True),
    }
    rounds(variants, None, seconds=0, seed=0)
    first = [event for event, before in zip(events, ["", *events], strict=False) if event != before]
    for before, after in itertools.pairwise(first):
        assert "own" not in (before, after) or "wait" in (before, after), "One side's threads follow the other's."


def test_the_first_call_of_a_visit_is_not_counted():
    variants = Variants()
    samples = variants.run(seconds=0)
    for key, found in samples.items():
        calls = [count for visited, count in variants.visits() if visited == key]
        counted = [int((found[:, 0] == number).sum()) for number in range(latency.LEAST_ROUNDS)]
        assert [count - 1 for count in calls[1:]] == counted  # The first visit warms up.


def test_the_machines_pulse_is_felt_before_every_round_and_after_the_last():
    taken = Variants().taken(seconds=0.05)
    assert len(taken.handoff_ns) == len(set(taken.samples["a"][:, 0])) + 1
    assert (taken.handoff_ns > 0).all()


@pytest.mark.parametrize(
    ("still_ns", "linger_s", "expected"),
    [
        (None, 60.0, latency.LEAST_ROUNDS),  # what an undisturbed machine's pulse is, nobody knows
        (20.0, 60.0, latency.LEAST_ROUNDS),
        (2.0, 60.0, 10 + latency.LEAST_ROUNDS),
        (2.0, 0.0, latency.LEAST_ROUNDS),
    ],
)
def test_rounds_go_on_until_enough_were_undisturbed_as_far_as_time_is_given(monkeypatch, still_ns, linger_s, expected):
    pulses = iter([9] * 10 + [1] * 50)  # the machine is disturbed for ten rounds
    monkeypatch.setattr(latency.pulse, "handoff", lambda device: lambda: next(pulses))
    variants = {key: Timed(lambda sample: sample, ()) for key in "ab"}
    taken = rounds(variants, None, seconds=0, seed=0, still_ns=still_ns, linger_s=linger_s)
    assert len(taken.handoff_ns) - 1 == expected
    assert {len(np.unique(found[:, 0])) for found in taken.samples.values()} == {expected}
    assert (taken.lingered_s > 0) == (expected > latency.LEAST_ROUNDS)


def test_so_many_undisturbed_rounds_as_fill_the_time_are_enough_and_ten_are_always(monkeypatch):
    monkeypatch.setattr(latency, "CALLS_A_VISIT", (1, 1))
    variants = {"a": Timed(lambda sample: time.sleep(0.01), ())}  # two calls a round: 20 ms
    rounds_of = {}
    for seconds in (0.13, 0.5):
        still = iter([9] * 27 + [1] * 99)
        monkeypatch.setattr(latency.pulse, "handoff", lambda device, still=still: lambda: next(still))
        taken = rounds(variants, None, seconds=seconds, seed=0, still_ns=2.0, linger_s=60.0)
        rounds_of[seconds] = int((taken.handoff_ns == 1).sum()) - 1
    assert latency.LEAST_ROUNDS <= rounds_of[0.13] <= 7
    assert rounds_of[0.5] == latency.ENOUGH_ROUNDS


def test_rounds_end_on_a_machine_that_is_never_undisturbed(monkeypatch):
    monkeypatch.setattr(latency.pulse, "handoff", lambda device: lambda: 9)
    variants = {"a": Timed(lambda sample: time.sleep(0.001), ())}
    taken = rounds(variants, None, seconds=0, seed=0, still_ns=2.0, linger_s=0.2)
    assert taken.lingered_s >= 0.2
    assert len(taken.handoff_ns) - 1 > latency.LEAST_ROUNDS


def test_a_variant_is_told_of_before_it_is_touched():
    """So that a crash has a suspect, in whichever visit it comes."""
    variants = Variants()
    variants.run(seconds=0)
    at_work = None
    for event, key in variants.events:
        if event == "told":
            at_work = key
        assert key == at_work


def test_what_a_user_sets_once_holds_for_the_visit_and_no_longer():
    variants = Variants()
    variants.run(seconds=0)
    inside = None
    for event, key in variants.events:
        if event == "enter":
            assert inside is None
            inside = key
        elif event == "leave":
            inside = None
        elif event == "call":
            assert inside == key


@pytest.mark.parametrize(("call_ms", "calls"), [(0.001, 50), (1.0, 10), (5.0, 2), (10_000.0, 1)])
def test_a_visit_is_many_calls_of_a_quick_variant_and_one_of_a_slow_one(call_ms, calls):
    assert latency.calls_a_visit(1e6 * call_ms) == calls
    assert latency.calls_a_visit(1e6 * call_ms, asked=63) == max(4, calls)
    assert latency.calls_a_visit(1e6 * call_ms, asked=2) == max(2, calls)


@pytest.mark.parametrize(("asked", "timed"), [(0, 5), (3, 15), (40, 40), (41, 44)])
def test_a_slow_variant_is_called_as_often_as_is_asked_in_more_rounds(asked, timed):
    def slow(sample):
        called.append(sample)
        time.sleep(0.011)

    called = []
    taken = rounds({"slow": Timed(slow, ())}, None, seconds=0, seed=0, least_calls=asked)
    assert len(taken.samples["slow"]) == timed
    assert len(called) == latency.calls_a_replicate(asked)


def test_the_cycle_collector_is_off_meanwhile_and_as_it_was_afterwards():
    seen = []
    variants = {"a": Timed(lambda sample: seen.append(gc.isenabled()), ())}
    rounds(variants, None, seconds=0, seed=0)
    assert seen[-1] is False
    assert gc.isenabled()


def test_an_error_of_a_variant_is_passed_on_with_the_collector_as_it_was():
    calls = []

    def fails(sample):
        calls.append(sample)
        if len(calls) > 20:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        rounds({"a": Timed(fails, ())}, None, seconds=0, seed=0)
    assert gc.isenabled()
