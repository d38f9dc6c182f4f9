"""Machine: what it is, what it can do at most, and whether it is quiet enough to measure."""

from efficiency.machine import this_machine
from efficiency.ui import ceiling_panel, data, frame, machine_card, quiet


def machine() -> None:
    """The card, whether it is a good moment, and the peaks."""
    store, here = data.store(), this_machine()
    machine_card.show(here)
    quiet.show(store)
    with frame.sentences():
        ceiling_panel.show(store, here)


frame.show(machine)
