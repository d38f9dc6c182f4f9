"""Drift measured in a real child process on a small workload, kept, and read off again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from said import said
from streamlit.testing.v1 import AppTest
from torch import nn
from typer.testing import CliRunner

from efficiency import paths
from efficiency.analysis import drift as analysis
from efficiency.analysis.wording import markdown_text
from efficiency.cli.app import app
from efficiency.drift import shifts
from efficiency.engine import drift_job
from efficiency.engine.child import Child
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.results import drifts
from efficiency.results.store import Store
from efficiency.techniques import compose
from efficiency.techniques.base import Data

WORKLOAD = "vision-small-cnn"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[drifts.DriftRecord]:
    """FP32 and static INT8 of the small CNN under brightness, on few rows: through the probe and the store."""
    from efficiency.engine import drift_probe

    folder = tmp_path_factory.mktemp("drift")
    asked = {
        "workload": WORKLOAD, "dataset": "glyphs", "shifts": ["brightness"], "test_rows": 200, "calibration_rows": 32,
        "training_rows": 32, "threads": 2, "seed": 0,
    }  # fmt: skip
    cells = []
    for keys in ((), ("static-int8",)):
        with Child(drift_probe.run, asked | {"techniques": list(keys)}, log=folder / "drift.log") as child:
            for message in child.messages(120):
                if "cell" in message:
                    cells.append({"variant": "+".join(keys) or "baseline"} | message["cell"])
    cells.append({"variant": "dynamic-int8", "reason": "It reaches Linear layers only."})
    with Store.open(f"sqlite:///{folder / 'drift.db'}") as store:
        drifts.keep(
            store, workload=WORKLOAD, dataset="glyphs", machine=this_machine().as_dict(), asked=asked, cells=cells
        )
        yield drifts.known(store, WORKLOAD)[0]


def test_there_is_a_line_for_every_variant_and_grade(record: drifts.DriftRecord) -> None:
    found = analysis.table(record)
    assert list(found.columns) == list(analysis.COLUMNS)
    assert sorted(found.groupby("variant")["grade"].apply(list)) == [[0, 1, 2, 3, 4, 5]] * 2
    assert (found["accuracy_low_pct"] <= found["accuracy_pct"]).all()
    assert analysis.reasons(record) == {"dynamic-int8": "It reaches Linear layers only."}


def test_static_int8_loses_more_where_activations_leave_their_range_and_the_alarm_says_so(record) -> None:
    found = analysis.table(record)
    static = found[found["variant"] == "static-int8"].set_index("grade")
    assert not static.loc[0, "alarm"], "Test rows as they are fit the calibration."
    assert static.loc[0, "excess_pp"] == 0
    worst = static.loc[5]
    assert worst["alarm"]
    assert worst["range_ratio"] > static.loc[0, "range_ratio"]
    assert pd_unknown(found[found["variant"] == "baseline"]["alarm"])


def pd_unknown(values) -> bool:
    """FP32 has no ranges: unknown, not 0."""
    return bool(values.isna().all())


def test_calibrating_anew_is_paired_with_the_same_rows(record: drifts.DriftRecord) -> None:
    static = analysis.table(record).query("variant == 'static-int8' and grade == 5").iloc[0]
    assert static["won_back_pp"] == pytest.approx(static["recalibrated_pct"] - static["accuracy_pct"])
    assert static["won_back_low_pp"] < static["won_back_pp"] < static["won_back_high_pp"]


def test_what_is_said_names_the_variant_the_grade_and_the_figure(record: drifts.DriftRecord) -> None:
    own = analysis.table(record)
    (sentence,) = analysis.said(own, "Brightness")
    assert sentence.startswith("Static INT8")
    assert re.search(r"at grade [1-5] of brightness", sentence)
    assert re.search(r"\d\.\d\d pp \(95 %: \S+ to \S+\)", sentence)
    assert "FP32" in sentence
    heading, lines = analysis.summary(own)
    assert {len(heading)} == {len(line) for line in lines}


def static(excess: tuple[float, ...], won_back: float = float("nan"), half: float = 1.5) -> pd.DataFrame:
    """Lines of static INT8 that lost so much beyond FP32 at the grades from 1 on, each known to within `half`."""
    lines = pd.DataFrame({"grade": range(len(excess) + 1), "excess_pp": [0.0, *excess], "won_back_pp": won_back})
    for name in ("excess", "won_back"):
        lines[f"{name}_low_pp"], lines[f"{name}_high_pp"] = lines[f"{name}_pp"] - half, lines[f"{name}_pp"] + half
    alarm = lines["excess_pp"] < -5
    return lines.assign(
        variant="static-int8", shift="gain", alarm=alarm, accuracy_pct=90.0, recalibrated_pct=float("nan")
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            static((-1.0, -3.0, -45.0, -9.0, 0.1), won_back=40.0),
            "Static INT8 loses 45.00 pp (95 %: 43.50 to 46.50) more than FP32 does at grade 3 of gain, where that is "
            "most; its ranges no longer fit from grade 3 on; calibrated anew it wins back 40.00 pp (95 %: 38.50 to "
            "41.50) there.",
        ),
        (
            static((-0.4, -1.4, -0.2), won_back=0.3),
            "Static INT8: whether it loses more than FP32 does cannot be told; at grade 2 of gain, its worst, the "
            "difference is -1.40 pp (95 %: -2.90 to +0.10); its ranges fit; whether calibrating anew helps there "
            "cannot be told, +0.30 pp (95 %: -1.20 to +1.80).",
        ),
        (
            static((3.0, 2.0, 4.0), won_back=-6.0),
            "Static INT8 loses 2.00 pp (95 %: 0.50 to 3.50) less than FP32 does at grade 2 of gain, where that is "
            "least; its ranges fit; calibrated anew it loses 6.00 pp (95 %: 4.50 to 7.50) more there.",
        ),
        (
            static((-1e-9,), half=1e-3).assign(alarm=float("nan")),
            "Static INT8: whether it loses more than FP32 does cannot be told; at grade 1 of gain, its worst, the "
            "difference is +0.00 pp (95 %: +0.00 to +0.00).",
        ),
    ],
)
def test_a_sentence_has_the_worst_grade_its_figure_and_interval(lines: pd.DataFrame, said: str) -> None:
    assert analysis.said(lines, "Gain") == [said]
    (cells,) = analysis.summary(lines)[1]
    assert cells[5].endswith(f"grade {lines['excess_pp'].iloc[1:].argmin() + 1}")


def page(**address: str) -> AppTest:
    """The page Drift."""
    at = AppTest.from_file(str(paths.PROJECT / "app.py"), default_timeout=60).run().switch_page("pages/drift.py")
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def keep(record: drifts.DriftRecord, dataset: str = "glyphs", workload: str = WORKLOAD, **machine: str) -> None:
    """The same measurement once more, as another machine, data set or workload would have it."""
    with Store.open() as store:
        drifts.keep(
            store, workload=workload, dataset=dataset, machine=record.machine | machine, asked=record.asked,
            cells=record.cells,
        )  # fmt: skip


def test_the_page_shows_what_was_measured(record: drifts.DriftRecord, home: Path) -> None:
    keep(record)
    at = page()
    assert len(at.get("plotly_chart")) == 2
    assert any("of brightness" in text.value and "pp (95 %" in text.value for text in at.markdown)
    assert at.button(key="measure-drift").label == "Measure again"
    assert "Dynamic INT8: It reaches Linear layers only." in plainly(at)
    assert set(at.dataframe[0].value["variant"]) == {"Baseline", "Static INT8"}


def test_another_machines_measurement_is_shown_only_until_there_is_one_of_this(
    record: drifts.DriftRecord, home: Path
) -> None:
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


def test_the_address_names_the_data_set(record: drifts.DriftRecord, home: Path) -> None:
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


def plainly(at: AppTest) -> str:
    """What the page says, its escapes of Markdown aside."""
    return said(at).replace("\\", "")


def test_where_nothing_was_measured_the_page_offers_to(home: Path) -> None:
    at = page()
    assert "Measure drift of Small CNN" in at.button(key="measure-drift").label


def test_data_that_are_neither_images_nor_text_are_refused(store_of_home: Store) -> None:
    moody = str(paths.PROJECT / "tests" / "engine" / "moody_workload.py") + ":steady"
    with pytest.raises(BadRequest, match="neither images nor text"):
        drift_job.measure(store_of_home, moody, this_machine())


MINE = """
import numpy as np
import torch
from torch import nn

from efficiency.workloads.base import Dataset, Rows, Workload


def load(split, rows=None):
    rng = np.random.default_rng(len(split))
    labels = rng.integers(0, 2, size=200)
    images = labels[:, None, None, None] + rng.normal(size=(200, 1, 8, 8))
    return Rows(images.astype(np.float32)[:rows], labels[:rows])


def make():
    data = Dataset(
        key="squares", label="Squares", summary="Dark and bright.", kind="image", classes=("dark", "bright"), load=load,
        fingerprint=lambda: "squares-1", test_rows=200,
    )
    return Workload(
        key="mine", label="Mine", summary="One layer.", datasets=(data,), trained=True,
        build=lambda classes: nn.Sequential(nn.Flatten(), nn.Linear(64, classes)).eval(),
        encode=lambda inputs: torch.from_numpy(np.asarray(inputs)),
    )
"""


def test_a_users_own_file_is_shown_however_it_was_typed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drift_job, "VARIANTS", ((),))
    found = CliRunner().invoke(app, ["drift", "./mine.py", "--rows", "100", "--json", "-"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout.splitlines()[-1])
    assert (document["workload"], document["dataset"]) == (f"{tmp_path / 'mine.py'}:make", "squares")
    assert {row["variant"] for row in document["rows"]} == {"baseline"}


@pytest.fixture
def store_of_home(home: Path) -> Iterator[Store]:
    with Store.open() as store:
        yield store


def test_ranges_count_what_lies_beyond_them() -> None:
    """A Linear layer calibrated on small values, then shown values ten times as large."""
    torch.manual_seed(0)
    model, rows = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4)).eval(), torch.rand(256, 16)
    learned = compose.learn(("static-int8",), model, rows[:1], Data(lambda: rows, lambda: pytest.fail("no training")))
    fits, leaves = (compose.ranges(("static-int8",), model, rows[:1], learned, [x]) for x in (rows, 10 * rows))
    assert max(found["clipped_share"] for found in fits.values()) < 0.02
    assert max(found["clipped_share"] for found in leaves.values()) > 0.5
    assert max(found["range_ratio"] for found in leaves.values()) > 5
    assert compose.ranges(("dynamic-int8",), model, rows[:1], {}, [rows]) == {}


def test_every_kind_of_data_has_shifts() -> None:
    assert {shift.kind for shift in shifts.SHIFTS.values()} == {"image", "text"}
