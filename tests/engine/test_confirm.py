"""A winner is timed again in a study of its own, which is found beside the one that it confirms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import moody_workload
import peaks
import pytest

from efficiency import confirm, decisions
from efficiency.analysis import views
from efficiency.analysis.limits import Limits
from efficiency.condition import Condition
from efficiency.effort import CALLS_FOR_P99, Effort
from efficiency.engine import job
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study, Variant

ASKED = Study(
    workloads=(f"{moody_workload.__file__}:steady",),
    variants=(Variant.of(["dynamic-int8"]), Variant.of(["inference-mode"])),
    conditions=(Condition(), Condition(batch_size=8)),
    effort=Effort(test_rows=None, calibration_rows=64, training_rows=64, replicates=2, seconds_per_replicate=0.1),
    name="Asked",
    budget_s=100.0,
)


def measured(store: Store, study: Study) -> str:
    peaks.known()
    id = store.add_study(study.as_dict(), name=study.name, machine=this_machine().as_dict(), command="")
    assert job.conduct(store, id) == "done"
    return id


def test_only_what_leads_is_timed_again_with_the_same_settings() -> None:
    with Store.open() as store:
        id = measured(store, ASKED)
        rows = views.prepared(store.rows([id]))
        first, second = decisions.cases(store, rows, rows.head(0))
        record, row = store.study(id), views.records(second.first.rows)[-1]
        plan = confirm.plan(record, row, ["inference-mode"], this_machine())
        expected = replace(
            ASKED, variants=(Variant.of(["inference-mode"]),), conditions=ASKED.conditions[1:], budget_s=None,
            datasets=(str(row["dataset"]),), name="Confirms Asked", confirms=id, of_code=row["code_digest"],
        )  # fmt: skip
        assert plan == expected
        assert Study.from_dict(plan.as_dict()) == plan
        for_p99 = confirm.plan(record, row, ["inference-mode"], this_machine(), p99=True)
        assert for_p99 == replace(expected, effort=replace(ASKED.effort, calls=CALLS_FOR_P99))
        again = measured(store, plan)
        assert list(store.rows([again])["variant"]) == ["baseline", "control", "inference-mode"]
        assert list(decisions.confirmations(store.studies(), id)["id"]) == [again]
        first, second = decisions.cases(store, rows, views.prepared(store.rows([again])))
        assert first.again == ()
        assert [timing.study_id for timing in second.again] == [again]
        fresh = second.again[0].rows
        places = dict(zip(fresh["variant"], fresh["row_id"], strict=True))
        ratio = second.again[0].compare(places["inference-mode"], places["baseline"])
        known = fresh.set_index("variant").loc["inference-mode"]
        assert ratio is not None
        assert ratio.estimate == pytest.approx(known["speedup"])
        assert ratio.low == pytest.approx(known["speedup_ci_low"])
        assert second.answer(Limits()).first.winner is not None
        elsewhere = replace(record, machine=record.machine | {"key": "other", "cpu_model": "Other", "label": "Other"})
        with pytest.raises(BadRequest, match="It was measured on Other, not on this machine"):
            confirm.plan(elsewhere, row, ["inference-mode"], this_machine())
        gone = replace(record, asked=record.asked | {"conditions": []})
        with pytest.raises(BadRequest, match="no longer says how"):
            confirm.plan(gone, row, ["inference-mode"], this_machine())


def test_a_model_whose_code_has_changed_is_not_timed_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    code = Path(moody_workload.__file__).read_text()
    file.write_text(code)
    with Store.open() as store:
        id = measured(store, replace(ASKED, workloads=(f"{file}:steady",), conditions=(Condition(),)))
        row = views.records(store.rows([id]))[-1]
        plan = confirm.plan(store.study(id), row, ["inference-mode"], this_machine())
        file.write_text(f"{code}\n# changed\n")
        again = store.add_study(plan.as_dict(), name=plan.name, machine=this_machine().as_dict(), command="")
        assert job.conduct(store, again) == "failed"
        assert f"no longer what study {id} measured; measure it anew" in store.study(again).message
        file.write_text(code)
        measured(store, plan)
