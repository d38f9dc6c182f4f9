"""The steps of a study, the seconds each should take, and what the budget leaves for more."""

from __future__ import annotations

import time
from collections.abc import Sequence

from efficiency import estimate
from efficiency.check import Checked
from efficiency.estimate import Step
from efficiency.machine import Machine
from efficiency.study import Heat


class Schedule:
    """Counts steps off as they are done; from what is left follows how long timing may go on."""

    def __init__(self, checked: Checked, machine: Machine) -> None:
        study = checked.study
        self._effort = study.effort
        self._budget_s = study.budget_s
        self._left = estimate.steps(study, checked.entries, machine, study.effort.seconds_per_replicate)
        self._planned = dict(self._left)
        self._started = time.monotonic()
        self._lingered_s = 0.0
        self.total_s = sum(self._left.values())

    @property
    def passed_s(self) -> float:
        """Estimated seconds of all that is over."""
        return self.total_s - sum(self._left.values())

    def expected_s(self, *step: object) -> float:
        """What this step should take."""
        return self._left[step]

    def planned_s(self, *step: object) -> float:
        """What this step should take, or should have taken, where nothing of it was kept by an earlier study."""
        return self._planned[step]

    def expect_taken(self, *step: object) -> None:
        """Correct the estimate of a probe whose preparation an earlier study has kept: a cold start is left of it."""
        self.total_s += estimate.PROCESS_S - self._left[step]
        self._left[step] = estimate.PROCESS_S

    def over(self, *step: object) -> None:
        """This step is done."""
        self._left.pop(step, None)

    def heat_over(self, heat: Heat) -> None:
        """What is left of a heat will not be done: its time goes to the others."""
        for step in self._of(heat):
            del self._left[step]
        for step in self._replicates(self._planned):
            if step[:2] == heat:
                del self._planned[step]

    def expect_replicates(self, heat: Heat, parts: Sequence[tuple[int, float]]) -> None:
        """Correct the estimate of a heat's replicates: of each part that is timed by itself, how many variants it has
        and the seconds that are timed in each of its replicates. A step of theirs is `(*heat, part, number)`."""
        expected_s = [estimate.replicate_seconds(variants, seconds) for variants, seconds in parts]
        for step in self._replicates(self._of(heat)):
            del self._planned[step]
            self.total_s += sum(expected_s) - self._left.pop(step)
            for part, part_s in enumerate(expected_s):
                self._left[(*heat, part, step[-1])] = self._planned[(*heat, part, step[-1])] = part_s

    def seconds_a_replicate(self, variants: int) -> float:
        """Seconds to time in the next replicate: as planned, or what the budget leaves for each."""
        planned = self._effort.seconds_per_replicate
        if self._budget_s is None:
            return planned
        replicates = self._replicates(self._left)
        others_s = sum(self._left.values()) - sum(self._left[step] for step in replicates)
        left_s = self._budget_s - self._elapsed_s - others_s
        return estimate.affordable_seconds(self._effort, left_s, len(replicates), variants)

    def lingered(self, seconds: float) -> None:
        """So many were spent on waiting for an undisturbed machine: nothing that is left is slower for it."""
        self._lingered_s += seconds

    def affords_another(self, replicate_s: float) -> bool:
        """Whether a replicate beyond those planned fits into what the budget leaves over."""
        return self._limit_s is None or self._spare_s(self._limit_s) >= replicate_s

    def linger_s(self, going: int, unplanned_s: float = 0.0) -> float:
        """What a replicate may linger, so that all that are planned may, or one for each group that is still `going`.

        One that is not planned takes its own `unplanned_s` from that. Without a budget the study must not take longer
        than it may by adding replicates.
        """
        limit_s = self._limit_s if self._limit_s is not None else self._most_s
        share_s = self._spare_s(limit_s) / max(1, going, len(self._replicates(self._left)))
        return max(0.0, share_s - unplanned_s)

    @property
    def _limit_s(self) -> float | None:
        return self._budget_s if self._budget_s is not None else self._effort.budget_s

    @property
    def _most_s(self) -> float:
        """As `estimate.most_seconds`, for what is left of the plan."""
        replicates_s = sum(self._planned[step] for step in self._replicates(self._planned))
        added = max(0, self._effort.most_replicates - self._effort.replicates)
        return self.total_s + replicates_s * added / max(1, self._effort.replicates)

    def _spare_s(self, limit_s: float) -> float:
        """What is left over of these seconds, where what is planned is as slow, by its estimate, as what is over."""
        pace = max(1.0, (self._elapsed_s - self._lingered_s) / self.passed_s) if self.passed_s else 1.0
        return limit_s - self._elapsed_s - pace * sum(self._left.values())

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def _of(self, heat: Heat) -> list[Step]:
        return [step for step in self._left if step[:2] == heat]

    @staticmethod
    def _replicates(steps: object) -> list[Step]:
        return [step for step in steps if isinstance(step[-1], int)]  # type: ignore[attr-defined]
