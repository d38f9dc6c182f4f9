"""What this machine can do, measured once for all tests: it takes seconds, and new homes ask for it."""

from __future__ import annotations

import tempfile
from typing import Any

import once
import pytest

from efficiency import ceiling
from efficiency.ceiling import Ceiling
from efficiency.engine import ceilings, child
from efficiency.machine import this_machine


def known() -> None:
    """As if a study had been measured in this home before."""
    ceiling.keep(Ceiling.from_dict(once.made("ceiling", _measured)))


def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFICIENCY_HOME", home)
        found = ceilings.known_or_measured(this_machine())
        child.let_go()  # what is forked from this server would have this home
    assert found is not None
    return found.as_dict()
