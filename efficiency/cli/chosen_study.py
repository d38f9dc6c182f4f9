"""The study that a command is about: by its id, by a beginning of it that no other has, or the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from efficiency import console
from efficiency.errors import BadRequest

if TYPE_CHECKING:
    import pandas as pd

LATEST = "latest"


def chosen(given: str) -> str:
    """The id of the study that is meant; as it was given where none is, which the command then refuses.

    `latest` is the newest that holds results, if one does; not one that only times again what another found, and the
    shipped example only where there is nothing else. Raises `BadRequest` where several begin as given.
    """
    from efficiency.engine import jobs
    from efficiency.results import documents

    store = documents.open_with_example()
    jobs.settle(store)
    known = store.studies()
    ids = list(known["id"])
    if given in ids:
        return given
    if given == LATEST:
        return _latest(known) or given
    begun = [id for id in ids if given and id.startswith(given)]
    if len(begun) > 1:
        raise BadRequest(f"{len(begun)} studies begin with '{given}', such as {begun[0]} and {begun[1]}: give more.")
    return begun[0] if begun else given


def _latest(known: pd.DataFrame) -> str:
    """Of all studies, which come newest first; what is newer and passed over is said."""
    own = known[(known["confirms"] == "") & ~known["example"].astype(bool)]
    found = next((some for some in (own[own["rows"] > 0], own, known) if len(some)), known)
    if found.empty:
        return ""
    id = str(found["id"].iloc[0])
    newer = list(own["id"]).index(id) if id in set(own["id"]) else 0
    if newer:
        passed = ", ".join(f"{one.id} ({one.status})" for one in own.head(newer).itertuples())
        console.note(f"The latest with results is {id}; without any: {passed}.")
    if found["status"].iloc[0] in ("queued", "running"):
        console.note(f"{id} is still being measured: what follows is what is known so far.")
    return id
