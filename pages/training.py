"""Training: plan a training study, follow it, and see what a step takes, what it holds, and where the steps lead."""

import streamlit as st

from efficiency.ui import data, following, frame, plan_preview, training_form, training_results


def training() -> None:
    """What runs first, then the form, then what is known."""
    store = data.store()
    with frame.sentences():
        following.show(store)
    st.markdown("## Plan a training study")
    st.markdown(
        "What mixed precision, memory layout and compiling do for a training step: forward, loss, backward and "
        "optimizer, against the same step in FP32. All variants start from the same weights and see the same batches."
    )
    study = training_form.show()
    plan_preview.show(store, study)
    with frame.sentences():
        training_results.show(store)


frame.show(training)
