"""Studies that run or wait: what is being done, what is left, rows as they are done, cancel."""

from __future__ import annotations

import streamlit as st

from efficiency.analysis import plans, tables, views, wording
from efficiency.analysis.wording import markdown_text
from efficiency.engine import jobs
from efficiency.engine.progress import Progress
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.results.store import Store, StudyRecord
from efficiency.study import Study, expand
from efficiency.ui import asked, data, frame

EVERY_S = 1.5
ENDED = {
    "done": ("Done.", ":material/check_circle:"),
    "failed": ("It failed.", ":material/error:"),
    "cancelled": ("It was cancelled; what was measured is kept.", ":material/cancel:"),
    "interrupted": ("It was interrupted; what was measured is kept.", ":material/power_off:"),
}


def show(store: Store) -> None:
    """All live studies, and how the one in the address ended. A reload finds them again in the store."""
    live = [told.study_id for told in jobs.live(store)]
    found, unknown = asked.known(data.studies(store))
    asked.say_unknown(unknown)
    # Kept in the address, so that a reload after the end still shows the outcome.
    if live and not (found or unknown):
        st.query_params[asked.PARAMETER] = live[0]
    for id in found:
        if id not in live:
            _outcome(store, id)
    if live:
        st.fragment(_live, run_every=EVERY_S)(store, live)


def _live(store: Store, before: list[str]) -> None:
    """Runs again every moment; when one of the studies has ended, the whole page does, once."""
    with frame.sentences():
        now = jobs.live(store)
        if {told.study_id for told in now} != set(before):
            st.rerun(scope="app")
        waiting = [told.study_id for told in now if told.state == "queued"]
        for told in now:
            _one(store, told, waiting.index(told.study_id) if told.study_id in waiting else 0)


def _one(store: Store, told: Progress, before: int) -> None:
    """`before`: of those that wait, how many are served before this one."""
    record = store.study(told.study_id)
    with st.container(border=True, key=f"live-{told.study_id}"):
        text, action = st.columns([5, 1], vertical_alignment="center")
        text.markdown(f"#### {markdown_text(record.name or told.study_id)}")
        text.caption(markdown_text(_described(record, told.study_id)))
        with action:
            _cancel(store, told)
        if told.state == "queued":
            reason = wording.waiting(told.waiting_for, _name(store, told.waiting_for), before)
            st.info(markdown_text(reason), icon=":material/hourglass_empty:")
            return
        # By time: a heat's rows are done all at once, long after the first of them was begun.
        share = float(bool(told.total) and told.done == told.total)  # after all that was planned, nobody knows
        if told.left_s and told.elapsed_s:
            share = told.elapsed_s / (told.elapsed_s + told.left_s)
        st.progress(share, text=markdown_text(told.now) if told.now else "Starting")
        count, spent, left = st.columns(3)
        what, number = told.counted
        count.metric(f"Rows {what}", f"{number} of {told.total}")
        spent.metric("Elapsed", wording.duration(told.elapsed_s))
        left.metric("Left, about", "–" if told.left_s is None else wording.duration(told.left_s))
        rows = tables.live_rows(data.rows(store, [told.study_id]))
        if len(rows):
            st.dataframe(
                rows, hide_index=True, height=min(38 + 35 * len(rows), 300), placeholder="–",
                alt="Rows so far",
                column_config={
                    "Workload": st.column_config.TextColumn(width=120),
                    "Variant": st.column_config.TextColumn(width=210),
                    "Status": st.column_config.TextColumn(width=90),
                    "Against the baseline": st.column_config.TextColumn(width=310),
                },
            )  # fmt: skip


def _cancel(store: Store, told: Progress) -> None:
    """Asks once more, since a study is not taken up where it was left."""
    key = f"cancelling-{told.study_id}"
    cancelling = key in st.session_state
    with st.popover(
        "Cancelling …" if cancelling else "Cancel",
        icon=":material/stop_circle:",
        disabled=cancelling,
        width="stretch",
        key=f"ask-cancel-{told.study_id}",
    ):
        st.markdown(
            "It has not begun; nothing of it is measured yet."
            if told.state == "queued"
            else "It ends now; the rows that are done are kept."
        )
        if st.button(
            "End this study", type="primary", key=f"cancel-{told.study_id}", disabled=cancelling, width="stretch"
        ):
            jobs.cancel(store, told.study_id)
            st.session_state[key] = True


@st.cache_data(show_spinner=False, max_entries=100)
def _described(_record: StudyRecord, id: str) -> str:
    """What tells it from another of the same name; what it asks for stays, so it is made once."""
    parts = [id, f"submitted {_record.recorded_at[:16].replace('T', ' ')} UTC"]
    try:
        study = Study.from_dict(_record.asked)
        parts.append(", ".join(views.workload_label(name) for name in study.workloads))
        parts.append(f"{plans.to_measure(expand(study, this_machine()))} rows to measure")
    except EfficiencyError:  # a user's file that is gone, or what another version asked
        pass
    return " · ".join(parts)


def _name(store: Store, id: str | None) -> str:
    try:
        return store.study(id).name if id else ""
    except EfficiencyError:
        return ""


def _outcome(store: Store, id: str) -> None:
    told = jobs.progress(store, id)
    record = store.study(id)
    rows = data.rows(store, [id])
    sentence, icon = ENDED.get(told.state, (told.state, ":material/info:"))
    if told.state == "cancelled" and not views.anything_measured(rows):
        sentence, rows = "It was cancelled before anything was measured.", rows[:0]
    elif told.state == "cancelled" and not views.anything_timed(rows):
        sentence = "It was cancelled before anything was timed; what else was found out by then is kept."
    # What is kept of a failure or an interruption says more; of the others it says the same again.
    if told.state == "failed":
        sentence = f"{sentence} {markdown_text(record.message)}"
    if told.state == "interrupted":
        sentence = markdown_text(record.message) or sentence
    show = {"done": st.success, "failed": st.error}.get(told.state, st.warning)
    with st.container(border=True, key=f"ended-{id}"):
        show(f"**{markdown_text(record.name or id)}**: {sentence}", icon=icon)
        if len(rows):
            st.page_link(
                frame.page("explore"),
                label="See the results in Explore",
                icon=":material/scatter_plot:",
                query_params={"study": id},
            )
