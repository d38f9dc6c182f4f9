"""Which rows of a plan an earlier study has prepared, as far as that can be told before a model is loaded. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from efficiency import workloads
from efficiency.engine import prepared_cache, prepared_content
from efficiency.machine import Machine
from efficiency.study import Entry, Study


def kept(study: Study, entries: Iterable[Entry], machine: Machine) -> frozenset[Entry]:
    """Those whose preparation will most likely be taken from the cache.

    A model that was trained anew since, or code of a user's own that changed, is noticed when the study runs
    (`Preparing.is_kept`): a plan says how long it takes, and may be wrong.
    """
    beginnings = prepared_cache.beginnings()
    if study.anew or study.phase != "inference" or not beginnings:
        return frozenset()
    around = prepared_content.surroundings(machine)
    return frozenset(
        entry
        for entry in entries
        if entry.why_not is None
        and not entry.variant.control
        and prepared_cache.beginning_of(_asked(study, entry, around)) in beginnings
    )


def _asked(study: Study, entry: Entry, around: Mapping[str, Any]) -> dict[str, Any]:
    return prepared_content.asked(study, workloads.describe(entry.workload), entry, around)
