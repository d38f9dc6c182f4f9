"""What takes down the findings of a study. The engine needs no more of a store than this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from efficiency.health import Health
from efficiency.study import Entry


class Recorder(Protocol):
    """Told by the conductor as things become known."""

    def settle(self, entry: Entry, status: str, reason: str) -> None:
        """A row ends without a measurement of its latency."""

    def probed(self, entry: Entry, probe: dict[str, Any], cold: dict[str, Any]) -> None:
        """A variant was prepared and read off."""

    def timed(self, entries: Sequence[Entry], replicate: int, taken: dict[str, Any], health: Health) -> None:
        """One replicate of these: what `replicate.run` sends, and what else the machine did meanwhile."""

    def disturbed(self, entries: Sequence[Entry]) -> bool:
        """Whether the machine was disturbed nearly all the time that these were timed."""

    def still_ns(self, entry: Entry) -> float | None:
        """The machine's pulse up to which it counts as undisturbed for this row; None where that is not known."""

    def precise(self, entries: Sequence[Entry], within: float) -> bool:
        """Whether each of these speed-ups is known to within this share of itself, as far as it was timed."""

    def close_heat(self, entries: list[Entry]) -> None:
        """A heat is timed as far as it goes for now: its rows are done. Told again where more was timed since."""

    def close_study(self) -> None:
        """All heats are over: differences are judged together, since some of many come about by luck."""
