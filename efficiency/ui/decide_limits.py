"""The sliders of the page Decide: a limit each, over the range of the data, at its right end off; in the address.

What must be kept to is the user's, whatever study is shown: a visit remembers it for when the page is come back to.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import streamlit as st

from efficiency.analysis import limits, speed
from efficiency.analysis.limits import KINDS, Limits, Percentile
from efficiency.analysis.wording import exact, markdown_text
from efficiency.ui import asked

PARAMETERS = {
    "accuracy_drop_pp": "accuracy",
    "latency_ms": "latency",
    "size_mb": "size",
    "memory_mb": "memory",
    "prepare_s": "prepare",
}
"""What a limit is called in the address."""
LABELS = {
    "accuracy_drop_pp": "Accuracy that may be lost",
    "latency_ms": "Latency of a call",
    "size_mb": "Size",
    "memory_mb": "Peak memory",
    "prepare_s": "Preparation",
}
DROPS_PP = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 50.0)
REMEMBERED = (*PARAMETERS.values(), "percentile", "sure", "price")
"""Of the address; not the study, since a newer one may have been measured meanwhile."""
KEPT = "limits-kept"
REFUSED = "limit-refused"
"""The parameter of which no limit was typed just now, and what was typed."""
STOPS = 40
OFF = math.inf


def recall() -> None:
    """Puts into the address what the page was last left with, unless it says something itself."""
    if not any(name in st.query_params for name in REMEMBERED):
        st.query_params.update(st.session_state.get(KEPT, {}))


def remember() -> None:
    """What the address says now."""
    st.session_state[KEPT] = {name: st.query_params[name] for name in REMEMBERED if name in st.query_params}


def choose(rows: pd.DataFrame, again: pd.DataFrame) -> Limits:
    """The limits; a kind of which no row knows its figure has no slider.

    `again` are the rows of confirmations: what the study itself does not know, they may.
    """
    asked.say_unlisted("the latency", "percentile", get_args(Percentile))
    chosen = st.segmented_control(
        "Latency is", get_args(Percentile), default="p50", required=True, key="percentile", bind="query-params"
    )
    percentile: Percentile = "p99" if chosen == "p99" else "p50"
    sliders = st.container()
    sure = st.toggle(
        "Only what is sure",
        key="sure",
        bind="query-params",
        help="Off: a limit counts as kept where that is so in four of five such studies. On: only where the 95 % "
        "interval says so. What is not sure is said beside the answer, either way.",
    )
    found: dict[str, float | None] = {}
    of = Limits(percentile=percentile, sure=sure)
    ranges = limits.ranges(again, of) | limits.ranges(rows, of)
    with sliders:
        for name, label in LABELS.items():
            found[name] = _slider(name, label, *ranges[name]) if name in ranges else _unknown(name, percentile)
    with st.expander("Type a limit", icon=":material/edit:"):
        for name in LABELS:
            if name in ranges or name == "latency_ms":  # a p99 that is not known may be found by timing again
                _typed(name, found[name])
    return Limits(**found, percentile=percentile, sure=sure)


def price() -> float | None:
    """What the machine costs an hour, in any money; None where it is not given."""
    return st.number_input(
        "Price of the machine an hour",
        min_value=0.0,
        value=None,
        key="price",
        bind="query-params",
        placeholder="none",
        help="Adds what a million calls cost: one process, one call after the other.",
    )


def _slider(name: str, label: str, least: float, most: float) -> float | None:
    parameter, unit = PARAMETERS[name], KINDS[name].unit
    key = f"limit-{parameter}"
    text = st.query_params.get(parameter, "")
    given = _number(name, text)
    if text and given is None:
        st.caption(f"The address asks for {markdown_text(text[:40])} here, which is no limit.")
    stops = sorted({*_stops(name, least, most), *([] if given is None else [given]), OFF})
    st.session_state[key] = OFF if given is None else given
    chosen: float = st.select_slider(
        label,
        stops,
        format_func=lambda stop: "any" if stop == OFF else f"≤ {exact(stop)} {unit}",
        key=key,
        on_change=_keep,
        args=(key, parameter),
    )
    return None if chosen == OFF else chosen


def _typed(name: str, chosen: float | None) -> None:
    """The same limit as a number: a slider has no more than some stops."""
    parameter, unit = PARAMETERS[name], KINDS[name].unit
    key = f"typed-{parameter}"
    st.session_state[key] = chosen
    st.number_input(
        f"{LABELS[name]} [{unit}]",
        value=None,  # else the field cannot be emptied
        format="%g",
        placeholder="any",
        key=key,
        on_change=_keep_typed,
        args=(key, name),
    )
    refused, typed = st.session_state.get(REFUSED, ("", 0.0))
    if refused == parameter:
        del st.session_state[REFUSED]
        most = f" and at most {limits.MOST_ACCURACY_DROP_PP:g}" if name == "accuracy_drop_pp" else ""
        st.caption(f"{exact(typed)} is no limit: choose more than 0{most}, or leave the field empty for any.")


def _unknown(name: str, percentile: Percentile) -> float | None:
    """A limit in the address on what no row has a figure of: it holds, and can be dropped."""
    parameter, kind = PARAMETERS[name], limits.kind_of(name, Limits(percentile=percentile))
    given = _number(name, st.query_params.get(parameter, ""))
    why = f": {speed.P99_TAKES}" if kind.column == "latency_ms_p99" else ""
    if given is None:
        if why:
            st.caption(
                f"No row here has a p99{why}. To have it found, type a limit below, then time again what may lead."
            )
        return None
    st.caption(
        f"No row here has a figure of {kind.title.lower()}, so none can be held against "
        f"{exact(given)} {kind.unit}{why}."
    )
    st.button("Drop this limit", key=f"drop-{parameter}", on_click=_put, args=(parameter, None))
    return given


def _keep(key: str, parameter: str) -> None:
    _put(parameter, st.session_state[key])


def _keep_typed(key: str, name: str) -> None:
    """What is no limit is refused and what held before stays; nothing at all lets the limit go."""
    typed, parameter = st.session_state[key], PARAMETERS[name]
    if typed is not None and _number(name, str(typed)) is None:
        st.session_state[REFUSED] = parameter, typed
    else:
        _put(parameter, typed)


def _put(parameter: str, limit: float | None) -> None:
    """Into the address; remembered at once, or `recall` would bring back the last limit that was let go."""
    if limit is None or limit == OFF:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = f"{limit:.12g}"
    remember()


def _number(name: str, text: str) -> float | None:
    """What the address says, where it is a limit."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if not limits.problems(replace(Limits(), **{name: value})) else None  # type: ignore[arg-type]


def _stops(name: str, least: float, most: float) -> list[float]:
    """From the least that any row costs to the most, evenly by proportion, in three figures; each holds its row."""
    if name == "accuracy_drop_pp":
        return [stop for stop in DROPS_PP if stop <= max(2.0, 2 * most)]
    if most <= 0:
        return []
    return [_up(float(stop)) for stop in np.geomspace(max(least, most / 1000), most, STOPS)]


def _up(value: float) -> float:
    """The next number of three figures that is no smaller."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.3g}")
