"""What probes made and found, kept by the content it follows from, so that a second study spends its time on timing.

An entry is a folder, `EFFICIENCY_HOME/prepared/<key>`: what a probe answered (`answer.json`), the files it left, and a
checksum of each (`checksums.json`). It is written aside and renamed, so that it is whole or not there, and never
changed after; one that does not match its checksums is removed and made anew. Nothing here reads a pickle. A key may
come from an imported document: one that no entry can have is refused before it is joined to a path.
Beyond `EFFICIENCY_CACHE_GB` (4 unless told; 0 keeps nothing) those go that were not used for longest. No torch here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficiency import paths
from efficiency.errors import BadRequest

FORMAT = 2
LIMIT_GB = 4.0
BEGINNING = 12
"""Digits of a key that follow from what was asked alone, which a plan knows before the model is loaded."""
ANSWER, CHECKSUMS = "answer.json", "checksums.json"
LEFT_OVER_S = 3600.0
"""Age from which what is being written or removed was left by a process that has died."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """What the cache holds."""

    preparations: int
    size_bytes: int


def folder() -> Path:
    """Where entries lie."""
    return paths.home() / "prepared"


def limit_bytes() -> float:
    """What entries may take together; raises `BadRequest` where the environment names no number."""
    asked = os.environ.get("EFFICIENCY_CACHE_GB") or str(LIMIT_GB)
    try:
        limit_gb = float(asked)
    except ValueError:
        limit_gb = -1.0
    if not limit_gb >= 0:
        raise BadRequest(f"EFFICIENCY_CACHE_GB: choose a number of gigabytes, 0 to keep nothing, not '{asked}'.")
    return 1e9 * limit_gb


def key_of(asked: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """The name of the entry that follows from what was asked and what it was asked of, both plain JSON."""
    return beginning_of(asked) + _digest(asked, reference)[BEGINNING:]


def beginning_of(asked: Mapping[str, Any]) -> str:
    """How the names of all entries begin that follow from what was asked, whatever it was asked of."""
    return _digest(asked)[:BEGINNING]


def beginnings() -> set[str]:
    """Of all entries that there are, sound or not."""
    return {entry.name[:BEGINNING] for entry in folder().glob("[!.]*")}


def _digest(*content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([FORMAT, *content], sort_keys=True).encode()).hexdigest()[:32]


def is_key(text: object) -> bool:
    """Whether an entry can have this name."""
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{32}", text) is not None


def _entry(key: str) -> Path:
    if not is_key(key):
        raise ValueError(f"{key!r} is not the key of a preparation.")
    return folder() / key


def holds(key: str) -> bool:
    """Whether there is such an entry, sound or not."""
    return (_entry(key) / CHECKSUMS).is_file()


def read(key: str) -> tuple[Answer, Path] | None:
    """What the probe answered and the folder of what it left; None where there is no entry, or no sound one."""
    entry = _entry(key)
    if not entry.is_dir():
        return None
    try:
        answer = _sound(entry)
    except (OSError, ValueError, TypeError, AttributeError):
        _remove(entry)
        return None
    with suppress(OSError):  # another process may be removing it
        os.utime(entry)
    return answer, entry


def take(key: str, places: Mapping[str, Path]) -> Answer | None:
    """What the probe answered, with what it left put into `places` by name; None where it has to be made anew."""
    found = read(key)
    if found is None:
        return None
    answer, entry = found
    try:
        kept = [Path(file) for file in json.loads((entry / CHECKSUMS).read_text())]
        for name, place in places.items():
            wanted = {file.relative_to(name) for file in kept if file.parts[0] == name}
            if not wanted:
                continue
            _put(entry / name, place)
            if wanted != {file.relative_to(place) for file in _files(place)}:
                raise FileNotFoundError(entry / name)
    except OSError:  # removed by another process meanwhile
        for place in places.values():
            shutil.rmtree(place, ignore_errors=True)  # half an artefact; a file is put whole
        return None
    return answer


def keep(key: str, answer: Answer, places: Mapping[str, Path]) -> bool:
    """Keep an answer, and what of these files and folders is there; False where the disk does not take it."""
    entry = _entry(key)
    aside: Path | None = None
    try:
        folder().mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder()))
        for name, place in places.items():
            if place.exists():
                _put(place, aside / name)
        (aside / ANSWER).write_text(json.dumps(answer))
        sums = {str(file.relative_to(aside)): _checksum(file) for file in _files(aside)}
        (aside / CHECKSUMS).write_text(json.dumps(sums))
        for file in _files(aside):
            file.chmod(0o444)  # studies have links to it, and none may change it
        if entry.exists():
            _remove(entry)
        aside.rename(entry)
    except OSError:  # a full disk, or another process that was quicker
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    _trim()
    return holds(key)


def held() -> Held:
    """How many preparations there are, and what they take on the disk."""
    entries = [entry for _, entry in _entries()]
    return Held(len(entries), sum(_sizes(entries).values()))


def clear() -> Held:
    """Remove all; what of it is gone. A study that runs keeps what it took."""
    before = held()
    for _, entry in _entries():
        _remove(entry)
    _trim()
    left = held()
    return Held(before.preparations - left.preparations, before.size_bytes - left.size_bytes)


def _sound(entry: Path) -> Answer:
    """The answer of an entry that is whole; raises where it is not."""
    sums = json.loads((entry / CHECKSUMS).read_text())
    found = {str(file.relative_to(entry)): _checksum(file) for file in _files(entry) if file.name != CHECKSUMS}
    if found != sums:
        raise ValueError("it does not match its checksums")
    answer: Answer = json.loads((entry / ANSWER).read_text())
    return answer


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _files(place: Path) -> Iterator[Path]:
    """Of a folder, or the file itself."""
    return (file for file in (sorted(place.rglob("*")) if place.is_dir() else [place]) if file.is_file())


def _put(source: Path, place: Path) -> None:
    """The file or folder at another place, whole or not at all: as links, where the file system has them."""
    part = place.with_name(f"{place.name}.part")
    if source.is_dir():
        shutil.copytree(source, part, copy_function=_link)
        shutil.rmtree(place, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)
        _link(str(source), str(part))
    part.replace(place)
    part.unlink(missing_ok=True)  # a link renamed to another link of its file stays behind


def _link(source: str, place: str) -> None:
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def _entries() -> list[tuple[float, Path]]:
    """With the time when each was last used, that for longest not used first."""
    found = []
    for entry in folder().glob("[!.]*"):
        with suppress(OSError):
            found.append((entry.stat().st_mtime, entry))
    return sorted(found)


def _sizes(entries: list[Path]) -> dict[tuple[int, int], int]:
    """Bytes by file, however many names it has: what two variants learned alike is there once."""
    sizes = {}
    for entry in entries:
        with suppress(OSError):
            for file in _files(entry):
                seen = file.stat()
                sizes[seen.st_dev, seen.st_ino] = seen.st_size
    return sizes


def _trim() -> None:
    """Remove what goes beyond the limit, and what was left half done."""
    for left in folder().glob(".*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_OVER_S:
                shutil.rmtree(left, ignore_errors=True)
    entries, limit = [entry for _, entry in _entries()], limit_bytes()
    while entries and sum(_sizes(entries).values()) > limit:
        _remove(entries.pop(0))


def _remove(entry: Path) -> None:
    """Gone at once for everybody else, then from the disk."""
    with suppress(OSError):
        aside = Path(tempfile.mkdtemp(prefix=".gone-", dir=folder()))
        with suppress(OSError):
            entry.rename(aside / entry.name)
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(entry, ignore_errors=True)  # where a full disk has no room for a folder to move it to
