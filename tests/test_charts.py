"""Figures hold what the frames say: every point, its id, its interval, and no WebGL."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import synthetic

from efficiency import chart_points, palette, sample_charts, speedup_chart, techniques, trade_off_chart
from efficiency.analysis import panels, replicates, views, wording
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('charts') / 'e.db'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(store: Store) -> list[str]:
    """Of two studies, the second on a machine three times as slow."""
    return [synthetic.fill(store), synthetic.fill(store, seed=1, slower=3.0)]


@pytest.fixture(scope="module")
def frame(store: Store, ids: list[str]) -> pd.DataFrame:
    return views.prepared(store.rows(ids[:1]))


@pytest.fixture
def panel(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy, so that what one test does to it is no other's."""
    return dict(panels.panels(frame)[0])["Small CNN"].copy()


@pytest.fixture
def nothing() -> pd.DataFrame:
    columns = ["row_id", "study_id", *COLUMNS]
    return views.prepared(pd.DataFrame({name: pd.Series(dtype="object") for name in columns}))


def points(figure: object, name: str) -> object:
    return next(trace for trace in figure.data if trace.name == name)  # type: ignore[attr-defined]


def test_every_row_is_a_point_that_carries_its_id(panel: pd.DataFrame) -> None:
    drawn = points(trade_off_chart.trade_off(panel), "Variants")
    assert sorted(point[0] for point in drawn.customdata) == sorted(panel["row_id"])
    assert sorted(drawn.x) == pytest.approx(sorted(panel["latency_ms_p50"]))
    assert all("<b>" in text for text in drawn.text)


def test_a_point_names_what_lies_beneath_it(panel: pd.DataFrame) -> None:
    apart = panel.assign(
        latency_ms_p50=np.geomspace(1, 10, len(panel)), latency_low_ms=np.nan, latency_high_ms=np.nan
    )  # fmt: skip
    assert not any("Also here" in text for text in points(trade_off_chart.trade_off(apart), "Variants").text)
    first, second, third, *_ = apart["row_id"]
    together = apart.assign(
        latency_ms_p50=apart["latency_ms_p50"].mask(apart["row_id"].isin([second, third]), 1.0),
        accuracy_pct=90.0, accuracy_low_pct=89.0, accuracy_high_pct=91.0,
    )  # fmt: skip
    drawn = points(trade_off_chart.trade_off(together), "Variants")
    texts = [text.partition("Also here: ")[2] for text in drawn.text]
    said = {point[0]: also for point, also in zip(drawn.customdata, texts, strict=True)}
    names = panel.set_index("row_id")["variant_label"]
    assert set(said[first].split(" and ")) == {names[second], names[third]}
    assert {row_id for row_id, also in said.items() if also} == {first, second, third}


def test_control_stands_where_its_model_does(panel: pd.DataFrame) -> None:
    """It is only timed; accuracy and size are those of the baseline, whose model it is."""
    by_variant = panel.set_index("variant")
    assert by_variant.loc["control", "accuracy_pct"] == by_variant.loc["baseline", "accuracy_pct"]
    assert by_variant.loc["control", "latency_ms_p50"] != by_variant.loc["baseline", "latency_ms_p50"]


@pytest.mark.parametrize("x", panels.MEASURES)
@pytest.mark.parametrize("y", panels.MEASURES)
def test_any_two_measures(panel: pd.DataFrame, nothing: pd.DataFrame, x: str, y: str) -> None:
    p50 = panel["latency_ms_p50"]  # so few calls have no p99 of their own
    panel = panel.assign(latency_ms_p99=2 * p50, latency_ms_p99_ci_low=1.9 * p50, latency_ms_p99_ci_high=2.2 * p50)
    figure = trade_off_chart.trade_off(panel, x, y, size="Peak memory")
    assert not any("gl" in trace.type for trace in figure.data), "WebGL contexts are few, and lost without a word."
    assert [len(trace.x) for trace in trade_off_chart.trade_off(nothing, x, y).data] == [0]
    front, best = points(figure, "Pareto front"), panels.front(panel, x, y)
    assert list(front.x) == list(best[panels.MEASURES[x].column])
    assert list(front.y) == list(best[panels.MEASURES[y].column])
    assert len(best)


def test_intervals_hold_their_value(panel: pd.DataFrame) -> None:
    drawn = points(trade_off_chart.trade_off(panel), "Variants")
    for errors in (drawn.error_x, drawn.error_y):
        for end in (errors.array, errors.arrayminus):
            assert (np.nan_to_num(np.asarray(end, float)) >= 0).all()
    wide = next(row for row in panel.itertuples() if row.variant == "static-int8")
    assert wide.latency_low_ms < wide.latency_ms_p50 < wide.latency_high_ms


def test_front_gets_better_in_one_and_worse_in_the_other(panel: pd.DataFrame) -> None:
    front = panels.front(panel, "Latency", "Accuracy")
    assert front["latency_ms_p50"].is_monotonic_increasing
    assert front["accuracy_pct"].is_monotonic_increasing
    assert front["on_front"].all()
    assert "control" not in set(front["variant"])


def test_unresolved_is_neutral_and_a_technique_keeps_its_colour(panel: pd.DataFrame) -> None:
    panel = panel.assign(speed_verdict=panel["speed_verdict"].where(panel["variant"] != "amp-bf16", "unresolved"))
    drawn = points(trade_off_chart.trade_off(panel), "Variants")
    by_id = dict(zip((point[0] for point in drawn.customdata), drawn.marker.line.color, strict=True))
    ids = panel.set_index("variant")["row_id"]
    assert by_id[ids["amp-bf16"]] == palette.NEUTRAL
    assert by_id[ids["control"]] == palette.NEUTRAL
    assert by_id[ids["static-int8"]] == by_id[ids["static-int8+inference-mode"]] == palette.COLOURS["static-int8"]


@pytest.mark.parametrize(
    ("make", "trace"), [(trade_off_chart.trade_off, "Variants"), (speedup_chart.speedup_bars, "Speed-up")]
)
def test_looks_are_told_apart_without_colour_and_are_the_same_on_every_chart(
    panel: pd.DataFrame, make: Callable[[pd.DataFrame], Any], trace: str
) -> None:
    verdicts = {"amp-bf16": "unresolved", "channels-last": "same", "static-int8": "faster", "qat-int8": "slower"}
    panel = panel.assign(speed_verdict=panel["variant"].map(verdicts).fillna("faster"))
    drawn = points(make(panel), trace)
    by_id = dict(
        zip(
            (point[0] for point in drawn.customdata),
            zip(drawn.marker.symbol, drawn.marker.color, strict=True),
            strict=True,
        )
    )
    looks = {row.variant: by_id[row.row_id] for row in panel.itertuples() if row.row_id in by_id}
    assert looks["amp-bf16"] == ("circle-open", palette.NEUTRAL)
    assert looks["channels-last"] == ("circle", palette.NEUTRAL)
    assert looks["control"] == ("x-thin-open", palette.NEUTRAL)
    for sure in ("static-int8", "qat-int8"):
        assert looks[sure] == ("circle", palette.faded(palette.COLOURS[sure], 0.6))
    taken = {"diamond", "x-thin"}
    assert not taken & set(palette.SYMBOLS), "Of baseline and control, whatever the study."
    said = dict(zip((point[0] for point in drawn.customdata), drawn.text, strict=True))
    ids = panel.set_index("variant")["row_id"]
    assert chart_points.CANNOT_TELL in said[ids["amp-bf16"]]
    assert chart_points.CANNOT_TELL not in said[ids["static-int8"]]


def test_every_technique_has_a_colour_of_its_own() -> None:
    colours = [palette.colour(key) for key in techniques.TECHNIQUES]
    assert len(set(colours)) == len(colours)
    assert palette.colour("of-tomorrow") in palette.SPARE


def test_many_points_are_cut(panel: pd.DataFrame) -> None:
    many = pd.concat([panel] * 200, ignore_index=True)
    assert len(points(trade_off_chart.trade_off(many), "Variants").x) == chart_points.MAX_POINTS
    assert len(points(speedup_chart.speedup_bars(many), "Speed-up").x) == chart_points.MAX_POINTS


def test_speedups_with_the_control_below_and_without_the_baseline(panel: pd.DataFrame, nothing: pd.DataFrame) -> None:
    drawn = points(speedup_chart.speedup_bars(panel), "Speed-up")
    assert "Baseline" not in drawn.y
    assert drawn.y[0] == "Control", "At the bottom."
    assert len(drawn.y) == len(panels.variants(panel)) + 1
    assert [len(trace.x) for trace in speedup_chart.speedup_bars(nothing).data] == [0]


def test_histogram_of_shares() -> None:
    samples = pd.DataFrame({"replicate": 0, "round": range(200), "latency_ms": np.geomspace(1, 2, 200)})
    baseline = samples.assign(latency_ms=samples["latency_ms"] * 3)
    figure = sample_charts.latency_histogram(samples, baseline, "static-int8")
    assert [trace.name for trace in figure.data] == ["Baseline", "Static INT8"]
    assert sum(points(figure, "Static INT8").y) == pytest.approx(100, abs=1)
    assert len(sample_charts.latency_histogram(samples.head(0), None, "x").data) == 0
    same = samples.assign(latency_ms=1.0)
    assert len(sample_charts.latency_histogram(same, None, "baseline").data) == 1


def test_sentence_in_place_of_the_chart(panel: pd.DataFrame) -> None:
    text = trade_off_chart.described(panel)
    assert text.startswith(f"Accuracy against latency of {len(panel) - 2} variants. On the Pareto front: ")
    assert "x faster" in text
    speeds = speedup_chart.described(panel)
    assert speeds.startswith(f"Speed-up of {len(panel) - 2} variants against the baseline. Fastest first: Static INT8")
    assert "Pareto" not in speeds


@pytest.fixture
def shared(store: Store, ids: list[str]) -> pd.DataFrame:
    """A panel of both studies."""
    names = dict(zip(ids, ("Here", "<b>There</b>"), strict=True))
    return dict(panels.panels(views.prepared(store.rows(ids), names))[0])["Small CNN"]


def test_each_study_has_its_own_front(shared: pd.DataFrame) -> None:
    figure = trade_off_chart.trade_off(shared)
    fronts = [trace for trace in figure.data if trace.name == "Pareto front"]
    assert len(fronts) == shared["study_id"].nunique() == 2
    assert len({trace.line.dash for trace in fronts}) == 2
    slower = shared.groupby("study_id", sort=False)["latency_ms_p50"].min()
    assert [min(trace.x) for trace in fronts] == pytest.approx(list(slower))
    text = trade_off_chart.described(shared)
    assert "front of Here: " in text
    assert "front of <b>There</b>: " in text


def test_noise_of_several_studies_is_the_widest_and_says_whose(shared: pd.DataFrame) -> None:
    (band,) = [shape for shape in speedup_chart.speedup_bars(shared).layout.shapes if shape.type == "rect"]
    control = shared[shared["variant"] == "control"].set_index("study_name")
    reach = np.exp(np.abs(np.log(control[["speedup_ci_low", "speedup_ci_high"]])).max(axis=1))
    assert band.x1 == pytest.approx(reach.max())
    said = speedup_chart.speedup_bars(shared).layout.xaxis.title.text
    assert f"{wording.plus_minus((reach.max() - 1) * 100)} at most, of {html.escape(reach.idxmax())}" in said
    alone = speedup_chart.speedup_bars(shared[shared["study_name"] == "Here"])
    assert "at most" not in alone.layout.xaxis.title.text
    assert f"noise floor {wording.plus_minus((reach['Here'] - 1) * 100)}" in alone.layout.xaxis.title.text


def _bands(figure: Any) -> list[Any]:
    return [shape for shape in figure.layout.shapes if shape.type == "rect"]


def test_noise_floor_lies_around_each_baseline_on_axes_of_time(shared: pd.DataFrame) -> None:
    baselines = shared[shared["variant"] == "baseline"].set_index("study_id")
    reach = 1 + shared.groupby("study_id", sort=False)["noise_pct"].max() / 100
    bands = _bands(trade_off_chart.trade_off(shared))
    assert [band.xref for band in bands] == ["x", "x"]
    expected = [(ms / reach[study], ms * reach[study]) for study, ms in baselines["latency_ms_p50"].items()]
    assert [(band.x0, band.x1) for band in bands] == [pytest.approx(ends) for ends in expected]
    assert [band.yref for band in _bands(trade_off_chart.trade_off(shared, "Size", "Throughput"))] == ["y", "y"]
    plain = trade_off_chart.trade_off(shared, "Size", "Accuracy")
    assert not _bands(plain)
    assert "noise" not in plain.layout.xaxis.title.text


def test_every_process_is_a_point_beside_its_estimate_and_interval(store: Store, frame: pd.DataFrame) -> None:
    row = frame[(frame["variant"] == "static-int8") & (frame["workload"] == "vision-small-cnn")].iloc[0]
    control, baseline = views.control_of(frame, row), views.baseline_of(frame, row)
    assert control is not None
    assert baseline is not None
    reference = store.samples(int(baseline["row_id"]))
    found = [(one, replicates.ratios(reference, store.samples(int(one["row_id"])))) for one in (row, control)]
    for one, points_of in found:
        assert len(points_of) == synthetic.REPLICATES
        assert np.exp(np.log(points_of["speedup"]).mean()) == pytest.approx(one["speedup"], rel=0.01)
    figure = sample_charts.replicate_ratios(found)
    assert [list(trace.x) for trace in figure.data] == [list(points_of["speedup"]) for _, points_of in found]
    ends = [(band.xref, band.x0, band.x1) for band in _bands(figure)]
    assert ends == [
        (a, one["speedup_ci_low"], one["speedup_ci_high"]) for a, (one, _) in zip(("x", "x2"), found, strict=True)
    ]
    axes = (figure.layout.xaxis, figure.layout.xaxis2)
    assert len({round(axis.range[1] / axis.range[0], 9) for axis in axes}) == 1, "Spreads can be compared."
    for axis, (one, points_of) in zip(axes, found, strict=True):
        drawn = [*points_of["speedup"], one["speedup_ci_low"], one["speedup_ci_high"]]
        assert axis.range[0] < min(drawn)
        assert max(drawn) < axis.range[1]
    alone = sample_charts.replicate_ratios(found[:1])
    assert len(alone.data) == 1
    assert replicates.said(*found[0]).startswith("Static INT8: 4 processes, from 2.")


def test_hover_texts_are_escaped(shared: pd.DataFrame) -> None:
    texts = " ".join(points(trade_off_chart.trade_off(shared), "Variants").text)
    assert "&lt;b&gt;There" in texts
    assert "<b>There" not in texts


def test_heading_is_above_the_chart_in_lines_that_fit(panel: pd.DataFrame) -> None:
    plain, short = trade_off_chart.trade_off(panel), trade_off_chart.trade_off(panel, heading="<i>Mine</i>")
    assert short.layout.title.text == "<b>&lt;i&gt;Mine&lt;/i&gt;</b>"
    assert short.layout.height > plain.layout.height
    long = speedup_chart.speedup_bars(
        panel, heading="A workload of a long name · a data set · CPU, batch 64, 2 threads"
    )
    assert long.layout.title.text.count("<br>") == 1
