"""What a handoff of work between threads took on a machine, by the studies that the store keeps of it.

A host may leave a guest's cores far apart for minutes on end, longer than a study takes. By itself such a study finds
the machine undisturbed; those before it know better.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from efficiency.analysis import stillness
from efficiency.results.store import Store
from efficiency.results.tables import ROWS, STUDIES
from efficiency.study import BASELINE

KNOWN_FOR = timedelta(days=1)
"""A guest may be moved to another host for good, and what has become usual is no disturbance."""


def undisturbed_ns(store: Store, machine_key: str) -> dict[int, float]:
    """What a handoff between so many threads takes undisturbed: the least that a study of the last day found itself."""
    since = (datetime.now(UTC) - KNOWN_FOR).isoformat(timespec="seconds")
    query = (
        select(ROWS.c.threads, ROWS.c.details, STUDIES.c.machine)
        .join(STUDIES, ROWS.c.study_id == STUDIES.c.id)
        .where(STUDIES.c.recorded_at >= since, ROWS.c.variant == BASELINE, ROWS.c.device == "cpu")
    )
    found: dict[int, float] = {}
    with store.reading() as connection:
        for threads, details, machine in connection.execute(query):
            # Not by what each knew from those before it: that would never be forgotten.
            felt = stillness.felt_in(details)
            if machine.get("key") == machine_key and felt is not None and (least := stillness.undisturbed_ns(felt)) > 0:
                found[threads] = min(least, found.get(threads, least))
    return found
