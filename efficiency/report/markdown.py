"""The report as Markdown, as GitHub and its like show it: for a pull request or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from efficiency.analysis.wording import markdown_text
from efficiency.report.content import Report

COLUMNS = (
    "Variant",
    "Speed-up [95 %]",
    "Verdict",
    "Accuracy",
    "Its verdict",
    "Size",
    "Latency p50",
    "p99",
    "Loss at the end",
    "Warnings",
)


def written(report: Report) -> str:
    """Title, the best of each, a table a panel, what to ship, what is left out, warnings; HTML has the method."""
    parts = [f"## {markdown_text(report.title)}", _list(report.facts)]
    if report.nothing:
        parts.append(markdown_text(report.nothing))
    if report.best:
        parts += ["### The best of each", _list(report.best)]
    for panel in report.panels:
        noise = f", noise floor {panel.noise}" if panel.noise else ""
        columns = [name for name in COLUMNS if name in panel.table]
        parts += [f"### {markdown_text(panel.title)}{noise}", table(panel.table[columns])]
    if report.panels:
        parts.append(
            "★: on the Pareto front; nothing else there is better in one of accuracy, speed and size and at "
            "least as good in the others."
        )
    parts += _shipping(report)
    if len(report.left_out):
        parts += ["<details><summary>Not measured, and why</summary>", table(report.left_out), "</details>"]
    if report.warnings:
        parts += ["### Warnings", _list((key, f"{text} ({of})") for key, text, of in report.warnings)]
    parts += ["### Verdicts", _list(report.verdicts)]
    return "\n\n".join(parts) + "\n"


def _shipping(report: Report) -> list[str]:
    """What to ship of each, its recipe folded."""
    if not report.shipping:
        return []
    parts = ["### What to ship, and its recipe", markdown_text(report.shipping)]
    for one in report.shipped:
        parts.append(f"**{markdown_text(one.title)}**: {markdown_text(f'{one.said} {one.why_none}')}")
        if one.script:
            recipe = ["<details><summary>The recipe</summary>", _code(one.script), "</details>"]
            parts += [markdown_text(one.beside), *recipe]
    return parts


def _code(script: str) -> str:
    """A block whose fence is longer than any row of backticks in it, so that nothing in it ends it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", script)), default=0))
    return f"{fence}python\n{script}{fence}"


def _list(lines: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{markdown_text(what)}**: {markdown_text(answer)}" for what, answer in lines)


def table(frame: pd.DataFrame) -> str:
    """A table as GitHub has it; what stands in a cell stays in it."""
    lines = [[markdown_text(cell) for cell in line] for line in frame.itertuples(index=False, name=None)]
    head = [list(map(markdown_text, frame.columns)), ["---"] * len(frame.columns)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [*head, *lines])
