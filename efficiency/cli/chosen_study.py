"""The study that a command is about: by its id, by a beginning of it that no other has, or the latest."""

from __future__ import annotations

from efficiency.errors import BadRequest

LATEST = "latest"


def chosen(given: str) -> str:
    """The id of the study that is meant; as it was given where none is, which the command then refuses.

    `latest` is the newest; not one that only times again what another found, and the shipped example only where there
    is nothing else. Raises `BadRequest` where several begin as given.
    """
    from efficiency.results import documents

    known = documents.open_with_example().studies()
    ids = list(known["id"])
    if given in ids:
        return given
    if given == LATEST:
        asked = known[known["confirms"] == ""].sort_values("example", kind="stable")  # the newest come first
        return str(asked["id"].iloc[0]) if len(asked) else given
    begun = [id for id in ids if given and id.startswith(given)]
    if len(begun) > 1:
        raise BadRequest(f"{len(begun)} studies begin with '{given}', such as {begun[0]} and {begun[1]}: give more.")
    return begun[0] if begun else given
