"""Arrays that are costly to make and cheap to keep, under `EFFICIENCY_HOME/cache`."""

import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficiency import paths

Arrays = dict[str, NDArray[np.generic]]


def cached(name: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays kept under `name`, made and kept if they are not there or do not read.

    A cache that cannot be written (a full disk, a read-only folder) costs time, not the result.
    """
    path = paths.home() / "cache" / f"{name}.npz"
    try:
        return _read(path)
    except Exception:  # There is nothing that a damaged archive could not raise; zlib's own error is one.
        arrays = make()
        _keep(path, arrays)
        return arrays


def _read(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        # Read whole, since only that compares the checksums: np.load stops where the array ends.
        files = {Path(name).stem: io.BytesIO(archive.read(name)) for name in archive.namelist()}
    return {key: np.load(file, allow_pickle=False) for key, file in files.items()}


def _keep(path: Path, arrays: Arrays) -> None:
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed: another process never reads half a file.
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
