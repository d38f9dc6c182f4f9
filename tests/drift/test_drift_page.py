"""The page Drift, over measurements that are kept without measuring."""

from __future__ import annotations

import json
import re
from pathlib import Path

import opened
import plotly.graph_objects as go
from drift_records import WORKLOAD, older
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import drift_chart
from efficiency.analysis import drift, drift_alarm
from efficiency.analysis.wording import markdown_text
from efficiency.engine import turn
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.drifts import DriftRecord
from efficiency.results.store import Store


def page(**address: str) -> AppTest:
    """The page Drift."""
    return opened.page("drift", **address)


def keep(record: DriftRecord, dataset: str = "glyphs", workload: str = WORKLOAD, **machine: str) -> None:
    """The same measurement once more, as another machine, data set or workload would have it."""
    with Store.open() as store:
        drifts.keep(
            store, workload=workload, dataset=dataset, machine=record.machine | machine, asked=record.asked,
            cells=record.cells,
        )  # fmt: skip


def plainly(at: AppTest) -> str:
    """What the page says, its escapes of Markdown aside."""
    return said(at).replace("\\", "")


def names(at: AppTest) -> list[set[str]]:
    """The legends of its charts."""
    figures = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    return [{trace["name"] for trace in figure["data"]} for figure in figures]


def test_the_page_shows_what_was_measured(record: DriftRecord, home: Path) -> None:
    keep(record)
    at = page()
    assert len(at.get("plotly_chart")) == 3
    assert re.search(r"at grade [1-5] of gain", plainly(at))
    assert re.search(r"\d\.\d\d pp \(95 %: \S+ to \S+\)", plainly(at))
    assert "hold for all grades, shifts and variants at once" in plainly(at)
    assert "its ranges no longer fit from grade 2 on" in plainly(at)
    assert at.button(key="measure-drift").label == "Measure again"
    assert "Dynamic INT8: It reaches Linear layers only." in plainly(at)
    assert set(at.dataframe[0].value["variant"]) == {"Baseline", "Static INT8"}
    assert "yardstick" not in plainly(at)


def test_it_is_said_that_something_else_is_measured_now(record: DriftRecord, home: Path) -> None:
    keep(record)
    with turn.taken("drift of LSTM", print):
        at = page()
        assert at.button(key="measure-drift").disabled
        assert "Not now: drift of LSTM is being measured" in plainly(at)
    at.run()
    assert not at.button(key="measure-drift").disabled


def test_the_button_shows_before_and_after_recalibrating(record: DriftRecord, home: Path) -> None:
    keep(record)
    at = page()
    assert not any("recalibrated" in name for legend in names(at) for name in legend)
    assert "wins back" not in plainly(at)
    at.button(key="drift-recalibrate").click().run()
    assert not at.exception
    assert "Static INT8, recalibrated: it wins back" in plainly(at) or "whether that helps" in plainly(at)
    assert "and its new ranges fit" in plainly(at)
    assert set(at.dataframe[0].value["Alarm after"]) == {"no"}
    accuracy, clipping, _ = names(at)
    assert "Static INT8, recalibrated" in accuracy & clipping
    assert at.query_params["drift-recalibrated"]
    at.button(key="drift-recalibrate").click().run()
    assert "and its new ranges fit" not in plainly(at)


def test_layers_are_those_of_the_grade_that_is_chosen(record: DriftRecord, home: Path) -> None:
    keep(record)
    at = page()
    assert at.segmented_control(key="drift-grade").value == "5", "Where most is cut off."
    at.segmented_control(key="drift-grade").set_value("1").run()
    assert not at.exception
    assert "furthest at grade 1" in plainly(at)
    assert at.query_params["drift-grade"] == "1"


def test_what_an_older_measurement_does_not_tell_is_said(record: DriftRecord, home: Path) -> None:
    keep(older(record))
    at = page(**{"drift-recalibrated": "yes"})
    assert "from before the rows of the calibration were kept as a yardstick" in plainly(at)
    assert "its ranges no longer fit from grade 2 on" in plainly(at)
    assert len(at.get("plotly_chart")) == 3


def test_charts_have_a_dotted_line_for_what_was_recalibrated_and_one_for_the_alarm(record: DriftRecord) -> None:
    lines = drift.table(record)
    for draw in (drift_chart.accuracy, drift_chart.clipping):
        before, after = ({trace.name: trace for trace in draw(lines, anew).data} for anew in (False, True))
        assert set(after) - set(before) == {"Static INT8, recalibrated"}
        assert after["Static INT8, recalibrated"].line.dash == "dot"
    assert "Alarm: above it, the calibration does not fit" in after
    bars = drift_chart.layers(drift_alarm.layers(record, "gain", 5))
    assert isinstance(bars, go.Figure)
    assert len(bars.data[0].y) == drift_alarm.MOST_LAYERS


def test_a_users_own_file_that_was_measured_can_be_looked_at(record: DriftRecord, home: Path) -> None:
    ours, theirs = "/home/us/mine.py:make", "/home/them/mine.py:make"
    keep(record, "squares", workload=ours)
    at = page()
    assert markdown_text("mine.py:make") in at.segmented_control(key="drift-workload").options
    at.segmented_control(key="drift-workload").set_value(ours).run()
    assert not at.exception
    assert "200 test rows of squares" in plainly(at)
    assert at.button(key="measure-drift").label == "Measure again"
    keep(record, "squares", workload=theirs)
    shown = at.run().segmented_control(key="drift-workload").options
    assert len(set(shown)) == len(shown)


def test_another_machines_measurement_is_shown_only_until_there_is_one_of_this(record: DriftRecord, home: Path) -> None:
    keep(record, label="Elsewhere CPU", cpu_model="Elsewhere CPU", key="0123456789")
    at = page()
    told = f"Measured on Elsewhere CPU, not on this machine (Elsewhere CPU in place of {this_machine().cpu_model})."
    assert markdown_text(f"{told} The button measures it here.") in said(at)
    assert at.button(key="measure-drift").label == "Measure drift of Small CNN"
    keep(record)
    keep(record, label="Elsewhere CPU", cpu_model="Elsewhere CPU", key="0123456789")
    at = page()
    assert "Elsewhere CPU" not in said(at), "It is newer, and not of this machine."
    assert at.button(key="measure-drift").label == "Measure again"


def test_the_address_names_the_data_set(record: DriftRecord, home: Path) -> None:
    for dataset in ("glyphs", "fashion-mnist"):
        keep(record, dataset)
    for dataset in ("source-code", "ag-news"):
        keep(record, dataset, workload="transformer-encoder")
    assert "200 test rows of glyphs" in said(page()), "What claims are judged by comes first, though it is older."
    assert "200 test rows of glyphs" in said(page(dataset="another")), "Nothing is known of it."
    at = page(dataset="fashion-mnist")
    assert "200 test rows of fashion-mnist" in plainly(at)
    at.segmented_control(key="drift-workload").set_value("transformer-encoder").run()
    assert not at.exception
    assert "200 test rows of source-code" in plainly(at), "It has no data set of that name."
    at.segmented_control(key="dataset").set_value("ag-news").run()
    assert "200 test rows of ag-news" in plainly(at)
    assert at.query_params["dataset"] == "ag-news"


def test_what_an_address_asks_for_in_vain_is_said_once(record: DriftRecord, home: Path) -> None:
    keep(record)
    at = page(**{"drift-shift": "none-such"})
    assert "The address asks for the shift “none-such”, which is not here." in plainly(at)
    assert "which is not here" not in plainly(at.run())


def test_where_nothing_was_measured_the_page_offers_to(home: Path) -> None:
    at = page()
    assert "Measure drift of Small CNN" in at.button(key="measure-drift").label
