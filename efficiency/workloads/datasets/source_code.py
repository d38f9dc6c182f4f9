"""Source code: from which of eight installed libraries is this 64-token snippet?

Real text that every installation has, since `requirements.txt` pins the libraries. Files, not
snippets, are split into training, calibration and test; a snippet that occurs twice is kept once, and no
test or calibration row equals another one's token ids; import lines go, and the libraries' names and
usual aliases are masked, so that it stays a task.
"""

import hashlib
import importlib.util
import re
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from efficiency.errors import DataUnavailable
from efficiency.workloads.base import Dataset, Rows, Split
from efficiency.workloads.datasets import tokens
from efficiency.workloads.datasets.cache import Arrays, cached

LIBRARIES = ("networkx", "numpy", "pandas", "plotly", "scipy", "sqlalchemy", "streamlit", "sympy")
SNIPPETS_PER_FILE = 24
SNIPPETS_PER_LIBRARY = 4_800
SEED, VERSION = 1, 2
MASK = "<name>"
_ALIASES = {"np", "pd", "nx", "st", "sa", "go", "px", "sp"}
_IMPORT = re.compile(r"^\s*(from\s+\S+\s+import\b|import\s).*$", re.MULTILINE)
_SHARES: tuple[tuple[Split, int], ...] = (("test", 20), ("calibration", 24), ("train", 100))


@cache
def _mask(token: str) -> str:
    lower = token.lower()
    named = lower in _ALIASES or any(library in lower for library in LIBRARIES)
    return MASK if named else token


def _split(library: str, path: str) -> Split:
    """By the file's name, so that a file never feeds two splits."""
    place = int.from_bytes(hashlib.sha256(f"{library}/{path}".encode()).digest()[:4]) % 100
    return next(split for split, upper in _SHARES if place < upper)


def _files(library: str) -> list[tuple[str, Path]]:
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise DataUnavailable(
            f"The source-code data set needs the package '{library}'; run `pip install -r requirements.txt`."
        )
    root = Path(spec.submodule_search_locations[0])
    found = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*.py")]
    return sorted((name, path) for name, path in found if "test" not in name and "_vendor" not in name)


def _snippets(text: str) -> list[tuple[str, ...]]:
    found = tokens.tokenize(_IMPORT.sub("", text))
    count = len(found) // tokens.LENGTH
    # Spread over the file: its head is licence and documentation.
    step = max(1, count // SNIPPETS_PER_FILE)
    starts = range(0, count * tokens.LENGTH, step * tokens.LENGTH)
    windows = [found[start : start + tokens.LENGTH] for start in starts][:SNIPPETS_PER_FILE]
    return [tuple(_mask(token) for token in window) for window in windows]


def _corpus() -> dict[Split, list[tuple[tuple[str, ...], int]]]:
    corpus: dict[Split, list[tuple[tuple[str, ...], int]]] = {"train": [], "calibration": [], "test": []}
    seen: set[tuple[str, ...]] = set()
    for label, library in enumerate(LIBRARIES):
        rows = []
        for name, path in _files(library):
            for snippet in _snippets(path.read_text(encoding="utf-8", errors="replace")):
                if snippet not in seen:
                    seen.add(snippet)
                    rows.append((_split(library, name), snippet))
        order = np.random.default_rng([SEED, label]).permutation(len(rows))
        for place in order[:SNIPPETS_PER_LIBRARY]:
            split, snippet = rows[place]
            corpus[split].append((snippet, label))
    return corpus


def _make() -> Arrays:
    corpus = _corpus()
    words = tokens.vocabulary(snippet for snippet, _ in corpus["train"])
    arrays: Arrays = {}
    taken: set[bytes] = set()
    for number, (split, rows) in enumerate(corpus.items()):
        order = np.random.default_rng([SEED, 100 + number]).permutation(len(rows))
        inputs = tokens.encode([rows[place][0] for place in order], words)
        labels = np.array([rows[place][1] for place in order], dtype=np.int64)
        ids = [row.tobytes() for row in inputs]
        if split != "train":
            # Snippets that differ in rare words alone meet again here: each is <unknown>.
            first = dict(zip(reversed(ids), reversed(range(len(ids))), strict=True))
            kept = sorted(place for row, place in first.items() if row not in taken)
            inputs, labels = inputs[kept], labels[kept]
        taken.update(ids)
        arrays[f"{split}_inputs"], arrays[f"{split}_labels"] = inputs, labels
    return arrays


def _arrays() -> Arrays:
    try:
        versions = [f"{library} {metadata.version(library)}" for library in LIBRARIES]
    except metadata.PackageNotFoundError as error:
        raise DataUnavailable(
            f"The source-code data set needs the package '{error.name}'; run `pip install -r requirements.txt`."
        ) from error
    installed = hashlib.sha256(";".join(versions).encode()).hexdigest()[:12]
    return cached(f"source-code-{VERSION}-{installed}", _make)


def load(split: Split, rows: int | None = None) -> Rows:
    """The first `rows` snippets of a split: inputs [N, 64] int32 token ids."""
    arrays = _arrays()
    inputs, labels = arrays[f"{split}_inputs"], arrays[f"{split}_labels"]
    return Rows(inputs[:rows], labels[:rows].astype(np.int64))


def fingerprint() -> str:
    """Hash of every row, so a library of another version is noticed."""
    arrays = _arrays()
    digest = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays)))
    return f"source-code-{VERSION}-{digest.hexdigest()[:16]}"


SOURCE_CODE = Dataset(
    key="source-code",
    label="Source code of installed libraries",
    summary="64-token snippets of eight pinned Python libraries, their names masked: which one is it?",
    kind="text",
    classes=LIBRARIES,
    load=load,
    fingerprint=fingerprint,
)
