"""One file from the network, checked and told of piece by piece."""

import hashlib
import http.client
import urllib.request
from collections.abc import Callable
from pathlib import Path

from efficiency.errors import DataUnavailable

PIECE = 1 << 18
"""Bytes after which the share done is told again."""
SILENCE_S = 30.0
"""Time after which a server that sends nothing is given up."""


def download(url: str, path: Path, md5: str, told: Callable[[float], None]) -> None:
    """Write the file to `path`, whole or not at all; `told` hears the share done. Raises `DataUnavailable`."""
    partial = path.with_name(f"{path.name}.part")
    digest, done = hashlib.md5(usedforsecurity=False), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=SILENCE_S) as response, partial.open("wb") as file:
            total = int(response.headers.get("Content-Length") or 0)
            while piece := response.read(PIECE):
                file.write(piece)
                digest.update(piece)
                done += len(piece)
                told(min(1.0, done / total) if total else 0.0)
        if digest.hexdigest() != md5:
            raise DataUnavailable(f"The download of {path.name} is damaged or has changed; try again later.")
        partial.replace(path)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataUnavailable(f"{url} could not be downloaded ({error or type(error).__name__}).") from error
    finally:
        partial.unlink(missing_ok=True)
