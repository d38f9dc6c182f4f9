"""The list of studies and what can be done with the chosen ones."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Any

import pandas as pd
import streamlit as st

from efficiency.analysis import tables
from efficiency.analysis.wording import markdown_text
from efficiency.engine import jobs
from efficiency.errors import EfficiencyError
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.results.values import LONGEST_NAME
from efficiency.ui import asked, data, frame, hero, narrow_list, reports
from efficiency.ui.narrow_list import Line

GOING_ON = "It is measured now or waits for its turn; cancel it on the page Run first."
"""Characters of a name."""


def show(store: Store, studies: pd.DataFrame) -> None:
    """The table; choosing a line opens what can be done with it below."""
    if message := st.session_state.pop("history-error", None):
        st.error(message, icon=":material/error:")
    if studies.empty:
        hero.nothing_yet()
        return
    st.caption(
        "Choose one to rename, export or delete it. To compare two, open Compare, or choose "
        "both in the table of a wide screen."
    )
    ids = [str(id) for id in studies["id"]]
    chosen, _ = asked.known(studies)
    # The table knows places, and a study that arrives shifts them: with other studies it is another table.
    key = f"table-history-{sha256(' '.join(ids).encode()).hexdigest()[:12]}"
    places = [place for place, id in enumerate(ids) if id in chosen]
    st.dataframe(
        tables.history(studies),
        key=key,
        hide_index=True,
        on_select=lambda: _choose(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": places}} if places else None,
        height=min(38 + 35 * len(studies), 480),
        lazy=False,
        alt="All studies, newest first",
        column_config={
            "Name": st.column_config.TextColumn(width=220),
            "Recorded (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Machine": st.column_config.TextColumn(width=280),
            "Rows": st.column_config.NumberColumn(help="Rows that were measured"),
        },
    )
    narrow_list.show(studies, lambda study: _line(study, chosen))
    if len(places) == 1:
        _one(store, studies.iloc[places[0]])
    elif len(places) > 1:
        several = [ids[place] for place in places]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.page_link(
                frame.page("explore"),
                label=f"Compare these {len(several)} in Explore",
                icon=":material/scatter_plot:",
                query_params={"study": several},
            )
            if len(several) == 2:  # the list has the newest first
                st.page_link(
                    frame.page("compare"), label="Which variant moved?", icon=":material/compare_arrows:",
                    query_params={"a": several[1], "b": several[0]},
                )  # fmt: skip
            st.download_button(
                "CSV of all", lambda: documents.to_csv(store, several), "studies.csv", "text/csv", on_click="ignore",
                icon=":material/download:", key="export-all",
            )  # fmt: skip


def _line(study: dict[str, Any], chosen: list[str]) -> Line:
    """The same for a narrow screen: a link, which chooses the study."""
    when = f"{study['recorded_at'][:16].replace('T', ' ')} UTC"
    return Line(
        {asked.PARAMETER: study["id"]},
        study["name"] or study["id"],
        " · ".join(
            filter(None, (when, study["status"], f"{study['rows']} row{'s' * (study['rows'] != 1)}", study["preset"]))
        ),
        study["workloads"],
        "✓" if study["id"] in chosen else "",
    )


def _choose(key: str, ids: list[str]) -> None:
    """Keeps what was chosen as ids, in the address."""
    chosen = [ids[place] for place in st.session_state[key].selection.rows]
    if chosen:
        st.query_params[asked.PARAMETER] = chosen
    else:
        st.query_params.pop(asked.PARAMETER, None)


def _one(store: Store, study: pd.Series) -> None:
    id = str(study["id"])
    with st.container(border=True):
        st.markdown(f"#### {markdown_text(study['name'] or id)}")
        st.caption(" · ".join(markdown_text(text) for text in (id, study["machine"], study["message"]) if text))
        with st.form(f"rename-{id}", border=False):
            text, button = st.columns([4, 1], vertical_alignment="bottom")
            name = text.text_input(
                "Name", study["name"], max_chars=LONGEST_NAME, help=f"1 to {LONGEST_NAME} characters, not spaces alone."
            )
            asked_for = button.form_submit_button("Rename", icon=":material/edit:", width="stretch")
        if asked_for and name.strip():
            store.rename(id, name)
            st.toast(f"Renamed to “{markdown_text(name.strip())}”.", icon=":material/edit:")
            st.rerun()
        elif asked_for:
            st.warning("A name needs a character that is no space; this one stays as it was.", icon=":material/edit:")
        going_on = _going_on(store, id)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                frame.page("explore"), label="Open in Explore", icon=":material/scatter_plot:",
                query_params={"study": id},
            )  # fmt: skip
            st.download_button(
                "CSV", lambda: documents.to_csv(store, [id]), data.file_name(id, "csv"), "text/csv", on_click="ignore",
                icon=":material/download:", key=f"csv-{id}",
            )  # fmt: skip
            st.download_button(
                "JSON", partial(data.json_text, store, id), data.file_name(id, "json"),
                "application/json", on_click="ignore", icon=":material/data_object:", key=f"json-{id}",
            )  # fmt: skip
            reports.downloads(store, id)
            if st.button("Delete", icon=":material/delete:", key=f"delete-{id}", disabled=bool(going_on)):
                _confirm(store, id, str(study["name"]), int(study["rows"]), confirms=bool(study["confirms"]))
        if going_on:
            st.caption(f"Delete: {going_on}")


def _going_on(store: Store, id: str) -> str:
    """Why it cannot be deleted now; empty where it can."""
    live = {told.study_id for told in jobs.live(store)}
    if id in live:
        return GOING_ON
    studies = data.studies(store)
    again = studies[(studies["confirms"] == id) & studies["id"].isin(live)]
    return (
        ""
        if again.empty
        else f"What leads in it is being timed again ({again['id'].iloc[0]}); wait for that, or cancel it."
    )


@st.dialog("Delete this study?", icon=":material/delete_forever:")
def _confirm(store: Store, id: str, name: str, rows: int, *, confirms: bool) -> None:
    st.markdown(
        f"**{markdown_text(name or id)}** with {rows} measured row{'s' * (rows != 1)} and all raw samples. "
        "This cannot be undone."
    )
    if confirms:
        st.markdown(
            "It confirms what another study has in the lead: without it, and where no other confirmation timed that, "
            "Decide says “not confirmed yet” again."
        )
    st.caption("Export it as JSON first if you may want it back.")
    keep, delete = st.columns(2)
    if keep.button("Keep it", width="stretch", key="delete-no"):
        st.rerun()
    # A callback, so that it is done before the page is drawn again.
    if delete.button(
        "Delete for good", type="primary", width="stretch", key="delete-yes", on_click=_delete, args=(store, id)
    ):
        st.rerun()


def _delete(store: Store, id: str) -> None:
    try:
        if going_on := _going_on(store, id):
            st.session_state["history-error"] = going_on
            return
        store.delete(id)
        jobs.forget(id)
        if id in asked.in_address():
            st.query_params.pop(asked.PARAMETER, None)
    except EfficiencyError as error:
        st.session_state["history-error"] = markdown_text(error)
