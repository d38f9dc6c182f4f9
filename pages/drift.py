"""Drift: what happens to INT8 when the data shift after it was calibrated, and whether calibrating anew mends it."""

from efficiency.ui import data, drift_found, drift_panel, frame


def drift() -> None:
    """The workload and its data set, the button that measures it, and what was found."""
    store = data.store()
    workload = drift_panel.chosen(store)
    record = drift_panel.record(store, workload)
    drift_panel.control(store, workload, record)
    with frame.sentences():
        drift_found.show(record)


frame.show(drift)
