"""The form of the page Training: what serves training, on which models, at which batch size."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from efficiency import techniques
from efficiency.analysis.wording import markdown_text
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.study import Study
from efficiency.ui import plan
from efficiency.ui.form import Form

FORM = Form(
    prefix="training",
    phase="training",
    presets={
        "quick": "minutes: three small models, a hundred steps or so",
        "article": "an hour or so: five models, hundreds of steps, all test data; with torch.compile",
        "full": "hours: five models, two batch sizes, every combination",
    },
    techniques=tuple(one for one in techniques.TECHNIQUES.values() if one.training is not None),
    usual_batch_sizes=(16, 32, 64, 128),
    batch_help="Examples a step.",
)


def show() -> Study | None:
    """The study that is asked for, or None where the form holds something that is none: said in place."""
    preset, names = FORM.preset(), FORM.workloads()
    techniques_at = st.container()  # the device, further down, decides what can be chosen
    one, two, three = st.columns([1, 2, 2])
    device, sizes, threads = FORM.device(one), FORM.batch_sizes(two), FORM.threads(three)
    with techniques_at:
        st.markdown("Techniques")
        chosen = []
        for column, technique in zip(st.columns(len(FORM.techniques), gap="small"), FORM.techniques, strict=True):
            with column, st.container(border=True, height="stretch", gap="xsmall"):
                chosen += FORM.toggled([technique], names, device)
        with st.expander("Not for training, and why", icon=":material/block:"):
            others = plan.for_inference_alone(this_machine())
            st.table(pd.DataFrame(others, columns=["Technique", "Why not"]), hide_index=True, border="horizontal")
        combinations = FORM.combinations()
    try:
        return plan.study_of(
            plan.Chosen(
                preset=preset,
                workloads=tuple(names),
                techniques=tuple(chosen),
                combinations=tuple(combinations),
                device=device,
                batch_sizes=tuple(sizes),
                threads=tuple(threads),
                phase="training",
            ),
            this_machine(),
        )
    except EfficiencyError as error:
        st.error(markdown_text(error), icon=":material/error:")
        return None
