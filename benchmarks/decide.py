"""Is what is recommended what one would ship if one knew the truth? Simulated studies whose truth is known.

    python benchmarks/decide.py [--studies N] [--seed N]        two or three minutes

A study has 60 variants. Noise of latencies is fitted to the baseline and the control of each workload of the shipped
example, and shares of changed answers are those that its techniques changed, or far more. Limits on accuracy (always),
latency and size (every second study) are drawn anew. Then the rule of the page Decide is asked (`analysis.choice`),
what leads is timed again on fresh replicates, and the recommended variant is held against the truth:

- `meets_limits`: of the recommended, the share that truly meet every limit; must reach 0.95;
- `within_3_pct`: of the studies in which a variant truly does, the share in which one was recommended that is at most
  3 % slower than the truly fastest of those; must reach 0.90. `both` asks that it meets the limits, too;
- `interval_holds`: how often the 95 % interval of the recommended one's speed-up holds the true one, by the replicates
  that it was picked by, and by the fresh ones.

Beside it: the rule where only what is sure counts (`sure`); the smallest measured median latency among the variants
whose measured figures are within the limits, as tools pick it today; and the smallest of all. `near_the_limit` asks the
same of studies in which every scheme truly loses half to one and a half times what may be lost. The last line is one
JSON document; shares are of 1, with Clopper and Pearson's 95 % interval.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

import simulated  # noqa: E402
import simulated_choices  # noqa: E402
from simulated_choices import Fitted, Made  # noqa: E402

from efficiency import paths  # noqa: E402
from efficiency.analysis import choice, limits, timing_again  # noqa: E402
from efficiency.analysis.choice import Choice  # noqa: E402
from efficiency.study import BASELINE, CONTROL  # noqa: E402

STUDIES, WITHIN = 2_000, 0.97
MUST_REACH = {"meets_limits": 0.95, "within_3_pct": 0.90}
Tally = dict[str, list[bool]]


def from_the_example() -> tuple[list[Fitted], list[float]]:
    """The noise of each workload, and for each row the share of answers that became right or wrong."""
    document = json.loads(gzip.decompress(paths.EXAMPLE.read_bytes()))
    machines, discordant = [], []
    baseline: dict[str, Any] = {}
    for row in document["rows"]:
        variant = row["columns"]["variant"]
        if row["columns"]["status"] != "done":
            continue
        if variant == BASELINE:
            baseline = row
        elif variant == CONTROL:
            machines.append(simulated_choices.fitted(simulated.fit(_samples(baseline), _samples(row))))
        else:
            discordant.append(float(np.mean(_right(row) != _right(baseline))))
    return machines, discordant


def _samples(row: dict[str, Any]) -> simulated.Samples:
    return np.column_stack([row["samples"][name] for name in ("replicate", "round", "ns")]).astype(np.int64)


def _right(row: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    right: np.ndarray[Any, np.dtype[np.bool_]] = np.equal(row["answers"]["predicted"], row["answers"]["labels"])
    return right


def _told(tally: Tally, study: Made, place: int | None) -> None:
    """Holds a recommendation against the truth."""
    best = float(np.where(study.good, study.speedups, 0).max())
    if place is not None:
        tally["meets_limits"].append(bool(study.good[place]))
    if best:
        near = place is not None and bool(study.speedups[place] >= WITHIN * best)
        tally["within_3_pct"].append(near)
        tally["both"].append(near and place is not None and bool(study.good[place]))


def _interval(tally: Tally, name: str, study: Made, found: Choice) -> None:
    if found.winner is not None and found.winner["variant"] != BASELINE:
        truth = study.speedups[int(found.winner["row_id"])]
        tally[name].append(bool(found.winner["speedup_ci_low"] <= truth <= found.winner["speedup_ci_high"]))


def _place(found: Choice) -> int | None:
    return None if found.winner is None else int(found.winner["row_id"])


def _ours(rng: np.random.Generator, machine: Fitted, study: Made, tally: Tally) -> None:
    """As the page does: the choice, then fresh replicates of what leads and what is near it."""
    first = choice.decide(study.rows, study.limits, study.compare)
    _interval(tally, "interval_holds_picked", study, first)
    answer = choice.Answer(first)
    if again := timing_again.variants(first):
        places = study.rows.loc[study.rows["variant"].isin(again), "row_id"]
        fresh = simulated_choices.again(rng, machine, study, list(places))
        answer = choice.Answer(first, choice.decide(fresh.rows, fresh.limits, fresh.compare))
        _interval(tally, "interval_holds_fresh", study, answer.last)
    _told(tally, study, _place(answer.last))


def _smallest(rows: pd.DataFrame, asked: limits.Limits | None) -> int | None:
    """The smallest measured latency; with limits, of those alone whose measured figures are within them."""
    own = rows[rows["variant"] != CONTROL]
    if asked is not None:
        own = own[(limits.excess(own, asked) == 0).all(axis=1)]
    return None if own.empty else int(own["row_id"].iloc[int(own["latency_ms_p50"].argmin())])


def _run(studies: int, seed: int, near: bool) -> dict[str, Tally]:
    machines, discordant = from_the_example()
    rng = np.random.default_rng(seed)
    tallies: dict[str, Tally] = defaultdict(lambda: defaultdict(list))
    for _ in range(studies):
        machine = machines[rng.integers(len(machines))]
        study = simulated_choices.made(rng, machine, discordant, near_the_limit=near)
        _ours(rng, machine, study, tallies["ours"])
        sure = replace(study.limits, sure=True)
        _told(tallies["sure"], study, _place(choice.decide(study.rows, sure, lambda *_: None)))
        _told(tallies["smallest_within_measured_limits"], study, _smallest(study.rows, study.limits))
        _told(tallies["smallest_of_all"], study, _smallest(study.rows, None))
    return tallies


def _share(found: list[bool]) -> dict[str, float | int]:
    exact = stats.binomtest(sum(found), len(found)).proportion_ci(0.95, "exact")
    ends = {"low": round(float(exact.low), 4), "high": round(float(exact.high), 4)}
    return {"share": round(float(np.mean(found)), 4), **ends, "of": len(found)}


def _report(tallies: dict[str, Tally]) -> dict[str, dict[str, Any]]:
    return {rule: {name: _share(found) for name, found in tally.items()} for rule, tally in tallies.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.studies < 1:
        raise SystemExit("--studies: choose at least 1.")
    started = time.monotonic()
    usual = _report(_run(asked.studies, asked.seed, near=False))
    hard = _report(_run(max(1, asked.studies // 10), asked.seed + 1, near=True))
    reached = {name: usual["ours"][name]["share"] >= least for name, least in MUST_REACH.items()}
    for title, report in (("as drawn", usual), ("near the limit", hard)):
        for rule, figures in report.items():
            print(f"{title}, {rule}: " + ", ".join(f"{name} {one['share']:.3f}" for name, one in figures.items()))
    document = {
        "benchmark": "decide",
        "studies": asked.studies,
        "variants": simulated_choices.SCHEMES * simulated_choices.WAYS,
        "as_drawn": usual,
        "near_the_limit": hard,
        "must_reach": MUST_REACH,
        "reached": reached,
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
