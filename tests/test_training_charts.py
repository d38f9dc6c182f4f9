"""Figures of training studies: every run is a line of its own, and the baseline's peak is a guide."""

from __future__ import annotations

import pandas as pd

from efficiency import palette, training_charts
from efficiency.analysis import training

LOSSES = {"baseline": [2.0, 1.0], "amp-bf16": [2.0, None], "amp-bf16+torch-compile": [2.0, 1.2]}


def panel() -> pd.DataFrame:
    variants = ["baseline", "control", *list(LOSSES)[1:]]
    return pd.DataFrame({
        "row_id": range(len(variants)),
        "variant": variants,
        "variant_label": [variant.title() for variant in variants],
        "peak_memory_mb": [100.0, None, 80.0, 130.0],
    })  # fmt: skip


def details() -> dict[int, dict[str, object]]:
    kept: dict[int, dict[str, object]] = {
        int(row): {"training": {"losses": LOSSES[variant]}}
        for row, variant in zip(panel()["row_id"], panel()["variant"], strict=True)
        if variant in LOSSES
    }
    kept[0]["training"] |= {"reordered": {"losses": [2.1, 1.1], "accuracy_pct": 50.0}}  # type: ignore[operator]
    return kept | {1: {}}


def test_every_run_is_a_line_and_no_two_look_alike() -> None:
    figure = training_charts.loss_curves(training.curves(panel(), details()))
    assert [trace.name for trace in figure.data] == [
        "Baseline", training.REORDERED, "Amp-Bf16", "Amp-Bf16+Torch-Compile",
    ]  # fmt: skip
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == len(figure.data)
    assert list(figure.data[0].y) == [2.0, 1.0]
    assert pd.isna(figure.data[2].y[1]), "a loss that is no number any more is a gap, not 0"


def test_the_baselines_peak_is_a_guide_across_the_bars() -> None:
    figure = training_charts.peak_memory(panel())
    (bars,) = figure.data
    assert list(bars.x) == [100.0, 80.0, 130.0], "the control is only timed: it has no peak"
    assert bars.marker.color[0] == palette.NEUTRAL
    assert [shape.x0 for shape in figure.layout.shapes] == [100.0]


def test_what_is_kept_by_another_version_is_left_out() -> None:
    assert training.curves(panel(), {}).empty
    odd = {int(row): {"training": [1, 2]} for row in panel()["row_id"]}
    assert training.curves(panel(), odd).empty
    assert len(training_charts.loss_curves(training.curves(panel(), odd)).data) == 0
