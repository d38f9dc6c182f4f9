"""What more test rows may settle on the page Decide: a link that plans it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import workloads
from efficiency.analysis import limits as limits_module
from efficiency.analysis import wording
from efficiency.analysis.choice import OPEN, Choice, Row
from efficiency.analysis.wording import markdown_text
from efficiency.condition import Condition, of_row
from efficiency.errors import BadRequest
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE, Study
from efficiency.ui import frame, plan_link


def offer(study: StudyRecord, found: Choice) -> None:
    """Nothing where the study answered all test rows, or where nothing faster is open for want of them."""
    open_ = unsettled(found)
    if not open_ or not _plain(study, open_[0]):
        return
    first, page = open_[0], frame.page("run")
    lead = [row for row in (found.winner,) if row is not None and row["variant"] != BASELINE]
    asks = plan_link.address(
        str(first["workload"]),
        str(first["dataset"]),
        [str(row["variant"]) for row in (*lead, *open_)],
        int(first["batch_size"]),
        int(first["threads"]),
    )
    st.page_link(
        page,
        label=f"Plan {markdown_text(wording.listed([row['variant_label'] for row in open_]))} with all test rows",
        icon=page.icon,
        query_params=asks,
        help="The more rows are answered, the surer it is how much accuracy is lost.",
    )


def unsettled(found: Choice) -> list[Row]:
    """What may be faster and is open in its accuracy, which a part of the test rows was answered for."""
    if not found.unsettled or found.limits.accuracy_drop_pp is None:
        return []
    state = limits_module.states(pd.DataFrame(found.unsettled), found.limits)["accuracy_drop_pp"]
    return [
        row
        for row, word in zip(found.unsettled, state, strict=True)
        if word in OPEN and "test-subset" in str(row["warnings"]).split(";")
    ]


def _plain(study: StudyRecord, row: Row) -> bool:
    """Whether the form can be filled with it by a link: a workload that is built in, as it has its rows."""
    if row["workload"] not in workloads.WORKLOADS:
        return False
    try:
        condition = of_row(Study.from_dict(study.asked).conditions, row)
    except BadRequest:  # what another version asked
        return False
    return condition == Condition(batch_size=int(row["batch_size"]), threads=int(row["threads"]))
