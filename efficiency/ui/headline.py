"""Where the numbers are from, and the best finding of each workload."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import machine_words, notes, panels, views, wording
from efficiency.analysis.wording import markdown_text
from efficiency.machine import this_machine
from efficiency.results.store import Store

COMMAND = 90
"""Characters of a command that are shown; the rest is in its help."""
CARDS = 6
"""More best findings than this are in the table only."""


def where_from(store: Store, ids: list[str]) -> None:
    """For each study: machine, day, command, versions; what differs where it was not measured here."""
    for id in ids[:4]:
        study = store.study(id)
        differs = markdown_text(machine_words.elsewhere(study.machine, this_machine()))
        label = markdown_text(study.machine.get("label") or "an unknown machine")
        parts = [
            f"Recorded on **{label}**" + (f", {differs}" if differs else ""),
            markdown_text(f"{study.recorded_at[:16].replace('T', ' ')} UTC"),
            markdown_text(f"efficiency {study.version}, torch {study.torch_version}"),
        ]
        shortened = textwrap.shorten(study.command or "", COMMAND, placeholder=" …")
        if shortened:
            parts.append(markdown_text(shortened))
        if len(ids) > 1:
            parts.insert(0, f"**{markdown_text(study.name or id)}**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if study.example:
                st.badge("Example", icon=":material/science:", color="orange")
            if study.status not in ("done",):
                st.badge(study.status, color="blue" if study.status in ("queued", "running") else "gray")
            whole = markdown_text(study.command) if shortened != study.command else None
            st.caption(" · ".join(parts), width="content", help=whole)
        if study.status in ("failed", "interrupted") and study.message:
            st.warning(markdown_text(study.message), icon=":material/warning:")
    if len(ids) > 4:
        st.caption(f"… and {len(ids) - 4} more.")


def no_rows(store: Store, ids: list[str]) -> None:
    """Where a chart would be, for a study that has no rows yet."""
    if not ids:
        st.info("Choose a study above.", icon=":material/info:")
        return
    study = store.study(ids[0])
    waiting = study.status in ("queued", "running")
    st.info(
        "Nothing is measured yet; rows appear here as they are done." if waiting else
        f"This study is {study.status} and holds no rows. {markdown_text(study.message)}",
        icon=":material/hourglass_empty:" if waiting else ":material/info:",
    )  # fmt: skip


NOISE = "What the control, a second baseline, shows where nothing differs"
WIDE = 1.5
"""An interval whose ends lie further apart than this is told by its ends: ± half of it would say less than it holds."""


def cards(frame: pd.DataFrame) -> None:
    """A card a panel and study: the fastest variant that is surely faster and keeps its accuracy, or what there is."""
    best = panels.headlines(frame, CARDS)
    if best.empty:
        return
    several = frame["study_id"].nunique() > 1
    found = "".join(_card(row, several) for row in views.records(best))
    st.html(f'<div class="eff-cards">{found}</div>')


def _card(row: dict[str, Any], several: bool) -> str:
    where = escape(str(row["panel"])) + (f" · {escape(str(row['study_name']))}" if several else "")
    if row["found"] in panels.NAMELESS:
        return (
            f'<div class="eff-card"><div class="where">{where}</div><div class="big">Leave it as it is</div>'
            f'<div class="rest">Of {row["timed"]} tried, {panels.NAMELESS[row["found"]]}.</div></div>'
        )
    speed, _, margin = wording.speed(row).partition(" ± ")
    margin = f" <small>± {escape(margin)}</small>" if margin else ""
    if row["speedup_ci_high"] / row["speedup_ci_low"] > WIDE:
        margin = f" <small>({row['speedup_ci_low']:.1f}–{row['speedup_ci_high']:.1f}x)</small>"
    rest = ", ".join(filter(None, (wording.accuracy(row), wording.size(row))))
    unsure = '<div class="rest">Whether it keeps the accuracy is not settled.</div>'
    if row["faster_unsettled"]:
        rest += f". {row['faster_unsettled']}: whether it keeps the accuracy is not settled"
    noise = wording.plus_minus(row["noise_pct"])
    noise = f' <small title="{NOISE}">(noise {noise})</small>' if noise else ""
    return (
        f'<div class="eff-card"><div class="where">{where}</div>'
        f'<div class="big">{escape(speed)}{margin}{noise}</div>'
        f'<div class="what">{escape(str(row["variant_label"]))}</div><div class="rest">{escape(rest)}</div>'
        f"{unsure if row['found'] == 'unresolved' else ''}{_warned(str(row['warnings'] or ''))}</div>"
    )


def _warned(keys: str) -> str:
    """What a best finding is to be read with, in words; what each means shows when it is pointed at."""
    words = [
        f'<span title="{escape(notes.MEANINGS.get(key, ""))}">{escape(wording.warnings(key))}</span>'
        for key in filter(None, keys.split(";"))
    ]
    return f'<div class="warn">{", ".join(words)}</div>' if words else ""
