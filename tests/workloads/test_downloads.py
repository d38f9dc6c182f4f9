"""Downloads, from a folder in the network's place; and files that are damaged or are not to be read."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from efficiency.errors import DataUnavailable
from efficiency.workloads.datasets import ag_news, cache, download, fashion_mnist, glyphs
from efficiency.workloads.datasets.ag_news import AG_NEWS
from efficiency.workloads.datasets.fashion_mnist import FASHION_MNIST

IMAGES = {"train": 600, "t10k": 40}


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _idx(array: np.ndarray) -> bytes:
    """The format of the raw files: a magic number, big-endian sizes, the bytes."""
    head = (0x0800 + array.ndim).to_bytes(4) + b"".join(size.to_bytes(4) for size in array.shape)
    return head + array.astype(np.uint8).tobytes()


def _raw_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    files = {}
    for part, rows in IMAGES.items():
        files[f"{part}-images-idx3-ubyte"] = _idx(rng.integers(0, 256, (rows, 28, 28)))
        files[f"{part}-labels-idx1-ubyte"] = _idx(np.arange(rows) % 10)
    return files


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fashion-MNIST as it is laid out, but small."""
    folder = tmp_path / "data" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in _raw_files().items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("EFFICIENCY_DATA", str(tmp_path / "data"))
    return folder


class Told:
    """Keeps what is told of the progress."""

    def __init__(self) -> None:
        self.said: list[tuple[str, float]] = []

    def __call__(self, what: str, share: float) -> None:
        self.said.append((what, share))


@pytest.fixture
def served(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for the network, with both data sets."""
    folder = tmp_path / "network"
    folder.mkdir()
    monkeypatch.delenv("EFFICIENCY_DATA", raising=False)
    monkeypatch.setattr(download, "PIECE", 20_000)
    known = fashion_mnist._torchvisions()
    resources = []
    for name, content in _raw_files().items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        resources.append((f"{name}.gz", _md5((folder / f"{name}.gz").read_bytes())))
    monkeypatch.setattr(known, "resources", resources)
    monkeypatch.setattr(known, "mirrors", [f"{folder.as_uri()}/"])
    news = {}
    for name in ("train.csv", "test.csv"):
        lines = [f'"{1 + row % 4}","Title {row}","Words of {name} number {row}"\n' for row in range(1_200)]
        (folder / name).write_text("".join(lines), encoding="utf-8")
        news[name] = _md5((folder / name).read_bytes())
    monkeypatch.setattr(ag_news, "_SOURCE", f"{folder.as_uri()}/")
    monkeypatch.setattr(ag_news, "_MD5", news)
    return folder


@pytest.mark.parametrize("dataset", [FASHION_MNIST, AG_NEWS], ids=lambda dataset: dataset.key)
def test_a_download_tells_how_far_it_is_and_can_be_loaded(dataset, served: Path) -> None:
    assert dataset.why_not() is not None
    told = Told()
    dataset.fetch(told)
    assert dataset.why_not() is None
    assert len(dataset.load("test", 10)) == 10
    # Files of several pieces are told of piece by piece.
    shares = [share for what, share in told.said if "train" in what]
    assert len(shares) > 3
    assert all(0 <= share <= 1 for share in shares)
    assert all(what.startswith(("downloading ", "reading ")) for what, _ in told.said)


@pytest.mark.parametrize(("dataset", "file"), [(FASHION_MNIST, "t10k-images-idx3-ubyte.gz"), (AG_NEWS, "train.csv")])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_download_that_fails_says_so_and_leaves_nothing_behind(dataset, file, damage, served, home) -> None:
    (served / file).unlink()
    if damage == "changed":
        (served / file).write_bytes(b"an error page")
    sentence = "damaged or has changed" if damage == "changed" else "could not be downloaded"
    with pytest.raises(DataUnavailable, match=f"{sentence}.*EFFICIENCY_DATA"):
        dataset.fetch(Told())
    assert not list(home.rglob("*.part"))
    assert dataset.why_not() is not None


def test_pickles_of_an_old_torchvision_are_not_opened(raw: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    processed = raw.parent / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(5, 28, 28, dtype=torch.uint8), torch.zeros(5, dtype=torch.int64)), processed / name)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle was opened"))
    assert len(FASHION_MNIST.load("test", None)) == IMAGES["t10k"]
    assert len(FASHION_MNIST.load("train", None)) == IMAGES["train"] - fashion_mnist.CALIBRATION_ROWS


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x00\x08\x07", b"\x00\x00\x0f\x03" + bytes(12), _idx(np.zeros((3, 28, 28)))[:-9], _idx(np.zeros(9))],
    ids=["empty", "too many dimensions", "no such type", "cut off", "labels"],
)
def test_damaged_images_end_in_a_sentence(content: bytes, raw: Path, home: Path) -> None:
    (raw / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"do not read .*delete them"):
        FASHION_MNIST.load("test", None)


def test_images_without_their_labels_end_in_a_sentence(raw: Path, home: Path) -> None:
    (raw / "t10k-labels-idx1-ubyte").write_bytes(_idx(np.zeros(7)))
    with pytest.raises(DataUnavailable, match="40 images, 7 labels"):
        FASHION_MNIST.load("test", None)


def test_a_damaged_cache_is_made_anew(home: Path) -> None:
    made = []

    def make() -> cache.Arrays:
        made.append(True)
        return {"inputs": np.arange(5_000) % 7}

    cache.cached("numbers", make)
    path = home / "cache" / "numbers.npz"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        np.testing.assert_array_equal(cache.cached("numbers", make)["inputs"], np.arange(5_000) % 7)
    assert len(made) > 100


def test_glyphs_of_two_pillows_are_kept_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_draw", lambda character, rng: np.zeros((28, 28), dtype=np.uint8))
    glyphs.load("test", 1)
    monkeypatch.setattr(glyphs, "pillow", "999.0")
    monkeypatch.setattr(glyphs, "_draw", lambda character, rng: np.ones((28, 28), dtype=np.uint8))
    assert glyphs.load("test", 1).inputs.all()
    assert len(list((home / "cache").iterdir())) == 2
