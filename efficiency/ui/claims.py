"""What the article claims: the sentence over all, the filter, a card a claim, and the three kinds of quantization."""

from __future__ import annotations

from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from efficiency import ceiling, claims, claims_chart, workloads
from efficiency.analysis import views
from efficiency.analysis.wording import markdown_text
from efficiency.claims import WORDS, Case, Here, Judged, kinds, plan
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.ui import data, selected

_HERE = Path(__file__).parent
CASES = 6
"""More of a claim than these are shown when they are asked for."""


# What changes the answer is hashed: the database, which machine it is, and when its peaks were measured.
@st.cache_resource(show_spinner=False, max_entries=2)
def _judged(_store: Store, version: data.Version, _machine: Machine, key: str, peaks: str) -> tuple[Here, list[Judged]]:
    here = claims.read(_store, _machine)
    return here, claims.judge_all(here)


def judged(store: Store, machine: Machine) -> tuple[Here, list[Judged]]:
    """This machine's results and what they say; asked again once something is written or the peaks are measured."""
    peaks = ceiling.known(machine.key)
    return _judged(store, data.version(store), machine, machine.key, peaks.measured_at if peaks else "")


def style() -> None:
    """The style of verdicts and their scales."""
    st.html(_HERE / "claims.css")


def headline(found: list[Judged], machine: Machine) -> None:
    """What this page is, and the sentence over all claims."""
    style()
    st.markdown("## Was the article right, here?")
    st.html(f'<p class="eff-sum">{escape(claims.summary(found))}</p>')
    st.caption(
        f"{claims.ARTICLE} Each of its claims is a question over what was measured on this machine, "
        f"{markdown_text(machine.label)}; one made for other hardware is not tested here, which does not make it false."
    )


def cards(found: list[Judged], machine: Machine) -> None:
    """The claims that the filter leaves."""
    given = {one.verdict for one in found}
    chosen = st.pills(
        "Verdict",
        [word for verdict, word in WORDS.items() if verdict in given],
        selection_mode="multi",
        key="verdict",
        bind="query-params",
        help="All of them where none is chosen.",
    )
    shown = [one for one in found if not chosen or WORDS[one.verdict] in chosen]
    st.html("".join(_card(one, machine) for one in shown))


def _card(found: Judged, machine: Machine) -> str:
    claim = found.claim
    placed = list(zip(found.cases, claims_chart.places(found.cases), strict=True))
    lines = [_case(case, place) for case, place in placed if place is not None]
    drawn = "".join(lines[:CASES])
    if lines[CASES:]:
        drawn += f"<details><summary>{len(lines) - CASES} more</summary>{''.join(lines[CASES:])}</details>"
    rest = [case for case, place in placed if place is None]
    told = "".join(_together(list(cases)) for _, cases in groupby(sorted(rest, key=_reason), key=_reason))
    if time := plan.missing_time([found], machine):
        told += f'<p class="how">What is missing for it takes about {time} to measure.</p>'
    return (
        f'<section class="eff-claim" id="{claim.key}"><div class="head">{_badge(found.verdict)}'
        f"<h4>{escape(claim.says)}</h4></div>"
        f'<p class="how">{escape(claim.compares)} <b>The line:</b> {escape(claim.line)}.</p>{drawn}{told}</section>'
    )


def _badge(verdict: claims.Verdict) -> str:
    return f'<span class="verdict {verdict}"><i></i>{WORDS[verdict]}</span>'


def _case(case: Case, place: claims_chart.Place) -> str:
    """Its figure on the claim's scale: a point, its interval, and the line that it is held against."""
    assert case.figure is not None
    said, line = case.figure.said(), case.figure.line_said()
    value, _, interval = said.partition(" [")
    interval = f" <small>[{escape(interval)}</small>" if interval else ""
    track = (
        f'<div class="track {case.verdict}" role="img" aria-label="{escape(said)}, line {line}">'
        f'<i class="line" style="left:{place.line:.2f}%" title="The line, {line}"></i>'
        f'<i class="span" style="left:{place.low:.2f}%;width:{place.high - place.low:.2f}%"></i>'
        f'<i class="point" style="left:{place.value:.2f}%"></i></div>'
    )
    return (
        f'<div class="case"><b>{escape(case.label)}</b>{track}<span class="figure">{escape(value)}{interval}</span>'
        f'{_badge(case.verdict)}<p class="why">{escape(case.why)} {_rows(case)}</p></div>'
    )


def _rows(case: Case) -> str:
    """A link to each row behind it, with its details open in Explore; or to the page that shows, or would measure, what
    it rests on in place of rows."""
    if case.of_peaks:
        return _elsewhere("machine", {}, "On the page Machine")
    if case.needs_drift:
        text = f"Measure drift of {views.workload_label(case.workload)}"
        return _elsewhere("drift", {"drift-workload": case.workload}, text)
    if case.shift:
        dataset = workloads.describe(case.workload).dataset(None).key
        asks = {"drift-workload": case.workload, "dataset": dataset, "drift-shift": case.shift}
        return _elsewhere("drift", asks, "On the page Drift")
    if not case.behind:
        return ""
    studies = list(dict.fromkeys(row.study_id for row in case.behind))
    links = []
    for row in case.behind:
        query = escape(urlencode({"study": studies, selected.PARAMETER: row.row_id}, doseq=True))
        links.append(f'<a href="./explore?{query}" target="_self">{escape(row.label)}</a>')
    return f'<span class="rows">Rows: {", ".join(links)}</span>'


def _elsewhere(page: str, asks: dict[str, str], text: str) -> str:
    """A link to another page, asked for this."""
    address = escape("?".join(filter(None, (f"./{page}", urlencode(asks)))))
    return f'<span class="rows"><a href="{address}" target="_self">{escape(text)}</a></span>'


def _reason(case: Case) -> tuple[str, str]:
    return case.verdict, case.why


def _together(cases: list[Case]) -> str:
    """Cases without a figure, for one and the same reason."""
    labels = escape(_labels([case.label for case in cases]))
    rows = " ".join(dict.fromkeys(map(_rows, cases)))
    return f'<div class="rest">{_badge(cases[0].verdict)}<p><b>{labels}</b>: {escape(cases[0].why)} {rows}</p></div>'


def _labels(labels: list[str]) -> str:
    """All of them; where every workload stands with every rest, each of them once: `LSTM, Transformer · CPU; CUDA`."""
    split = [label.partition(" · ") for label in labels]
    firsts, rests = ({parts[place]: None for parts in split} for place in (0, 2))
    if all(rests) and len(firsts) * len(rests) == len(set(labels)):
        return f"{', '.join(firsts)} · {'; '.join(rests)}"
    return "; ".join(labels)


def three_kinds(here: Here) -> None:
    """The article's table, with numbers."""
    st.markdown(f"### {kinds.TITLE}")
    st.caption(kinds.CAPTION)
    table = kinds.table(here)
    if table.empty:
        st.info(kinds.NOTHING, icon=":material/info:")
        return
    st.table(table, hide_index=True, border="horizontal")
