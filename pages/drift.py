"""Drift: what happens to INT8 when the data shift after it was calibrated, and whether calibrating anew mends it."""

from efficiency.ui import data, drift_panel, frame


def drift() -> None:
    """The workload, the button that measures it, and what was found."""
    store = data.store()
    workload = drift_panel.chosen()
    drift_panel.control(store, workload)
    with frame.sentences():
        drift_panel.found(store, workload)


frame.show(drift)
