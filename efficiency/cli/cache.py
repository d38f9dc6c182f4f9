"""`cache`: what earlier studies have prepared."""

from __future__ import annotations

from typing import Annotated

import typer

from efficiency import console
from efficiency.cli.app import Json, app


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it; later studies prepare anew.")] = False,
    json: Json = None,
) -> None:
    """What is kept of preparations, so that a second study spends its time on timing."""
    from efficiency.engine import prepared_cache

    limit_gb = prepared_cache.limit_bytes() / 1e9
    found = prepared_cache.clear() if clear else prepared_cache.held()
    if json:
        document = {"preparations": found.preparations, "size_mb": found.size_bytes / 1e6, "limit_gb": limit_gb}
        console.write_json(json, document | {"folder": str(prepared_cache.folder()), "cleared": clear})
        return
    held = f"{found.preparations} preparation{'' if found.preparations == 1 else 's'}, {found.size_bytes / 1e6:.1f} MB"
    if clear:
        console.say(f"Removed {held}.")
    else:
        console.say(f"{prepared_cache.folder()}: {held} of at most {limit_gb:g} GB (EFFICIENCY_CACHE_GB).")
