"""What a row's details keep of its layers: what each costs in INT8, and which stay in FP32. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from efficiency.analysis.kept import mapping_of, number_of, sequence_of
from efficiency.errors import BadRequest

COLUMNS = ["name", "kind", "gain_pct", "in_fp32"]


def of(details: Mapping[Any, Any]) -> pd.DataFrame:
    """A line a layer, in the order they are called: `name`, `kind`, `gain_pct`, `in_fp32`; empty where nothing is kept.

    `gain_pct` is the share of the squared error of the scores that goes when this layer alone stays in FP32. It is
    below 0 where that makes the error larger, since errors of two layers may cancel out.
    """
    for shown in mapping_of(details.get("evidence")).values():
        layers = (mapping_of(one) for one in sequence_of(mapping_of(shown).get("layers")))
        found = [
            (str(one.get("name", "")), str(one.get("kind", "")), 100 * gain, one.get("in_fp32") is True)
            for one in layers
            if (gain := number_of(one.get("gain"))) is not None
        ]
        if found:
            return pd.DataFrame(found, columns=COLUMNS)
    return pd.DataFrame(columns=COLUMNS)


def needed(details: Mapping[Any, Any]) -> pd.DataFrame:
    """As `of`; raises `BadRequest` where nothing is kept."""
    found = of(details)
    if found.empty:
        raise BadRequest(
            "No layers were analysed for this row; run a study with `--technique mixed-int8` and name that variant."
        )
    return found


def table(layers: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Headings and lines, the most sensitive layer first."""
    ranked = layers.sort_values("gain_pct", ascending=False, kind="stable")
    lines = [
        [str(layer.name_), str(layer.kind), f"{layer.gain_pct:.1f} %", "FP32" if layer.in_fp32 else "INT8"]
        for layer in ranked.rename(columns={"name": "name_"}).itertuples()
    ]
    return ["Layer", "Kind", "Error that goes with it in FP32", "Runs in"], lines


def said(layers: pd.DataFrame) -> str:
    """The chart in a sentence."""
    first = layers.iloc[int(layers["gain_pct"].to_numpy().argmax())]
    left = list(layers.loc[layers["in_fp32"], "name"])
    kept = f"in FP32: {', '.join(left)}" if left else "none in FP32"
    return (
        f"{len(layers)} layers, {kept}; the most sensitive is {first['name']} ({first['gain_pct']:.0f} % of the error)."
    )
