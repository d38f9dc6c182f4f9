"""Machine: what it is, before and after it was measured; whether it is a good moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import ceiling
from efficiency.ceiling import Ceiling, Rates
from efficiency.engine import turn
from efficiency.machine import this_machine
from efficiency.results.store import Store

Visit = Callable[..., AppTest]


def button(at: AppTest) -> AppTest:
    return at.button(key="measure-ceiling")


def test_where_nothing_was_measured_yet(visit: Visit) -> None:
    at = visit("machine")
    assert this_machine().cpu_model in said(at)
    assert "Not measured on this machine yet" in said(at)
    assert button(at).label == "Measure what it can do"
    assert not button(at).disabled
    assert not at.get("plotly_chart")


def test_what_was_measured_is_shown_with_its_units(visit: Visit) -> None:
    gops = {"fp32": 123.0, "bf16": 0.0, "int8": 456.0}
    rates = (Rates("cpu", 1, gops, 20.0), Rates("cpu", 2, {**gops, "fp32": 234.0}, 30.0))
    ceiling.keep(Ceiling(this_machine().key, "2026-11-24T12:00:00+00:00", 32.0, rates))
    at = visit("machine")
    table = next(found.value for found in at.dataframe if "Peak" in found.value)
    assert list(table["Peak"]) == ["FP32 matrix product [GFLOP/s]", "INT8 matrix product [GOP/s]", "Memory [GB/s]"]
    assert list(table["2 threads"]) == ["234", "456", "30.0"]
    assert button(at).label == "Measure again"
    assert "2026-11-24 12:00:00 UTC" in said(at)
    assert at.get("plotly_chart")


def test_a_study_that_runs_is_not_disturbed(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    id = synthetic.fill(store, status="running")
    working(id)
    at = visit("machine")
    assert button(at).disabled
    assert "Not now: a study is being measured or waits for its turn" in said(at)


def test_beside_anything_that_is_measured_nothing_is_looked_at(visit: Visit) -> None:
    with turn.taken("drift of LSTM", lambda holder: None):
        assert "Not now: drift of LSTM is being measured" in visit("machine").warning[0].value.replace("\\", "")
    assert not any("Not now" in warning.value for warning in visit("machine").warning)


def test_a_try_that_came_to_nothing_is_told(visit: Visit, home: Path) -> None:
    """Another program has the machine; the button's process says so, and the page does."""
    from efficiency.engine import ceiling_job

    with turn.taken("someone", lambda holder: None):
        ceiling_job.start()
        ceiling_job.JOB.wait(60)
    try:
        assert "someone is being measured" in visit("machine").warning[-1].value
    finally:
        ceiling_job.JOB.forget()
