"""The charts of Explore: a trade-off or the speed-ups, one for each workload and condition."""

from __future__ import annotations

from collections.abc import Collection
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from efficiency import chart_points, palette, speedup_chart, trade_off_chart
from efficiency.analysis import panels, speed, views
from efficiency.study import CONTROL
from efficiency.ui import asked, data, selected

PANELS = 6
"""Charts on one screen; the filters reach the others."""
VIEWS = ("Trade-off", "Speed-up")
AXES = {"x": "Across", "y": "Up", "marker": "Size of the marker"}
"""What is chosen of `panels.MEASURES`, by parameter of the address: at first they stand as those do."""
CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}


def show(frame: pd.DataFrame, studies: list[str], bands_pct: Collection[float], where: data.Version) -> None:
    """What is to be drawn, the legend, and the charts side by side; `bands_pct` is within what the studies call speeds
    the same."""
    parts, count = panels.panels(frame, PANELS)
    if not parts:
        if len(frame):
            st.info("None of these rows holds a measurement; the reasons are below.", icon=":material/info:")
        return
    asked.say_unlisted("the chart", "view", VIEWS)
    for name in AXES:
        asked.say_unlisted("the measure", name, panels.MEASURES)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        view = st.segmented_control(
            "Chart", VIEWS, default=VIEWS[0], required=True, key="view", bind="query-params", width="content"
        )
        with st.popover("Axes", icon=":material/tune:", disabled=view != VIEWS[0]):
            measures = list(panels.MEASURES)
            x, y, size = (
                st.selectbox(label, measures, index=place, key=name, bind="query-params")
                for place, (name, label) in enumerate(AXES.items())
            )
    timed = view != VIEWS[0] or any(panels.MEASURES[name].timed for name in (x, y))
    shown = frame[[panels.MEASURES[name].column for name in (x, y)]].notna().all(axis=1) | (frame["variant"] == CONTROL)
    drawn = frame[shown] if view == VIEWS[0] else frame
    st.html(legend(drawn, studies, bands_pct, view == VIEWS[0], timed))
    if count > PANELS:
        st.caption(f"{PANELS} of {count} charts; narrow the workloads or conditions to see the others.")
    wide = 1 if len(parts) == 1 else 2 if len(parts) in (2, 4) or view == VIEWS[1] else 3
    height = 460 if wide == 1 else 380
    for start in range(0, len(parts), wide):
        columns = st.columns(wide, gap="medium")
        for column, (title, part) in zip(columns, parts[start : start + wide], strict=False):
            with column:
                rows = part["row_id"].to_numpy().tobytes()
                figure, text = _figure(part, where, rows, view, x, y, size, tuple(studies), height, title)
                _draw(figure, f"{view}-{title}", f"{title}. {text}")
    st.caption(
        "Bars are 95 % intervals of the difference to the baseline, which is paired: same test rows, same moments."
        + (" Those of a p99 are its own." if "Latency p99" in (x, y) else "")
        if view == VIEWS[0]
        else "Bars are 95 % intervals. The noise floor is what the control, a second baseline, shows where nothing "
        "differs" + ("." if frame["study_id"].nunique() < 2 else ": here that of the study where it is widest.")
    )
    if view == VIEWS[0] and (why := _no_p99(frame, (x, y))):
        st.caption(why)
    if any(len(part) > chart_points.MAX_POINTS for _, part in parts):
        st.caption(f"A chart draws {chart_points.MAX_POINTS} points at most; the table below has all.")


def _no_p99(frame: pd.DataFrame, axes: tuple[str, str]) -> str:
    """How many rows are in no chart since they have no p99, and why; empty where that is asked of none."""
    done = views.measured(frame)
    without = int(done["latency_ms_p99"].isna().sum())
    if "Latency p99" not in axes or not without:
        return ""
    return f"{without} of {len(done)} rows are not drawn, since they have no p99: {speed.P99_TAKES}. {speed.P99_BY}"


# A filter leaves most charts as they were. What decides is the database's version and the rows; the figure is
# shared between sessions, and nothing changes it once it is made.
@st.cache_resource(show_spinner=False, max_entries=128)
def _figure(
    _part: pd.DataFrame,
    where: data.Version,
    rows: bytes,
    view: str,
    x: str,
    y: str,
    size: str,
    studies: tuple[str, ...],
    height: int,
    title: str,
) -> tuple[go.Figure, str]:
    """The chart, and a sentence in its place."""
    if view == VIEWS[0]:
        return trade_off_chart.trade_off(_part, x, y, size, studies, height, title), trade_off_chart.described(
            _part, x, y
        )
    return speedup_chart.speedup_bars(_part, studies, title), speedup_chart.described(_part)


def _draw(figure: object, name: str, text: str) -> None:
    key = selected.key_of(f"chart-{name}")
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: selected.from_chart(key),
        selection_mode="points",
        config=CONFIG,
        alt=text,
    )


def legend(frame: pd.DataFrame, studies: list[str], bands_pct: Collection[float], front: bool, timed: bool) -> str:
    """Colours by technique and looks by verdict, in HTML: it wraps where a chart's own legend would cover the chart.

    Only what is in the chart is explained.
    """
    several = frame["study_id"].nunique() > 1
    seen: dict[str, str] = {}
    drawn = views.measured(frame[["variant", "status", "speed_verdict"]])
    own = panels.variants(drawn)
    verdicts, combined = set(own["speed_verdict"]), own["variant"].str.contains("+", regex=False).any()
    for variant in own.loc[~own["speed_verdict"].isin(["same", "unresolved"]), "variant"].unique():
        seen.setdefault(views.variant_label(variant.split("+")[0]), palette.colour(variant))
    items = ["<span>Surely faster or slower:</span>"] if seen else []
    items += [
        f'<span><i style="background:{colour}"></i>{escape(label)}</span>' for label, colour in sorted(seen.items())
    ]
    grey = palette.NEUTRAL
    if combined:
        items.append(f'<span><i class="dot" style="background:{grey}"></i>combined with others</span>')
    if "unresolved" in verdicts:
        items.append(f'<span><i class="ring" style="border-color:{grey}"></i>speed {chart_points.CANNOT_TELL}</span>')
    if "same" in verdicts:
        within = f", within {next(iter(bands_pct)):g} %" if len(set(bands_pct)) == 1 else ""
        items.append(f'<span><i style="background:{grey}"></i>same speed{within}</span>')
    if (drawn["variant"] == CONTROL).any():
        items.append(f'<span><b style="color:{grey}">✕</b> control: the baseline a second time</span>')
    if timed:
        items.append(f'<span><i class="band" style="background:{grey}"></i>noise floor: what the control shows</span>')
    if front:
        items.append(
            f'<span><i class="line" style="border-color:{palette.FRONT}"></i>Pareto front'
            f"{' of each study' * several}</span>"
        )
    items.append(f'<span><i class="dash" style="border-color:{grey}"></i>baseline (◇)</span>')
    named = frame[["study_id", "study_name"]].drop_duplicates("study_id")
    names = dict(zip(named["study_id"], named["study_name"], strict=True))
    if several:
        items += [
            f"<span><b>{glyph}</b> {escape(str(names[study]))}</span>"
            for study, glyph in zip(studies, palette.GLYPHS, strict=False)
            if study in names
        ]
    return f'<div class="eff-legend">{"".join(items)}</div>'
