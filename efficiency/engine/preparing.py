"""Preparations of one study: taken from the cache where it has them, kept there where it has not. No torch here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from efficiency.engine import prepared_cache, prepared_content
from efficiency.engine.child import Message
from efficiency.engine.orders import Orders
from efficiency.machine import Machine
from efficiency.study import Entry, Study
from efficiency.workloads.base import Workload


class Preparing:
    """A study that is `anew` takes nothing from the cache, and replaces what it has."""

    def __init__(self, study: Study, workloads: dict[str, Workload], orders: Orders, machine: Machine) -> None:
        self._study, self._workloads, self._orders = study, workloads, orders
        self._around = prepared_content.surroundings(machine)
        prepared_cache.limit_bytes()  # a limit that is no number is told before anything is measured

    def is_kept(self, entry: Entry, ready: Message) -> bool:
        """Whether `take` will find something."""
        return self._takes(entry) and prepared_cache.holds(self._key(entry, ready["content"]))

    def take(self, entry: Entry, ready: Message) -> Message | None:
        """What a probe found before, with what it left put into its place; None where it has to be asked."""
        if not self._takes(entry):
            return None
        key = self._key(entry, ready["content"])
        found = prepared_cache.take(key, self._places(entry))
        return None if found is None else found | {"prepared": _about(key, found["at"], from_cache=True)}

    def keep(self, entry: Entry, ready: Message, found: Message) -> Message:
        """The same, kept for later studies as it was found now."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        if entry.condition.phase != "inference":
            return found
        about = ready["content"]
        if found["weights"] != about["weights"]:  # the entry is the row's own: no later study asks for it
            about = about | {"loaded": found["weights"]}
        key = self._key(entry, about)
        kept = prepared_cache.keep(key, found | {"at": at, "reference": ready["content"]}, self._places(entry))
        return found | {"prepared": _about(key if kept else None, at, from_cache=False)}

    def _takes(self, entry: Entry) -> bool:
        return not self._study.anew and entry.condition.phase == "inference"

    def _key(self, entry: Entry, about: Message) -> str:
        asked = prepared_content.asked(self._study, self._workloads[entry.workload], entry, self._around)
        return prepared_cache.key_of(asked, about)

    def _places(self, entry: Entry) -> dict[str, Path]:
        """What the probe leaves; the baseline's logits, which all others are compared with, are the baseline's own."""
        asked = self._orders.variant(entry)
        left = ("learned", "artefact", "answers") if entry.variant.techniques else ("logits",)
        return {name: Path(asked[name]) for name in left}


def _about(key: str | None, at: str, *, from_cache: bool) -> dict[str, Any]:
    """For a row's details: the entry in the cache (None where none was kept), and when it was prepared."""
    return {"key": key, "at": at, "from_cache": from_cache}
