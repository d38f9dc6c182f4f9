"""`machine`: what this machine is and can do."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from efficiency import console
from efficiency.analysis import machine_words, tables
from efficiency.cli.app import Json, app
from efficiency.errors import EfficiencyError
from efficiency.machine import memory_free_mb, this_machine


@app.command()
def machine(
    json: Json = None,
    ceiling: Annotated[bool, typer.Option(help="Measure what the hardware can do; some seconds.")] = True,
) -> None:
    """What this machine is: processor, cores it may use, memory, GPU; and what it can do at most, measured now."""
    from efficiency.engine import ceilings

    here = this_machine()
    facts = here.as_dict() | {"memory_free_mb": memory_free_mb()}
    console.writable("--json", json)
    if not json:
        shown = {name: ", ".join(v) if isinstance(v, tuple) else v for name, v in facts.items()}
        console.table("This machine", ("", ""), shown.items())
    found, refused = None, False
    if ceiling:
        try:
            found = ceilings.measure_alone(here)
        except EfficiencyError as error:  # the facts stand, and so does what was measured before
            console.note(str(error))
            refused = True
            found = ceilings.known(here.key)
    if json:
        console.write_json(json, facts | {"ceiling": found.as_dict() if found else None})
    elif found:
        console.table("What it can do", *tables.ceiling(found))
        if doubt := machine_words.doubted(found, here):
            console.say(doubt)
    if refused:
        sys.exit(1)
