"""A winner is timed again: a small study of it alone, in fresh processes.

The fastest of many is partly so by luck, and its interval does not know that it was picked. So the winner, what is
tied with it and the runner-up are timed anew beside the baseline and a control, with the settings of the study they
come from, and with calls enough for a p99 where that is limited; what is said of the winner then rests on these
replicates alone. The new study names the old one in `confirms`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from efficiency import workloads
from efficiency.analysis import limits, machine_words
from efficiency.analysis.limits import Limits
from efficiency.condition import of_row
from efficiency.engine.progress import ran_here
from efficiency.errors import BadRequest, EfficiencyError
from efficiency.machine import Machine
from efficiency.results.store import StudyRecord
from efficiency.results.values import LONGEST_NAME
from efficiency.study import Study, Variant

SHAPE = ["workload", "dataset", "device", "batch_size", "threads", "length", "padding_pct"]
"""Columns in which the rows of a confirmation agree with the rows that it confirms."""


def why_not(record: StudyRecord, here: Machine) -> str | None:
    """Why this study's winners cannot be timed again here; None where they can."""
    if of := record.asked.get("confirms"):
        return f"It times again what led in the study {of}: ask there whether that holds."
    if record.machine.get("key") == here.key:
        return None
    label = record.machine.get("label") or "another machine"
    differs = machine_words.elsewhere(record.machine, here) or "which differs from what is here"
    return (
        f"It was measured on {label}, {differs}: what leads there can be confirmed only there. "
        "A study of this machine can be confirmed here."
    )


def _known(record: StudyRecord, study: Study) -> list[str]:
    """The workloads that may be described: a file is run for that, which no imported study may bring about."""
    return [name for name in study.workloads if ran_here(record.id) or not workloads.is_file(name)]


def is_of(record: StudyRecord, row: Mapping[str, Any]) -> bool:
    """Whether this confirmation times again what was measured as this row was."""
    try:
        study = Study.from_dict(record.asked)
        keys = [workloads.describe(name).key for name in _known(record, study)]
    except EfficiencyError:  # a user's file that is gone, or what another version asked
        return False
    same = row["workload"] in keys and row["dataset"] in study.datasets
    return same and of_row(study.conditions, row) is not None


def plan(
    record: StudyRecord, row: Mapping[str, Any], variants: Sequence[str], here: Machine, *, p99: bool = False
) -> Study:
    """The study that times these variants of the row's workload and condition again, `p99` with calls enough for one;
    raises `BadRequest`.

    The seed stays, so that what is prepared is the same; the budget does not, which was for many more rows. A user's
    own model is timed again only while its code is what it was.
    """
    if reason := why_not(record, here):
        raise BadRequest(reason)
    study = Study.from_dict(record.asked)
    workload = next((name for name in _known(record, study) if workloads.describe(name).key == row["workload"]), None)
    condition = of_row(study.conditions, row)
    if workload is None or condition is None or not variants:
        raise BadRequest(f"Study {record.id} no longer says how {row['workload']} was measured; measure it anew.")
    return replace(
        study,
        workloads=(workload,),
        variants=tuple(Variant.of(key.split("+")) for key in variants),
        conditions=(condition,),
        datasets=(str(row["dataset"]),),
        budget_s=None,
        effort=study.effort.for_p99() if p99 else study.effort,
        name=f"Confirms {record.name or record.id}"[:LONGEST_NAME],
        confirms=record.id,
        of_code=code if isinstance(code := row["code_digest"], str) else "",
    )


def command(
    study_id: str, row: Mapping[str, Any] | pd.Series[Any], asked: Limits, price_per_hour: float | None = None
) -> str:
    """The command that asks the same of the row's workload and condition alone and times what leads again: other limits
    could have another winner."""
    given: dict[str, str | float | None] = {limits.KINDS[name].option: value for name, value in asked.asked.items()}
    given["--workload"] = str(row["workload"])
    for column in ("batch_size", "threads"):
        given[f"--{column.replace('_', '-')}"] = float(row[column]) if pd.notna(row[column]) else None
    given["--price-per-hour"] = price_per_hour
    if asked.percentile != "p50":
        given["--percentile"] = asked.percentile
    words = [word for name, value in given.items() if value is not None for word in (name, _typed(value))]
    words = ["recommend", study_id, *words, *(["--sure"] if asked.sure else []), "--confirm"]
    return f"python -m efficiency {shlex.join(words)}"


def _typed(value: str | float) -> str:
    """`2` for 2.0, and never a digit less than was given."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def again(rows: pd.DataFrame, row: Mapping[str, Any] | pd.Series[Any]) -> pd.DataFrame:
    """Of the rows of confirmations those that were measured as this row was."""
    same = pd.Series(True, index=rows.index)
    for name in SHAPE:
        same &= rows[name].isna() if pd.isna(row[name]) else rows[name] == row[name]
    return rows[same]
