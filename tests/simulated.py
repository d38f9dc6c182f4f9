"""Studies whose truth is known, simulated with noise fitted to stored raw samples.

Two copies of one model that were timed together show what a machine adds to a latency:

    log(nanoseconds) = state of the machine, the same for both, round by round
                     + bias that the process gives this copy
                     + what a visit adds
                     + what a call adds

The states, the visits' and the calls' parts are drawn from those that were seen, in the order in which they were seen,
so that bursts stay bursts and neighbours stay alike. The bias is normal, of the size that was seen between processes.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficiency.analysis import speed
from efficiency.study import BASELINE, CONTROL

Samples = NDArray[np.int64]
Series = list[NDArray[np.float64]]

LEAST_ROUNDS = 5
STORED = Path(__file__).with_name("two_copies.json.gz")


@dataclass(frozen=True)
class Noise:
    """What was seen; logarithms."""

    states: Series
    """[rounds] a replicate, around 0."""
    visits: Series
    bias_sd: float
    calls: NDArray[np.float64]
    rounds: int
    calls_a_round: int


def _medians(samples: Samples) -> dict[int, NDArray[np.float64]]:
    """Per replicate the rounds' median log."""
    found = {}
    for replicate in np.unique(samples[:, 0]):
        own = samples[samples[:, 0] == replicate]
        found[int(replicate)] = np.array([np.median(np.log(own[own[:, 1] == n, 2])) for n in np.unique(own[:, 1])])
    return found


def fit(first: Samples, second: Samples) -> Noise:
    """From the samples [n, 3] of two copies timed together."""
    ours, theirs = _medians(first), _medians(second)
    states, visits, differences = [], [], []
    for replicate in sorted(ours.keys() & theirs.keys()):
        a, b = ours[replicate], theirs[replicate]
        if len(a) != len(b) or len(a) < LEAST_ROUNDS:
            continue
        both, apart = (a + b) / 2, a - b
        states.append(both - both.mean())
        visits.append((apart - apart.mean()) / np.sqrt(2))
        differences.append(apart.mean())
    within = float(np.mean([2 * np.var(visit) / len(visit) for visit in visits]))
    bias_variance = max(0.0, (float(np.var(differences, ddof=1)) - within) / 2)
    calls = np.concatenate([_call_parts(first), _call_parts(second)])
    a_round = np.unique(first[:, :2], axis=0, return_counts=True)[1]
    return Noise(
        states, visits, float(np.sqrt(bias_variance)), calls, int(np.median([len(s) for s in states])),
        int(np.median(a_round)),
    )  # fmt: skip


def stored(workload: str) -> Noise:
    """Of a heat of this workload that was measured on a shared 2-core server (2026-11-28, quick preset, one thread):
    `two_copies.json.gz` keeps what its baseline and its control showed."""
    copies = json.loads(gzip.decompress(STORED.read_bytes()))[workload]
    return fit(*(np.array(copies[name], dtype=np.int64).T for name in (BASELINE, CONTROL)))


def _call_parts(samples: Samples) -> NDArray[np.float64]:
    """What each call adds to its visit."""
    parts = []
    for place in np.unique(samples[:, :2], axis=0):
        logs = np.log(samples[(samples[:, 0] == place[0]) & (samples[:, 1] == place[1]), 2])
        if len(logs) > 1:
            parts.append(logs - np.median(logs))
    return np.concatenate(parts) if parts else np.zeros(1)


def _drawn(rng: np.random.Generator, series: Series, length: int) -> NDArray[np.float64]:
    """One of the series, begun anywhere and gone round."""
    one = series[rng.integers(len(series))]
    return np.resize(np.roll(one, rng.integers(len(one))), length)


def combined(figures: NDArray[np.float64]) -> speed.Combined:
    """Of processes that vary by nothing else than from one to the next."""
    return speed.Combined(figures, float(np.var(figures, ddof=1)) / len(figures))


def study(
    rng: np.random.Generator, noise: Noise, speedups: list[float], replicates: int, milliseconds: float = 5.0
) -> list[Samples]:
    """The samples of the baseline, and of one variant for each of these true speed-ups."""
    found: list[list[NDArray[np.int64]]] = [[] for _ in range(1 + len(speedups))]
    numbers = np.repeat(np.arange(noise.rounds), noise.calls_a_round)
    for replicate in range(replicates):
        state = _drawn(rng, noise.states, noise.rounds)
        for place, speedup in enumerate([1.0, *speedups]):
            visit = state + rng.choice([-1, 1]) * _drawn(rng, noise.visits, noise.rounds)
            logs = visit[numbers] + rng.normal(0, noise.bias_sd) + rng.choice(noise.calls, len(numbers))
            nanoseconds = np.rint(1e6 * milliseconds / speedup * np.exp(logs)).astype(np.int64)
            found[place].append(np.column_stack([np.full(len(numbers), replicate), numbers, nanoseconds]))
    return [np.concatenate(parts) for parts in found]
