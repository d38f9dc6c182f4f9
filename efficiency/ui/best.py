"""A card for the best of each workload, which leads to the page Decide, where the same answer is asked for."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from efficiency import best
from efficiency.analysis import decision_words, limit_words, wording
from efficiency.analysis.wording import markdown_text
from efficiency.best import Best
from efficiency.machine import Machine
from efficiency.results.store import Store
from efficiency.study import BASELINE
from efficiency.ui import data, decide_limits, frame

ORIGINS = {"here": "", "elsewhere": "another machine or torch", "example": "shipped example"}
CARDS = 6
"""More workloads than this are on the page Decide only."""


# Hashed: the database and which machine it is.
@st.cache_resource(show_spinner=False, max_entries=2)
def _found(_store: Store, version: data.Version, machine_key: str) -> list[Best]:
    return best.of_each(_store, data.studies(_store), machine_key, lambda id: data.cases(_store, id))


def found(store: Store, machine: Machine) -> list[Best]:
    """The best of each workload; asked again once something is written."""
    return _found(store, data.version(store), machine.key)


def show(store: Store, machine: Machine) -> None:
    """The cards, and for the workload that gains most which kind of technique gives what."""
    st.markdown("### The best of each family")
    shown = found(store, machine)
    if not shown:
        st.info(
            "Nothing to ship yet: the button above measures three models on this machine, in some minutes.",
            icon=":material/info:",
        )
        return
    differ = _in_common(shown) is None
    cards = "".join(_card(one, _condition(one) if differ else "") for one in shown[:CARDS])
    st.html(f'<div class="eff-cards eff-best">{cards}</div>')
    told = [_limits(shown), *map(_rivals, filter(lambda one: one.rivals, shown[:CARDS]))]
    if len(shown) > CARDS:
        told.append(f"The page Decide has {len(shown) - CARDS} more.")
    if all(one.origin != "here" for one in shown):
        told.append("Nothing of this was measured on this machine; the button above does that.")
    by_kind = "" if (top := best.leading(shown)) is None else _by_kind(top)
    st.caption("  \n".join(filter(None, (by_kind, " ".join(told)))))


def _limits(shown: list[Best]) -> str:
    asked = list(dict.fromkeys(limit_words.asked(one.limits) for one in shown))
    what = f"with {markdown_text(asked[0])}" if len(asked) == 1 else "within the loss that its study tolerates"
    where = "" if (alike := _in_common(shown)) is None else f" on {markdown_text(alike)},"
    return f"The fastest{where} {what}, surely or probably; a card opens its study in Decide."


def _condition(one: Best) -> str:
    return str(one.case.first.rows["condition"].iloc[0])


def _in_common(shown: list[Best]) -> str | None:
    """The condition, where it is one for all; None where each card has to say its own."""
    found = set(map(_condition, shown))
    return found.pop() if len(found) == 1 else None


def _rivals(one: Best) -> str:
    """Which study speaks where others tried as much, but other techniques."""
    rows = one.case.first.rows
    label, study = (markdown_text(str(rows[name].iloc[0])) for name in ("workload_label", "study_name"))
    others = f"{one.rivals} other stud{'y' if one.rivals == 1 else 'ies'}"
    return f"{label}: of “{study}”, which gains most; {others} tried as many techniques, but not the same."


def address(one: Best) -> dict[str, str]:
    """What the page Decide is asked, so that it gives this answer."""
    limit = one.limits.accuracy_drop_pp
    limits = {} if limit is None else {decide_limits.PARAMETERS["accuracy_drop_pp"]: f"{limit:g}"}
    return {"study": one.study_id, "case": one.case.title, **limits}


def _card(one: Best, condition: str) -> str:
    answer = one.answer.last
    name = str(one.case.first.rows["workload_label"].iloc[0])
    where = escape(name if name == one.family else f"{one.family} · {name}")
    if origin := ORIGINS[one.origin]:
        where += f' <span class="tag">{origin}</span>'
    where += f"<br>{escape(condition)}" if condition else ""
    row = answer.winner
    if row is None or row["variant"] == BASELINE:
        body = f'<div class="rest">{escape(decision_words.sentence(one.answer))}</div>'
        big = decision_words.verdict(one.answer)
    else:
        big = wording.number(row["speedup"], "x")
        ends = wording.interval(row["speedup_ci_low"], row["speedup_ci_high"], "x")
        rest = ", ".join(filter(None, (wording.accuracy(row), wording.size(row))))
        body = (
            f'<div class="what">{escape(str(row["variant_label"]))}</div><div class="rest">{escape(rest)}</div>'
            f'<div class="rest">{escape(decision_words.verdict(one.answer))}</div>'
        )
        return _link(one, where, f"{escape(big)} <small>95 %: {escape(ends)}</small>" if ends else escape(big), body)
    return _link(one, where, escape(big), body)


def _link(one: Best, where: str, big: str, body: str) -> str:
    page = frame.page("decide").url_path
    return (
        f'<a class="eff-card" href="./{page}?{escape(urlencode(address(one)))}" target="_self">'
        f'<div class="where">{where}</div><div class="big">{big}</div>{body}</a>'
    )


def _by_kind(one: Best) -> str:
    """`Small CNN gains most, by kind of technique: quantization 2.9x (QAT INT8); layout, nothing faster.`"""
    told = [
        f"{kind} {wording.number(row['speedup'], 'x')} ({row['variant_label']})" if row else f"{kind}, nothing faster"
        for kind, row in best.by_kind(one).items()
    ]
    name = one.case.first.rows["workload_label"].iloc[0]
    return markdown_text(f"{name} gains most, by kind of technique: {'; '.join(told)}.") if told else ""
