"""Wording and frames: what the pages say and list."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import synthetic

from efficiency.analysis import notes, panels, plans, tables, views, wording
from efficiency.engine import recording
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import expand, plan_preset


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('views') / 'e.db'}") as store:
        synthetic.fill(store)
        return views.prepared(store.rows(None))


@pytest.fixture
def frame(kept: pd.DataFrame) -> pd.DataFrame:
    """A copy, so that what one test does to it is no other's."""
    return kept.copy()


def row(speedup: float, low: float, high: float, verdict: str, **more: Any) -> dict[str, Any]:
    return {"speedup": speedup, "speedup_ci_low": low, "speedup_ci_high": high, "speed_verdict": verdict, **more}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row(2.9, 2.8, 3.0, "faster"), "2.9x faster ± 0.1"),
        (row(2.91, 2.87, 2.95, "faster"), "2.91x faster ± 0.04"),
        (row(2.9, 2.8999, 2.9001, "faster"), "2.90x faster ± <0.01"),
        (row(1.08, 1.02, 1.14, "faster"), "1.08x faster ± 0.06"),
        (row(0.5, 0.48, 0.52, "slower"), "2.0x slower ± 0.1"),
        (row(1.0, 0.99, 1.01, "same"), "same speed"),
        (row(1.02, 0.97, 1.07, "unresolved"), "not told apart (0.97–1.07x)"),
        (row(float("nan"), float("nan"), float("nan"), ""), ""),
        (row(2.0, float("nan"), float("nan"), ""), "2.0x faster"),
        ({}, ""),
    ],
)
def test_speed(given: dict[str, Any], said: str) -> None:
    assert wording.speed(given) == said


def test_relative_is_as_the_article_would_say_it() -> None:
    given = row(2.9, 2.8, 3.0, "faster", accuracy_delta_pp=-0.25, accuracy_verdict="kept", size_ratio=3.7)
    assert wording.relative(given) == "2.9x faster ± 0.1, -0.25 pp, 3.7x smaller"
    given |= {"accuracy_delta_ci_low_pp": -0.6, "accuracy_delta_ci_high_pp": 0.1}
    assert wording.relative(given) == "2.9x faster ± 0.1, -0.25 pp ± 0.35, 3.7x smaller"
    assert wording.relative({**given, "accuracy_delta_pp": -4.0, "accuracy_verdict": "lost"}).count("(lost)") == 1
    assert wording.relative({**given, "accuracy_delta_pp": -0.001}).count("+0.00 pp") == 1
    assert wording.relative({**given, "variant": "baseline"}) == "the reference"


@pytest.mark.parametrize(
    ("ratio", "said"), [(1.004, "same size"), (3.72, "3.7x smaller"), (0.5, "2.0x larger"), (1.04, "1.04x smaller")]
)
def test_size(ratio: float, said: str) -> None:
    assert wording.size({"size_ratio": ratio}) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(8.4, "8 s"), (130, "2 min 10 s"), (1_700, "28 min"), (3_599, "1 h 00 min"), (3_900, "1 h 05 min"), (-1, "0 s")],
)
def test_duration(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


def test_condition_names_length_and_padding_only_where_they_differ(frame: pd.DataFrame) -> None:
    assert set(frame["condition"]) == {"CPU, batch 1, 1 thread"}
    longer = frame.assign(length=frame["length"].where(frame["variant"] != "amp-bf16", 32))
    assert "length 32" in " ".join(views.prepared(longer)["condition"])


def test_technique_filter_keeps_what_it_is_compared_with(frame: pd.DataFrame) -> None:
    kept = views.filtered(frame, technique=["Static INT8"])
    assert {"baseline", "control", "static-int8", "static-int8+inference-mode"} == set(kept["variant"])
    assert views.filtered(frame).equals(frame)


def test_headlines_name_only_what_is_surely_faster_and_kept(frame: pd.DataFrame) -> None:
    best = panels.headlines(frame)
    assert list(best["panel"]) == ["Small CNN", "LSTM", "Transformer"]
    assert set(best["speed_verdict"]) == {"faster"}
    assert set(panels.headlines(frame.assign(speed_verdict="slower"))["found"]) == {"none"}
    assert set(panels.headlines(frame.assign(took_effect="no"))["found"]) == {"none"}


def _cnn(frame: pd.DataFrame, **verdicts: str) -> pd.Series:
    """The small CNN's headline, where these accuracy verdicts are given and all others are `lost`."""
    accuracy = frame["variant"].map({name.replace("_", "-"): verdict for name, verdict in verdicts.items()})
    own = frame.assign(accuracy_verdict=accuracy.astype(object).fillna("lost"))[frame["workload"] == "vision-small-cnn"]
    (headline,) = views.records(panels.headlines(own))
    return pd.Series(headline)


def test_headline_prefers_kept_to_unresolved_and_never_names_what_is_lost(frame: pd.DataFrame) -> None:
    """Static INT8 is the fastest, QAT INT8 comes next, then channels-last."""
    kept = _cnn(frame, static_int8="unresolved", channels_last="kept")
    assert (kept["variant"], kept["found"]) == ("channels-last", "kept")
    assert re.fullmatch(r"\d\.\dx with Static INT8.*", kept["faster_unsettled"])
    assert _cnn(frame, static_int8="kept", qat_int8="unresolved")["faster_unsettled"] == ""
    unsure = _cnn(frame, qat_int8="unresolved", channels_last="unresolved")
    assert (unsure["variant"], unsure["found"]) == ("qat-int8", "unresolved")
    lost = _cnn(frame)
    assert (lost["variant"], lost["variant_label"], lost["found"]) == ("", "", "lost")


def test_studies_have_headlines_and_fronts_of_their_own(home: Path) -> None:
    with Store.open() as store:
        ids = [synthetic.fill(store), synthetic.fill(store, seed=1, slower=3.0)]
        both, alone = views.prepared(store.rows(ids)), views.prepared(store.rows(ids[1:]))
    best = panels.headlines(both)
    assert sorted(zip(best["panel"], best["study_id"], strict=True)) == sorted(
        (panel, id) for panel in ("Small CNN", "LSTM", "Transformer") for id in ids
    )
    assert len(panels.headlines(both, 2)) == 2
    (_, mixed), (_, single) = panels.panels(both)[0][0], panels.panels(alone)[0][0]
    own = dict(panels.by_study(mixed))[ids[1]]
    there = list(panels.front(own, "Latency", "Accuracy")["row_id"])
    assert there == list(panels.front(single, "Latency", "Accuracy")["row_id"])


def test_probed_rows_wait_while_their_study_runs(frame: pd.DataFrame) -> None:
    assert views.NOT_TIMED == recording.NOT_TIMED
    raw = frame.assign(status="cancelled", reason=views.NOT_TIMED)
    study = raw["study_id"].iloc[0]
    running = views.prepared(raw, live=[study])
    assert set(running["state"]) == set(tables.reasons(running)["Status"]) == {"to be timed"}
    assert len(views.filtered(running, status=["to be timed"])) == len(running)
    assert set(tables.live_rows(running)["Status"]) == {"to be timed"}
    assert set(views.prepared(raw)["state"]) == {"cancelled"}
    assert dict(tables.all_numbers(running.iloc[0]).values)["status"] == "cancelled", "As the CSV has it."


def test_all_numbers_are_those_of_the_csv(home: Path) -> None:
    with Store.open() as store:
        id = synthetic.fill(store)
        text = documents.to_csv(store, [id])
        rows = views.prepared(store.rows([id]))
    for cells, (_, row) in zip(csv.DictReader(io.StringIO(text)), rows.iterrows(), strict=True):
        told = dict(tables.all_numbers(row).values)
        assert set(told) == {name for name, cell in cells.items() if cell}
        assert told.get("on_pareto_front", "") == cells["on_pareto_front"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((2.4951, 2.6449, "ms"), "2.50–2.64 ms"),
        ((1.715, 1.909, "x"), "1.72–1.91x"),
        ((-0.55, 0.05, "pp", 2), "-0.55 to 0.05 pp"),
        ((-0.0, 0.45, "pp"), "0.000–0.450 pp"),
        ((-0.001, 0.05, "pp", 2), "0.00–0.05 pp"),
        ((1.0001, 1.0004, ""), "1.0001–1.0004"),
        ((80.6, 84.02, "%"), "80.6–84.0 %"),
        ((1.0, 1.0, "x"), ""),
        ((float("nan"), 1.0, "x"), ""),
        ((None, None, ""), ""),
    ],
)
def test_interval_keeps_its_ends_apart(given: tuple[Any, ...], said: str) -> None:
    assert wording.interval(*given) == said


def test_interval_has_the_decimals_of_its_figure() -> None:
    assert wording.interval(0.9701, 1.0432, "x", 2) == "0.97–1.04x"
    assert wording.interval(0.9994, 1.0006, "x", 2) == "0.999–1.001x"


def test_warnings_are_short_and_what_is_wrong_comes_first() -> None:
    assert wording.warnings("test-subset;noisy;wide-interval") == "⚠ noisy, wide interval, test subset"
    assert wording.warnings("test-subset") == "test subset"
    assert wording.warnings("") == wording.warnings(None) == ""
    assert set(notes.INFORMATIVE) <= {*notes.HINTS, notes.LOST_BY_LAYERS}


def test_noise_floor_is_the_controls_reach_and_beside_every_timed_row(frame: pd.DataFrame) -> None:
    for _, rows in frame.groupby("workload"):
        control = rows.set_index("variant").loc["control"]
        reach = max(control["speedup_ci_high"], 1 / control["speedup_ci_low"])
        timed = rows[rows["latency_ms_p50"].notna()]
        assert set(timed["noise_pct"].round(9)) == {round((reach - 1) * 100, 9)}
        assert rows.loc[rows["latency_ms_p50"].isna(), "noise_pct"].isna().all()
    told = views.prepared(frame.assign(noise_floor_pct=7.0))
    assert set(told["noise_pct"].dropna()) == {7.0}, "What was recorded goes before what is derived."
    assert (wording.plus_minus(1.44), wording.plus_minus(12.4), wording.plus_minus(float("nan"))) == (
        "±1.4 %",
        "±12 %",
        "",
    )


def test_table_has_intervals_noise_and_warnings_beside_the_figures(frame: pd.DataFrame) -> None:
    noisy = frame.assign(warnings=frame["warnings"].where(frame["variant"] != "static-int8", "noisy;test-subset"))
    table = tables.comparison(noisy).query("Workload == 'Small CNN'").set_index("Variant")
    row = frame.query("workload == 'vision-small-cnn' and variant == 'static-int8'").iloc[0]
    line = table.loc["Static INT8"]
    assert line["Speed-up 95 %"] == f"{row['speedup_ci_low']:.2f}–{row['speedup_ci_high']:.2f}"
    assert line["Latency 95 %"] == f"{row['latency_low_ms']:.3f}–{row['latency_high_ms']:.3f}"
    assert line["Δ 95 %"].startswith(f"{row['accuracy_delta_ci_low_pp']:.2f}")
    assert f"{row['accuracy_delta_pp']:+.2f} pp ± " in line["Against the baseline"]
    assert line["Warnings"] == "⚠ noisy, test subset"
    assert (table["Noise floor"] == wording.plus_minus(row["noise_pct"])).all()


def test_comparison_starts_with_the_baseline_and_the_best(frame: pd.DataFrame) -> None:
    table = tables.comparison(frame)
    assert list(table["Variant"].head(2)) == ["Baseline", "Static INT8 + Inference mode"]
    assert len(table) == len(views.measured(frame))


def test_unknown_technique_of_an_import_stays_as_it_is() -> None:
    assert views.variant_label("of-tomorrow+static-int8") == "of-tomorrow + Static INT8"
    assert views.workload_label("../mine/file.py:make") == "file.py:make"


def test_plan_matrix_counts_conditions() -> None:
    machine = this_machine()
    entries = expand(plan_preset("full", machine), machine)
    matrix = plans.matrix(entries).set_index("Variant")
    assert set(matrix.loc["Baseline"]) == {"runs"}
    assert matrix.loc["Channels-last", "LSTM"] == "–"
    assert plans.to_measure(entries) + sum(entry.why_not is not None for entry in entries) == len(entries)
    told = plans.reasons(entries)
    assert not told.duplicated().any()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("![x](http://h/p.png)", r"\!\[x\](http\://h/p.png)"),
        ("__init__()", r"\_\_init\_\_()"),
        ("$x$", r"\$x\$"),
        (":material/foo:", r"\:material/foo\:"),
        (":red[x]", r"\:red\[x\]"),
        ("*b* ~~c~~ <b>d</b> |", r"\*b\* \~\~c\~\~ \<b\>d\</b\> \|"),
        ("raise it with `--budget 600`, *or not*", r"raise it with `--budget 600`, \*or not\*"),
        ("`a | b`", r"\`a \| b\`"),
        ("`a``![x](y)`", r"\`a\`\`\!\[x\](y)\`"),
        ("# a\n\n- b", r"\# a - b"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("99.1% of C:\\x", r"99.1% of C\:\\x"),
        (None, "None"),
    ],
)
def test_text_is_shown_as_it_is(text: object, escaped: str) -> None:
    assert wording.markdown_text(text) == escaped


def test_reasons_count_the_rows_they_stand_for(home: Path) -> None:
    with Store.open() as store:
        ids = [synthetic.fill(store), synthetic.fill(store, seed=1)]
        both = views.prepared(store.rows(ids))
    table = tables.reasons(both)
    assert table["Rows"].sum() == (both["status"] != "done").sum()
    assert not table.duplicated(["Workload", "Variant", "Status", "Reason"]).any()
    assert set(table["Rows"]) == {2}
