"""Where the numbers are from, and the best finding of each workload."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import views, wording
from efficiency.machine import this_machine
from efficiency.results.store import Store, StudyRecord

CARDS = 6
"""More best findings than this are in the table only."""


def where_from(store: Store, ids: list[str]) -> None:
    """For each study: machine, day, command, versions; whether it was measured here."""
    for id in ids[:4]:
        study = store.study(id)
        here = study.machine.get("key") == this_machine().key
        parts = [
            f"Recorded on **{_machine(study)}**" + ("" if here else ", not on this machine"),
            f"{study.recorded_at[:16].replace('T', ' ')} UTC",
            f"efficiency {study.version}, torch {study.torch_version}",
        ]
        if study.command:
            parts.append(f"`{study.command}`")
        if len(ids) > 1:
            parts.insert(0, f"**{study.name}**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if study.example:
                st.badge("Example", icon=":material/science:", color="orange")
            if study.status not in ("done",):
                st.badge(study.status, color="blue" if study.status in ("queued", "running") else "gray")
            st.caption(" · ".join(parts), width="content")
        if study.status in ("failed", "interrupted") and study.message:
            st.warning(study.message, icon=":material/warning:")
    if len(ids) > 4:
        st.caption(f"… and {len(ids) - 4} more.")


def _machine(study: StudyRecord) -> str:
    return str(study.machine.get("label") or "an unknown machine")


def no_rows(store: Store, ids: list[str]) -> None:
    """Where a chart would be, for a study that has no rows yet."""
    if not ids:
        st.info("Choose a study above.", icon=":material/info:")
        return
    study = store.study(ids[0])
    waiting = study.status in ("queued", "running")
    st.info(
        "Nothing is measured yet; rows appear here as they are done." if waiting else
        f"This study is {study.status} and holds no rows. {study.message}",
        icon=":material/hourglass_empty:" if waiting else ":material/info:",
    )  # fmt: skip


def cards(frame: pd.DataFrame) -> None:
    """A card a workload: the fastest variant that is surely faster and keeps its accuracy."""
    best = views.headlines(frame)
    if best.empty:
        return
    several = frame["study_id"].nunique() > 1
    found = "".join(_card(row, several) for row in views.records(best.head(CARDS)))
    st.html(f'<div class="eff-cards">{found}</div>')


def _card(row: dict[str, Any], several: bool) -> str:
    where = escape(str(row["panel"]))
    if not row["variant"]:
        return (
            f'<div class="eff-card"><div class="where">{where}</div><div class="big">Leave it as it is</div>'
            '<div class="rest">No variant is surely faster and keeps the accuracy.</div></div>'
        )
    speed, _, margin = wording.speed(row).partition(" ± ")
    rest = ", ".join(filter(None, (wording.accuracy(row), wording.size(row))))
    where += f" · {escape(str(row['study_name']))}" if several else ""
    return (
        f'<div class="eff-card"><div class="where">{where}</div>'
        f'<div class="big">{escape(speed)} <small>± {escape(margin)}</small></div>'
        f'<div class="what">{escape(str(row["variant_label"]))}</div><div class="rest">{escape(rest)}</div></div>'
    )
