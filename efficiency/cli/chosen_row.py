"""The one row of a study that a command is about."""

from __future__ import annotations

from typing import Any

import pandas as pd

from efficiency.errors import BadRequest, UnknownName


def chosen(
    rows: pd.DataFrame, variant: str, workload: str | None, batch_size: int | None, threads: int | None
) -> pd.Series[Any]:
    """Of the study's first condition unless told; raises `BadRequest` where none fits, or several workloads do."""
    if rows.empty:
        raise BadRequest("This study holds no rows; `python -m efficiency studies` lists those that do.")
    asked = {"variant": variant, "workload": workload, "batch_size": batch_size, "threads": threads}
    for column, value in asked.items():
        if value is None:
            continue
        known = rows[column].dropna().astype(str)
        same = known.map(_sorted) == _sorted(str(value))  # a variant is the same however its techniques are ordered
        if not same.any():
            if isinstance(value, int):
                measured = ", ".join(sorted(set(known), key=int))
                option = f"--{column.replace('_', '-')}"
                raise BadRequest(f"{option}: {variant} has no row with {value} here; choose from {measured}.")
            raise UnknownName(column, str(value), set(known))
        rows = rows.loc[same[same].index]
    applies = rows[rows["status"] != "not-applicable"]
    found = applies if len(applies) else rows
    if found["workload"].nunique() > 1:
        raise BadRequest(
            f"--workload: {variant} is there of {', '.join(found['workload'].unique())}; name one of them."
        )
    return found.iloc[0]


def _sorted(variant: str) -> str:
    return "+".join(sorted(variant.split("+")))
