"""What a report of a study says, whatever it is written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from efficiency.analysis import notes, panels, tables, views, wording
from efficiency.equivalence import equivalence_pct_of
from efficiency.report import shipping
from efficiency.report.method import METHODS
from efficiency.report.shipping import Shipped
from efficiency.results.store import Store, StudyRecord
from efficiency.study import BASELINE, CONTROL
from efficiency.tolerance import tolerance_of

VERDICTS = (
    (
        "faster, slower",
        "The interval is on one side of 1, not by luck, and the speed-up beyond {band:g} % and the noise floor.",
    ),
    ("same", "The whole interval lies within {band:g} % of 1: whatever the difference is, it is too small to matter."),
    ("unresolved", "It cannot be told; more time, a quieter machine or more test rows may decide it."),
    ("kept", "Surely no more accuracy is lost than {tolerance:g} percentage points."),
    ("lost", "Surely more than that is lost{luck}."),
)


@dataclass(frozen=True)
class Panel:
    """What was measured on the same thing: its rows for the charts, and its table as text."""

    title: str
    rows: pd.DataFrame
    noise: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Report:
    """All that is told of a study. Texts are plain; who writes them down escapes them."""

    study: StudyRecord
    title: str
    facts: list[tuple[str, str]]
    """When, where, with what versions and what command."""
    nothing: str
    """A sentence where nothing was measured; else empty."""
    best: list[tuple[str, str]]
    """(panel, what was found best)."""
    panels: list[Panel]
    shipping: str
    """How what is shipped was chosen, or why nothing is; empty where nothing was measured."""
    shipped: list[Shipped]
    left_out: pd.DataFrame
    """What was not measured, and why."""
    warnings: list[tuple[str, str, str]]
    """(warning, what it means and what to do, what it is said of)."""
    method: tuple[str, ...]
    verdicts: list[tuple[str, str]]
    asked: list[tuple[str, str]]
    machine: pd.DataFrame


def of(store: Store, id: str) -> Report:
    """The report of a study; raises `UnknownName`."""
    study = store.study(id)
    rows = views.prepared(store.rows([id]), live=[id] if study.status in ("queued", "running") else ())
    parts, _ = panels.panels(rows)
    left_out, trained = tables.reasons(rows), bool((rows["phase"] == "training").any())
    known = {
        "tolerance": tolerance_of(study.asked),
        "band": equivalence_pct_of(study.asked),
        "luck": ", and more than luck explains" if trained else "",
    }
    return Report(
        study,
        study.name or study.id,
        _facts(study),
        "" if parts else f"Nothing was measured in this study{'; why stands below' if len(left_out) else ''}.",
        [(str(row["panel"]), _best(row)) for row in views.records(panels.headlines(rows))] if len(rows) else [],
        [_panel(title, rows[rows["row_id"].isin(part["row_id"])], part) for title, part in parts],
        shipping.said(study, trained) if parts else "",
        shipping.of(store, study, rows) if parts else [],
        left_out,
        [
            (key.replace("-", " "), text, ", ".join(of))
            for key, text, of in notes.of_study(views.records(rows), study.asked, store.details)
        ],
        METHODS["training" if trained else "inference"],
        [(word, text.format(**known)) for word, text in VERDICTS],
        _asked(study.asked),
        tables.machine_facts(study.machine),
    )


def _facts(study: StudyRecord) -> list[tuple[str, str]]:
    found = [
        ("Machine", str(study.machine.get("label") or "unknown")),
        ("Recorded", f"{study.recorded_at[:16].replace('T', ' ')} UTC"),
        ("Versions", f"efficiency {study.version}, torch {study.torch_version}"),
        ("Command", study.command),
        ("Study", study.id),
        ("Status", " ".join(filter(None, (study.status, study.message)))),
    ]
    return [(what, answer) for what, answer in found if answer]


def _best(row: Mapping[str, Any]) -> str:
    """`Static INT8: 2.86x faster ± 0.05, -0.25 pp ± 0.30, 3.6x smaller`; or what is said where nothing is best."""
    if row["found"] in panels.NAMELESS:
        return f"leave it as it is: {panels.NAMELESS[row['found']]}"
    text = f"{row['variant_label']}: {wording.relative(row)}"
    if row["found"] == "unresolved":
        return f"{text}; whether it keeps the accuracy is not settled"
    if row["faster_unsettled"]:
        text += f"; {row['faster_unsettled']}: whether it keeps the accuracy is not settled"
    return text


def _panel(title: str, rows: pd.DataFrame, drawn: pd.DataFrame) -> Panel:
    return Panel(title, drawn, wording.plus_minus(rows["noise_pct"].max()), table(rows))


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a panel as text: the baseline and the control first, then the fastest; unknowns are empty."""
    place = rows["variant"].map({BASELINE: 0, CONTROL: 1}).fillna(2)
    order = rows.assign(_place=place).sort_values(["_place", "speedup"], ascending=[True, False], kind="stable")
    lines, trained = views.records(order), bool((rows["phase"] == "training").any())
    return pd.DataFrame({
        "Variant": [str(line["variant_label"]) + (" ★" if line["on_front"] else "") for line in lines],
        "Speed-up [95 %]": [_speed(line) for line in lines],
        "Verdict": [_unless_baseline(line, "speed_verdict") for line in lines],
        "Accuracy": [_unless_baseline(line, "", wording.accuracy(line | {"accuracy_verdict": ""})) for line in lines],
        "Its verdict": [_unless_baseline(line, "accuracy_verdict") for line in lines],
        "Size": [_size(line) for line in lines],
        "Latency p50": [_known(line["latency_ms_p50"], "ms") for line in lines],
        "p99": [_known(line["latency_ms_p99"], "ms") for line in lines],
        "Accuracy [%]": [_percent(line["accuracy_pct"]) for line in lines],
        "Peak memory": [_known(line["peak_memory_mb"], "MB") for line in lines],
        **(_of_training(lines) if trained else {}),
        "Took effect": [str(line["took_effect"]) for line in lines],
        "Warnings": [wording.warnings(line["warnings"]) for line in lines],
    })  # fmt: skip


def _of_training(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {
        "Loss at the end": ["" if pd.isna(line["training_loss"]) else f"{line['training_loss']:.3f}" for line in lines],
        "Energy an example": [_known(line["energy_mj"], "mJ") for line in lines],
    }


def _speed(line: Mapping[str, Any]) -> str:
    if line["variant"] == BASELINE:
        return ""
    return wording.times(line["speedup"], line["speedup_ci_low"], line["speedup_ci_high"])


def _unless_baseline(line: Mapping[str, Any], column: str, text: str = "") -> str:
    return "" if line["variant"] == BASELINE else text or (str(line[column]) if column else "")


def _size(line: Mapping[str, Any]) -> str:
    """`0.164 MB, 3.6x smaller`."""
    against = "" if line["variant"] == BASELINE else wording.size(line)
    return ", ".join(filter(None, (_known(line["size_mb"], "MB"), against)))


def _known(value: Any, unit: str) -> str:
    return "" if pd.isna(value) else wording.number(value, unit)


def _percent(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"


def _asked(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was asked for, a line each; what is not there, or asked for nothing, is left out."""
    effort = asked.get("effort")
    own = {name: value for name, value in asked.items() if value is not None}  # a budget of its own above the preset's
    flat = {**(effort if isinstance(effort, Mapping) else {}), **own}
    names = (
        "preset", "workloads", "datasets", "tolerance_pp", "equivalence_pct", "budget_s", "seed", "test_rows",
        "calibration_rows", "training_rows", "replicates", "most_replicates", "seconds_per_replicate",
    )  # fmt: skip
    told = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
        for name in names
        if (value := flat.get(name)) not in (None, "", [], ())
    ]
    if precision := flat.get("precision"):
        told.append(("intervals within", f"± {100 * precision:g} %"))
    return [*told, ("calls of each variant", f"{flat['calls']} or more")] if flat.get("calls") else told
