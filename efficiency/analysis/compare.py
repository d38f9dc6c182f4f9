"""Two studies side by side: which variant moved, by how much, and whether that is more than noise.

Studies are never merged. Rows that agree in workload, data set, condition and variant are put side by side, and what
is compared first is their speed-ups, each against its own study's baseline: whatever slows a machine for an hour slows
both, so the ratio of the two says how the variant moved. As logarithms a ratio is a difference of two means, each of
so many processes. What differs between two hours and not within one is in no study's own interval, but in this one
(`any_hour`). Latencies are compared where both studies are of one machine, and hold all that differed between the two
hours; their interval is Welch's (1947), of both studies' processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from efficiency.analysis import accuracy, any_hour, compare_rows, disturbance, speed, training, views
from efficiency.analysis.compare_rows import ACCURACIES, KEY, SHOWN
from efficiency.equivalence import equivalence_pct_of
from efficiency.study import BASELINE, CONTROL
from efficiency.tolerance import tolerance_of

if TYPE_CHECKING:
    from efficiency.results.store import Store, StudyRecord

HARDWARE = ("cpu_model", "architecture", "cores", "instruction_sets", "gpus")
Numbers = NDArray[np.float64]
Load = Callable[[int], pd.DataFrame]
Details = Callable[[int], Mapping[str, Any]]
Earlier = Callable[[str, str], pd.DataFrame]


@dataclass(frozen=True)
class Compared:
    """What the two studies say of each other. Ratios are A / B in time, or B / A in speed: above 1, B is faster."""

    rows: pd.DataFrame
    """A line for each variant that both measured, the baseline included and the control not: `KEY`, `SHOWN`; with `_a`
    or `_b` what each study says; `ratio`, `ratio_low`, `ratio_high` and `p_value` of the speed-ups and their `verdict`,
    `seeming_verdict` (what it would be, had the machine not been disturbed), `disturbed_a` and `disturbed_b`, `floor`
    (both noise floors together, as a ratio); `latency_ratio` with its ends, of one machine only; `accuracy_change_pp`
    with its ends, whether it is `paired` and its `accuracy_verdict`; `size_ratio`."""
    only_a: pd.DataFrame
    """What A alone measured, and what B says of it (`compare_rows.only`)."""
    only_b: pd.DataFrame

    @property
    def judged(self) -> pd.DataFrame:
        """The rows whose speed-ups were compared, the one that lost most first."""
        return self.rows.dropna(subset=["ratio"]).sort_values("ratio", kind="stable")

    def slower_by_more_than(self, percent: float) -> pd.DataFrame:
        """The rows that are `slower`, and whose whole interval says that they take over `percent` longer."""
        return self._slower(percent, "verdict")

    def seemingly_slower_by_more_than(self, percent: float) -> pd.DataFrame:
        """Those of which that would be so, had the machine not been disturbed: they cannot be judged."""
        found = self._slower(percent, "seeming_verdict")
        return found[found["disturbed_a"] | found["disturbed_b"]]

    def _slower(self, percent: float, verdict: str) -> pd.DataFrame:
        found = self.judged
        return found[(found[verdict] == "slower") & (found["ratio_high"] < longer_by(percent))]


def longer_by(percent: float) -> float:
    """The ratio below which a row takes over so many percent longer."""
    return 1 / (1 + percent / 100)


def compared(
    frame: pd.DataFrame,
    a: StudyRecord,
    b: StudyRecord,
    samples: Load,
    answers: Load,
    details: Details,
    earlier: Earlier,
) -> Compared:
    """Study `b` against study `a`, from the rows of both as `views.prepared` made them together.

    `samples`, `answers` and `details` give what the store keeps of a row, `earlier` what others found from before both
    (`Store.earlier`): a change that is measured again and again must not widen what it is held against. No more than
    5 % of what is called faster or slower over all that is compared is expected to be none
    (`speed.discovery_threshold`), as far as hours lie apart as they are guessed to.
    """
    ours, theirs = compare_rows.matching(frame, a, b)
    both = ours.merge(theirs, on=KEY, how="inner", suffixes=("_a", "_b"))
    done = both[(both["status_a"] == "done") & (both["status_b"] == "done")].reset_index(drop=True)
    rows = done.rename(columns={f"{name}_a": name for name in SHOWN}).drop(columns=[f"{name}_b" for name in SHOWN])
    for side in "ab":
        own = {f"{name}_{side}": name for name in ("warnings", "replicates", "row_id")}
        rows[f"disturbed_{side}"] = disturbance.of(rows[[*own]].rename(columns=own), details)
    others = {
        side: _by_row(any_hour.telling(earlier(own.id, other.id), own.asked.get("confirms"), details))
        for side, own, other in (("a", a, b), ("b", b, a))
    }
    rows = rows.join(_speeds(rows, equivalence_pct(a, b), others)).join(
        _latencies(rows, samples if one_machine(a, b) else None)
    )
    rows = rows.join(_accuracies(rows, answers, tolerance_pp(a, b), _luck_pp(rows, details)))
    rows["size_ratio"] = rows["size_mb_a"] / rows["size_mb_b"]
    return Compared(rows, compare_rows.only(ours, theirs, b), compare_rows.only(theirs, ours, a))


def _by_row(earlier: pd.DataFrame) -> dict[int, list[float]]:
    """The speed-ups by the row that measured the same."""
    found: dict[int, list[float]] = {}
    for row_id, speed_up in zip(earlier["of"], earlier["speedup"], strict=True):
        found.setdefault(int(row_id), []).append(float(speed_up))
    return found


def timed(store: Store, id: str) -> frozenset[tuple[Any, ...]]:
    """What of a study can be judged against another that has some of it, too: the `KEY` of each variant timed."""
    found = (dict(zip(KEY, row, strict=True)) for row in store.timed(id, KEY))
    return frozenset(tuple(row.values()) for row in map(_rounded, found) if row["variant"] not in (BASELINE, CONTROL))


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """The padding was measured: pairs agree in whole percent."""
    padding_pct = row["padding_pct"]
    return row | {"padding_pct": None if padding_pct is None else round(padding_pct)}


def one_machine(a: StudyRecord, b: StudyRecord) -> bool:
    """Whether both ran on the same hardware, as far as is known: their latencies may be held side by side."""
    ours, theirs = ([_plain(study.machine.get(name)) for name in HARDWARE] for study in (a, b))
    return bool(a.machine.get("cpu_model")) and ours == theirs


def _plain(value: object) -> object:
    """As JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def tolerance_pp(a: StudyRecord, b: StudyRecord) -> float:
    """What both studies tolerate to be lost: the stricter of the two."""
    return min(tolerance_of(a.asked), tolerance_of(b.asked))


def equivalence_pct(a: StudyRecord, b: StudyRecord) -> float:
    """Within what percentage two speeds are the same in both studies: the stricter of the two."""
    return min(equivalence_pct_of(a.asked), equivalence_pct_of(b.asked))


def ratio(change: Numbers, error: Numbers, freedom: Numbers) -> pd.DataFrame:
    """Of differences of logarithms with these standard errors: `ratio`, `ratio_low`, `ratio_high` and `p_value`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where((error == 0) & (change == 0), 0.0, np.abs(change) / error)
    half = np.vectorize(speed.t_reach, otypes=[float])(freedom) * error
    return pd.DataFrame({
        "ratio": np.exp(np.where(np.isnan(half), np.nan, change)),
        "ratio_low": np.exp(change - half),
        "ratio_high": np.exp(change + half),
        "p_value": 2 * stats.t.sf(distance, freedom),
    })  # fmt: skip


def _speeds(rows: pd.DataFrame, band_pct: float, others: Mapping[str, Mapping[int, list[float]]]) -> pd.DataFrame:
    """The ratio of the speed-ups, B's over A's, and what may be said of it; `others` by side and row."""
    logs, errors, freedoms = {}, {}, {}
    for side in "ab":
        speedups = rows[f"speedup_{side}"].to_numpy(float)
        spreads = [
            any_hour.spread(any_hour.known(row, f"_{side}"), others[side].get(row[f"row_id_{side}"], []))
            for row in views.records(rows)
        ]
        errors[side], freedoms[side] = np.array(spreads, dtype=float).reshape(-1, 2).T
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.log(speedups)
        logs[side] = np.where((rows["variant"] == BASELINE) | ~np.isfinite(own), np.nan, own)
        errors[side] = np.where(np.isnan(logs[side]), np.nan, errors[side])
    found = ratio(logs["b"] - logs["a"], *any_hour.apart(*((errors[side], freedoms[side]) for side in "ab")))
    found["floor"] = np.prod([1 + rows[f"noise_pct_{side}"].fillna(0.0).to_numpy(float) / 100 for side in "ab"], axis=0)
    disturbed = rows["disturbed_a"] | rows["disturbed_b"]
    found["seeming_verdict"] = _verdicts(found, band_pct)
    # What is not called is none of what is called, of which 5 % may be none.
    found["verdict"] = _verdicts(found[~disturbed], band_pct).reindex(found.index)
    found["verdict"] = found["verdict"].fillna(pd.Series("unresolved", found.index).where(found["ratio"].notna(), ""))
    return found


def _verdicts(found: pd.DataFrame, band_pct: float) -> pd.Series:
    """Of ratios that are judged together; empty where there is none."""
    threshold = speed.discovery_threshold(found["p_value"].dropna().to_list())
    words = [
        "" if np.isnan(one["ratio"]) else speed.verdict(_as_speed_up(one), one["floor"], threshold, band_pct)
        for one in views.records(found)
    ]
    return pd.Series(words, found.index, dtype=object)


def _as_speed_up(one: dict[str, Any]) -> speed.SpeedUp:
    """So that a ratio of speed-ups is judged as a speed-up is."""
    return speed.SpeedUp(one["ratio"], one["ratio_low"], one["ratio_high"], 2, one["p_value"])


def _latencies(rows: pd.DataFrame, samples: Load | None) -> pd.DataFrame:
    """`latency_ratio` with its ends, A's p50 over B's, by the medians of the processes; unknown without samples."""
    medians = {side: [_medians(samples, row_id) for row_id in rows[f"row_id_{side}"]] for side in "ab"}
    counts, centres, errors = (
        {side: np.array([statistic(logs) for logs in medians[side]], dtype=float) for side in "ab"}
        for statistic in (len, _mean, _standard_error)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # Welch's
        parts = [(errors[side] ** 2, counts[side] - 1) for side in "ab"]
        freedom = sum(part for part, _ in parts) ** 2 / sum(part**2 / own for part, own in parts)
    found = ratio(centres["a"] - centres["b"], np.hypot(errors["a"], errors["b"]), freedom)
    p50 = (rows["latency_ms_p50_a"] / rows["latency_ms_p50_b"]).to_numpy(float)
    known = found["ratio"].notna()
    # The figure is that of the two columns beside it; the processes say how far it may be off.
    shift = pd.Series(p50, index=found.index) / found["ratio"]
    return pd.DataFrame({
        "latency_ratio": np.where(known, p50, np.nan),
        "latency_ratio_low": found["ratio_low"] * shift,
        "latency_ratio_high": found["ratio_high"] * shift,
    })  # fmt: skip


def _medians(samples: Load | None, row_id: int) -> Numbers:
    """Logarithm of the median latency of each process that timed a row; empty where fewer than two did."""
    if samples is None:
        return np.empty(0)
    kept = samples(int(row_id))
    logs = np.log(kept["latency_ms"]).groupby(kept["replicate"]).median().to_numpy(float)
    return logs if len(logs) > 1 else np.empty(0)


def _mean(logs: Numbers) -> float:
    return float(logs.mean()) if len(logs) else np.nan


def _standard_error(logs: Numbers) -> float:
    return float(logs.std(ddof=1) / np.sqrt(len(logs))) if len(logs) else np.nan


def _luck_pp(rows: pd.DataFrame, details: Details) -> pd.Series:
    """What luck explains of each row where it was trained: the more of what the two baselines beside it show."""
    shown = [
        max(training.luck_pp(details(int(row[f"row_id_{side}"])), row[f"accuracy_pct_{side}"]) for side in "ab")
        if row["variant"] == BASELINE
        else 0.0
        for row in views.records(rows)
    ]
    beside = [rows[name] for name in KEY if name != "variant"]
    return pd.Series(shown, rows.index, float).groupby(beside, dropna=False).transform("max")


def _accuracies(rows: pd.DataFrame, answers: Load, tolerance: float, luck_pp: pd.Series) -> pd.DataFrame:
    """B's accuracy less A's: paired where both answered the same test rows, which leaves the narrower interval."""
    columns = ["accuracy_change_pp", "accuracy_change_low_pp", "accuracy_change_high_pp", "paired", "accuracy_verdict"]
    found = []
    for row, luck in zip(views.records(rows), luck_pp, strict=True):
        change = _paired(answers(int(row["row_id_a"])), answers(int(row["row_id_b"])))
        paired = change is not None
        change = change or unpaired(*(accuracy.Share(*(row[f"{name}_{side}"] for name in ACCURACIES)) for side in "ab"))
        if np.isnan(change.delta_pp):
            found.append((np.nan, np.nan, np.nan, False, ""))
        else:
            verdict = accuracy.verdict(change, tolerance, luck)
            found.append((change.delta_pp, change.low_pp, change.high_pp, paired, verdict))
    return pd.DataFrame(found, columns=columns)


def _paired(ours: pd.DataFrame, theirs: pd.DataFrame) -> accuracy.Difference | None:
    """None where the two did not answer the same rows: their labels, in order, tell."""
    labels = ours["label"].to_numpy()
    if not len(labels) or not np.array_equal(labels, theirs["label"].to_numpy()):
        return None
    return accuracy.difference(theirs["predicted"].to_numpy(), ours["predicted"].to_numpy(), labels)


def unpaired(first: accuracy.Share, second: accuracy.Share) -> accuracy.Difference:
    """The second share less the first where other rows were answered: Newcombe's interval (1998, method 10)."""
    delta = second.pct - first.pct
    low = float(np.hypot(second.pct - second.low_pct, first.high_pct - first.pct))
    high = float(np.hypot(second.high_pct - second.pct, first.pct - first.low_pct))
    return accuracy.Difference(delta, delta - low, delta + high, np.nan, 0, 0, np.nan)
