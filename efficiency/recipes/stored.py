"""The recipe of a row that is stored: what was asked of its study, and where it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from efficiency import workloads
from efficiency.condition import Condition, of_row
from efficiency.effort import Effort
from efficiency.engine.progress import ran_here
from efficiency.errors import BadRequest
from efficiency.recipes import script
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE, CONTROL, Study
from efficiency.workloads.base import Workload


@dataclass(frozen=True)
class Wanted:
    """A variant to be rebuilt elsewhere, as its study had it."""

    keys: tuple[str, ...]
    workload: Workload
    dataset: str
    condition: Condition
    effort: Effort
    seed: int
    tolerance_pp: float
    measured: str

    @property
    def script(self) -> str:
        """The recipe; raises `BadRequest` where there is none."""
        return script.of(
            self.keys,
            self.workload,
            self.condition,
            dataset=self.dataset,
            seed=self.seed,
            tolerance_pp=self.tolerance_pp,
            training_rows=self.effort.training_rows,
            measured=self.measured,
        )


def wanted(row: Mapping[Any, Any], study: StudyRecord) -> Wanted:
    """Of a row of `Store.rows`, by its columns; raises `BadRequest` with the reason where it cannot be rebuilt here."""
    if row["status"] == "not-applicable":
        raise BadRequest(f"There is no recipe: {row['reason']}")
    asked = Study.from_dict(study.asked)
    condition = of_row(asked.conditions, row)
    if condition is None:
        raise BadRequest("There is no recipe: the study's description does not have this row's condition.")
    on = f"torch {study.torch_version} on {study.machine.get('label') or 'an unknown machine'}"
    return Wanted(
        keys=() if row["variant"] in (BASELINE, CONTROL) else tuple(str(row["variant"]).split("+")),
        workload=_workload(str(row["workload"]), asked, study.id),
        dataset=str(row["dataset"]),
        condition=condition,
        effort=asked.effort,
        seed=asked.seed,
        tolerance_pp=asked.tolerance_pp,
        measured=f"Measured with {on}, in the study {study.id}.",
    )


def _workload(key: str, asked: Study, study_id: str) -> Workload:
    """The built-in one, or the one of the user's file that declares this key; to describe that, it is run."""
    if key in workloads.WORKLOADS:
        return workloads.get(key)
    for name in filter(workloads.is_file, asked.workloads if ran_here(study_id) else ()):
        try:
            declared = workloads.describe(name)
        except BadRequest:
            continue
        if declared.key == key:
            return declared
    raise BadRequest(
        f"There is no recipe: {key} was built by a Python file that is not here, or of a study that was not run here; "
        "make the recipe where the study was run."
    )
