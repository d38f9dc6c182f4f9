"""The report as one HTML file: it needs no network, no server and no other file, on a screen or on paper."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from efficiency import speedup_chart, trade_off_chart
from efficiency.analysis import wording
from efficiency.report.content import Panel, Report

# Every text is escaped: a study's name, a reason or a file's path may hold anything.
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["code"] = wording.html_text


def written(report: Report) -> str:
    """The whole file. Plotly's own code is in it once, about 5 MB."""
    drawn = [[_chart(*chart) for chart in _charts(panel)] for panel in report.panels]
    return _TEMPLATES.get_template("report.html.jinja").render(
        report=report, charts=drawn, plotly=Markup(get_plotlyjs()) if any(drawn) else ""
    )


def _charts(panel: Panel) -> list[tuple[go.Figure, str]]:
    """(figure, a sentence in its place)."""
    return [
        (trade_off_chart.trade_off(panel.rows), trade_off_chart.described(panel.rows)),
        (speedup_chart.speedup_bars(panel.rows), speedup_chart.described(panel.rows)),
    ]


def _chart(figure: go.Figure, said: str) -> tuple[Markup, str, int]:
    """The figure as JSON that no tag can end, what it shows in words, and its height in pixels."""
    return Markup(figure.to_json().replace("<", "\\u003c")), said, int(figure.layout.height)
